#define _GNU_SOURCE /* strdup */
#include "jose/public_key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/buffer.h"
#include "jose/digest.h"
#include "jose/jwk_fit.h"
#include "jose/key_check.h"
#include "jose/public_key_read.h"

struct public_key {
	EVP_PKEY *pkey;
	EVP_MD_CTX *ready; /* set up to verify; copied for each signature */
	const struct algorithm *algorithm;
	char *kid;
	char digest[DIGEST_TEXT];
};

/* Looking up digest and parameters for each signature would cost more than one of RSA. */
static int
prepare(struct public_key *k)
{
	const struct algorithm *a = k->algorithm;
	EVP_PKEY_CTX *options = NULL; /* belongs to ready */

	k->ready = EVP_MD_CTX_new();
	if (k->ready == NULL || EVP_DigestVerifyInit_ex(k->ready, &options, a->digest, NULL,
				    NULL, k->pkey, NULL) != 1)
		return -1;
	if (!a->pss)
		return 0;
	/* The salt is as long as the digest, and no other (RFC 7518, 3.5). */
	return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) > 0
		   ? 0
		   : -1;
}

/* Of the algorithm and the SubjectPublicKeyInfo. */
static int
name_it(struct public_key *k, struct error *e)
{
	unsigned char *der = NULL;
	int size = i2d_PUBKEY(k->pkey, &der);
	struct buffer whole;
	int rc = -1;

	buffer_init(&whole, LIMIT_KEY_FILE);
	if (size > 0 && buffer_printf(&whole, "%s ", k->algorithm->name) == 0 &&
	    buffer_append(&whole, der, (size_t)size) == 0)
		rc = digest_text(k->digest, whole.data, whole.length, e);
	else
		error_set(e, ERROR_INTERNAL, "out of memory");
	buffer_free(&whole);
	OPENSSL_free(der);
	return rc;
}

/* pkey is the key's from here on; NULL: *e says why there is none. */
static int
finish(struct public_key **out, EVP_PKEY *pkey, const struct algorithm *a, const char *kid,
    const char *name, struct error *e)
{
	struct public_key *k = calloc(1, sizeof(*k));

	*out = NULL;
	if (k == NULL) {
		EVP_PKEY_free(pkey);
		return error_set(e, ERROR_INTERNAL, "out of memory");
	}
	k->pkey = pkey;
	k->algorithm = a;
	if (pkey == NULL || key_check(pkey, a, name, e) == -1)
		goto fail;
	if (kid != NULL && (k->kid = strdup(kid)) == NULL) {
		error_set(e, ERROR_INTERNAL, "out of memory");
		goto fail;
	}
	if (name_it(k, e) == -1)
		goto fail;
	if (prepare(k) == -1) {
		error_set(e, ERROR_CONFIG, "%s: cannot be used to verify %s", name, a->name);
		goto fail;
	}
	*out = k;
	return 0;
fail:
	ERR_clear_error();
	public_key_free(k);
	return -1;
}

int
public_key_from_pem(struct public_key **out, const char *text, size_t length,
    const char *algorithm, const char *name, struct error *e)
{
	const struct algorithm *a = algorithm_find(algorithm);

	*out = NULL;
	if (a == NULL)
		return error_set(e, ERROR_CONFIG,
		    "%s: algorithm '%.32s' does not exist: one of " ALGORITHM_NAMES, name,
		    algorithm);
	return finish(out, public_key_read_pem(text, length, name, e), a, NULL, name, e);
}

int
public_key_from_jwk(
    struct public_key **out, const json_t *jwk, const char *name, bool *unfit, struct error *e)
{
	const char *kid;
	const struct algorithm *a = jwk_fit(jwk, name, &kid, unfit, e);

	*out = NULL;
	if (a == NULL)
		return -1;
	return finish(out, public_key_read_jwk(jwk, a, name, e), a, kid, name, e);
}

void
public_key_free(struct public_key *k)
{
	if (k == NULL)
		return;
	EVP_MD_CTX_free(k->ready);
	EVP_PKEY_free(k->pkey);
	free(k->kid);
	free(k);
}

const struct algorithm *
public_key_algorithm(const struct public_key *k)
{
	return k->algorithm;
}

const char *
public_key_id(const struct public_key *k)
{
	return k->kid;
}

const char *
public_key_digest(const struct public_key *k)
{
	return k->digest;
}

size_t
public_key_signature_size(const struct public_key *k)
{
	const struct algorithm *a = k->algorithm;

	return a->type == KEY_RSA ? (size_t)EVP_PKEY_get_size(k->pkey) : 2 * a->size;
}

/* r and s as OpenSSL wants them, to be freed with OPENSSL_free(); NULL when memory is short. */
static unsigned char *
to_der(const unsigned char *pair, size_t size, size_t *length)
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(pair, (int)size, NULL);
	BIGNUM *s = BN_bin2bn(pair + size, (int)size, NULL);
	unsigned char *der = NULL;
	int made = -1;

	if (signature != NULL && r != NULL && s != NULL &&
	    ECDSA_SIG_set0(signature, r, s) == 1) {
		r = NULL; /* the signature's */
		s = NULL;
		made = i2d_ECDSA_SIG(signature, &der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(signature);
	*length = made > 0 ? (size_t)made : 0;
	return made > 0 ? der : NULL;
}

/* Whether what OpenSSL complains of is memory; that is forgotten. */
static bool
memory_was_short(void)
{
	bool was = ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE ||
		   ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;

	ERR_clear_error();
	return was;
}

int
public_key_verifies(const struct public_key *k, const void *bytes, size_t length,
    const void *signature, size_t signature_length)
{
	EVP_MD_CTX *context;
	unsigned char *der = NULL;
	int good = -1;

	if (signature_length != public_key_signature_size(k))
		return 0;
	ERR_clear_error();
	context = EVP_MD_CTX_new();
	if (k->algorithm->type == KEY_EC) {
		der = to_der(signature, k->algorithm->size, &signature_length);
		signature = der;
	}
	if (context != NULL && signature != NULL && EVP_MD_CTX_copy_ex(context, k->ready) == 1)
		good =
		    EVP_DigestVerify(context, signature, signature_length, bytes, length) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(context);
	return memory_was_short() && good == 0 ? -1 : good;
}
