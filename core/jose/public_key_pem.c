#define _GNU_SOURCE /* memmem */
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "jose/public_key_read.h"

static bool
has(const char *text, size_t length, const char *words)
{
	return memmem(text, length, words, strlen(words)) != NULL;
}

/* Wrong files that people have in hand, each with what to do about it. */
static int
explain(const char *text, size_t length, const char *name, struct error *e)
{
	static const struct {
		const char *words;
		const char *advice;
	} kinds[] = {
	    {"PRIVATE KEY-----",
		"a private key, which belongs to whoever signs: make its public half with: "
		"openssl pkey -pubout"},
	    {"-----BEGIN CERTIFICATE",
		"a certificate: take the key out of it with: openssl x509 -pubkey -noout"},
	    {"-----BEGIN TRUSTED CERTIFICATE",
		"a certificate: take the key out of it with: openssl x509 -pubkey -noout"},
	    {"-----BEGIN RSA PUBLIC KEY",
		"in PKCS #1 form: convert it with: openssl rsa -RSAPublicKey_in -pubout"},
	    {"---- BEGIN SSH2 PUBLIC KEY",
		"in an SSH format: convert it with: ssh-keygen -i -m RFC4716"},
	    {"ssh-", "in OpenSSH's own format: convert it with: ssh-keygen -e -m PKCS8"},
	    {"\"kty\"", "a JSON Web Key: put it into a JWK Set and give that as keys"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (has(text, length, kinds[i].words))
			return error_set(e, ERROR_CONFIG, "%s: %s", name, kinds[i].advice);
	return error_set(e, ERROR_CONFIG, "%s: not a public key in PEM form", name);
}

/* OpenSSL would ask the terminal for the passphrase of a PEM that says it is encrypted. */
static int
no_passphrase(char *to, int size, int writing, void *context)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

EVP_PKEY *
public_key_read_pem(const char *text, size_t length, const char *name, struct error *e)
{
	static const char label[] = "-----BEGIN ";
	const char *first = length > 0 ? memmem(text, length, label, strlen(label)) : NULL;
	EVP_PKEY *pkey = NULL;
	BIO *bio;

	if (length == 0) {
		error_set(e, ERROR_CONFIG, "%s: the file is empty", name);
		return NULL;
	}
	if (first == NULL || has(text, length, "PRIVATE KEY-----")) {
		explain(text, length, name, e);
		return NULL;
	}
	/* A second one would be passed over without a word. */
	if (has(first + 1, length - (size_t)(first + 1 - text), label)) {
		error_set(e, ERROR_CONFIG, "%s: more than one PEM: a file holds one key", name);
		return NULL;
	}
	bio = BIO_new_mem_buf(text, (int)length);
	if (bio != NULL)
		pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (pkey == NULL)
		explain(text, length, name, e);
	return pkey;
}
