#include "jose/generate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "jose/key_read.h"

static EVP_PKEY *
generate(const struct algorithm *a, unsigned int bits)
{
	if (a->type == KEY_RSA)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	if (a->type == KEY_EC)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", a->curve);
	return EVP_PKEY_Q_keygen(NULL, NULL, a->curve);
}

/* On some processors the generator of random numbers keeps the last block that it gave, which
 * is of the key: it is to keep another one. */
static void
draw_another(void)
{
	unsigned char bytes[64];

	(void)RAND_priv_bytes(bytes, sizeof(bytes));
	OPENSSL_cleanse(bytes, sizeof(bytes));
}

/* passphrase: empty for a key that is not encrypted. */
static int
write_pem(struct buffer *pem, const EVP_PKEY *pkey, const struct buffer *passphrase)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	const EVP_CIPHER *cipher = passphrase->length > 0 ? EVP_aes_256_cbc() : NULL;
	char *text = NULL;
	long length;
	int rc = -1;

	if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, pkey, cipher, passphrase->data,
			       (int)passphrase->length, NULL, NULL) == 1) {
		length = BIO_get_mem_data(bio, &text);
		rc = buffer_append(pem, text, (size_t)length);
	}
	BIO_free(bio);
	return rc;
}

int
generate_key(struct buffer *pem, const struct algorithm *a, unsigned int bits,
    const char *passphrase_file, struct error *e)
{
	struct buffer passphrase;
	EVP_PKEY *pkey = NULL;
	int rc = -1;

	buffer_init(&passphrase, LIMIT_PASSPHRASE);
	if (key_read_passphrase(passphrase_file, &passphrase, e) == -1)
		goto out;
	if (passphrase_file != NULL && passphrase.length == 0) {
		error_set(e, ERROR_CONFIG, "%s: its first line is empty", passphrase_file);
		goto out;
	}
	pkey = generate(a, bits);
	draw_another();
	if (pkey != NULL && write_pem(pem, pkey, &passphrase) == 0) {
		rc = 0;
	} else {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());

		error_set(e, ERROR_UNAVAILABLE, "no %s key can be made: %s", a->name,
		    reason != NULL ? reason : "out of memory");
	}
	ERR_clear_error();
out:
	EVP_PKEY_free(pkey);
	buffer_free(&passphrase);
	return rc;
}
