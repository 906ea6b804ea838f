#define _GNU_SOURCE /* memmem */
#include "jose/key_read.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"

/* Wrong files that people have in hand, each with what to do about it. */
static int
explain(const struct buffer *pem, const char *path, bool passphrase, struct error *e)
{
	static const struct {
		const char *label;
		const char *advice;
	} kinds[] = {
	    {"-----BEGIN CERTIFICATE", "a certificate, not a private key"},
	    {"-----BEGIN PUBLIC KEY", "a public key: its private half is needed"},
	    {"-----BEGIN RSA PUBLIC KEY", "a public key: its private half is needed"},
	};

	if (memmem(pem->data, pem->length, "BEGIN OPENSSH PRIVATE KEY", 25) != NULL)
		return error_set(e, ERROR_CONFIG,
		    "%s: in OpenSSH's own format; convert it with: ssh-keygen -p -m PEM -f %s "
		    "(not "
		    "possible for Ed25519: make one with: openssl genpkey -algorithm ED25519)",
		    path, path);
	if (memmem(pem->data, pem->length, "ENCRYPTED", 9) != NULL)
		return error_set(e, ERROR_CONFIG,
		    passphrase ? "%s: the passphrase does not open it"
			       : "%s: encrypted: set passphrase-file",
		    path);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (memmem(pem->data, pem->length, kinds[i].label, strlen(kinds[i].label)) !=
		    NULL)
			return error_set(e, ERROR_CONFIG, "%s: %s", path, kinds[i].advice);
	return error_set(e, ERROR_CONFIG, "%s: not a private key in PEM form", path);
}

static int
give_passphrase(char *to, int size, int writing, void *context)
{
	const struct buffer *passphrase = context;

	(void)writing;
	if (passphrase->length == 0 || passphrase->length > (size_t)size)
		return -1;
	memcpy(to, passphrase->data, passphrase->length);
	return (int)passphrase->length;
}

int
key_read_passphrase(const char *path, struct buffer *to, struct error *e)
{
	const char *end;

	if (path == NULL)
		return 0;
	if (file_read(path, to, NULL, e) == -1)
		return -1;
	if (to->length == 0)
		return error_set(e, ERROR_CONFIG, "%s: the file is empty", path);
	end = memchr(to->data, '\n', to->length);
	if (end != NULL)
		to->length = (size_t)(end - to->data);
	if (to->length > 0 && to->data[to->length - 1] == '\r')
		to->length--; /* a file that was written on Windows */
	return 0;
}

static EVP_PKEY *
parse_pem(const struct buffer *pem, struct buffer *passphrase, bool *short_of_memory)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->length);
	EVP_PKEY *pkey = NULL;

	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, passphrase);
	*short_of_memory = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
	BIO_free(bio);
	ERR_clear_error();
	return pkey;
}

int
key_parse_pem(EVP_PKEY **out, const struct buffer *pem, struct buffer *passphrase,
    const struct key_source *source, struct error *e)
{
	bool short_of_memory;

	*out = NULL;
	if (pem->length == 0)
		return error_set(e, ERROR_CONFIG, "%s: the file is empty", source->path);
	*out = parse_pem(pem, passphrase, &short_of_memory);
	if (*out != NULL)
		return 0;
	if (short_of_memory)
		return error_set(e, ERROR_UNAVAILABLE,
		    "%s: no memory for it among the keys: prune those that have expired",
		    source->path);
	return explain(pem, source->path, source->passphrase_file != NULL, e);
}

int
key_read_pem(EVP_PKEY **out, const struct key_source *source, bool *exposed, struct error *e)
{
	struct buffer pem, passphrase;
	mode_t mode = 0;
	int rc = -1;

	*out = NULL;
	buffer_init(&pem, LIMIT_KEY_FILE);
	buffer_init(&passphrase, LIMIT_PASSPHRASE);
	if (key_read_passphrase(source->passphrase_file, &passphrase, e) == 0 &&
	    (source->trusted ? file_read_trusted(source->path, &pem, &mode, e)
			     : file_read(source->path, &pem, &mode, e)) == 0)
		rc = key_parse_pem(out, &pem, &passphrase, source, e);
	if (rc == 0)
		*exposed = (mode & 004) != 0;
	buffer_free(&pem);
	buffer_free(&passphrase);
	return rc;
}
