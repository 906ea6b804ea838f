#include "jose/key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "jose/jwk.h"
#include "jose/key_check.h"
#include "jose/key_memory.h"
#include "jose/key_read.h"

enum {
	SIGNATURE_MAX = 2048, /* bytes; RSA of 16,384 bits */
};

struct key {
	EVP_PKEY *pkey;
	EVP_MD_CTX *ready; /* set up to sign; copied for each signature */
	const struct algorithm *algorithm;
	struct buffer id;
	bool exposed;
};

/* Looking up digest and parameters for each signature would cost a fifth of one by ECDSA. */
static int
prepare(struct key *k)
{
	const struct algorithm *a = k->algorithm;
	EVP_PKEY_CTX *options = NULL; /* belongs to ready */

	k->ready = EVP_MD_CTX_new();
	if (k->ready == NULL || EVP_DigestSignInit_ex(k->ready, &options, a->digest, NULL, NULL,
				    k->pkey, NULL) != 1)
		return -1;
	if (!a->pss)
		return 0;
	return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) > 0
		   ? 0
		   : -1;
}

bool
key_is_uri(const char *path)
{
	size_t scheme = strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789+-.");

	return scheme > 1 && path[scheme] == ':' && *path >= 'a';
}

static int
read_key(struct key *k, const struct key_source *source, struct error *e)
{
	/* Messages name the file: one that is the key itself must get into none of them. */
	if (strstr(source->path, "-----BEGIN") != NULL)
		return error_set(e, ERROR_CONFIG,
		    "private-key holds a key, where the name of its file belongs");
	return key_is_uri(source->path) ? key_read_uri(&k->pkey, source, e)
					: key_read_pem(&k->pkey, source, &k->exposed, e);
}

/* What the key's own type signs with, NULL when that is nothing. */
static const struct algorithm *
own_algorithm(const EVP_PKEY *pkey)
{
	char curve[64] = "";

	if (EVP_PKEY_is_a(pkey, "RSA"))
		return algorithm_of(KEY_RSA, NULL);
	if (EVP_PKEY_is_a(pkey, "ED25519"))
		return algorithm_of(KEY_OKP, NULL);
	if (!EVP_PKEY_is_a(pkey, "EC") ||
	    EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), NULL) != 1)
		return NULL;
	return algorithm_of(KEY_EC, curve);
}

static int
choose_algorithm(struct key *k, const struct key_source *source, struct error *e)
{
	const struct algorithm *own;

	k->algorithm = algorithm_find(source->algorithm);
	if (k->algorithm == NULL)
		return error_set(e, ERROR_CONFIG,
		    "algorithm '%.32s' does not exist: one of " ALGORITHM_NAMES,
		    source->algorithm);
	if (!source->or_own)
		return 0;
	own = own_algorithm(k->pkey);
	if (own != NULL && (own->type != k->algorithm->type || own->type == KEY_EC))
		k->algorithm = own;
	return 0;
}

static int
load(struct key *k, const struct key_source *source, struct error *e)
{
	if (read_key(k, source, e) == -1 || choose_algorithm(k, source, e) == -1 ||
	    key_check(k->pkey, k->algorithm, source->path, e) == -1)
		return -1;
	if (jwk_thumbprint(k->pkey, k->algorithm, &k->id, e) == -1)
		return error_prefix(e, "%s", source->path);
	if (prepare(k) == 0)
		return 0;
	ERR_clear_error();
	return error_set(e, ERROR_CONFIG, "%s: cannot be used to sign with %s", source->path,
	    k->algorithm->name);
}

int
key_load(struct key **out, const struct key_source *source, struct error *e)
{
	struct key *k = calloc(1, sizeof(*k));
	int rc;

	*out = NULL;
	if (k == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	buffer_init(&k->id, LIMIT_ERROR_TEXT);
	rc = load(k, source, e);
	key_memory_wipe_stack(); /* lines of the file, numbers of the key */
	if (rc == 0)
		*out = k;
	else
		key_free(k);
	return rc;
}

void
key_free(struct key *k)
{
	if (k == NULL)
		return;
	EVP_MD_CTX_free(k->ready);
	EVP_PKEY_free(k->pkey);
	buffer_free(&k->id);
	free(k);
}

const char *
key_id(const struct key *k)
{
	return k->id.data;
}

const struct algorithm *
key_algorithm(const struct key *k)
{
	return k->algorithm;
}

bool
key_exposed(const struct key *k)
{
	return k->exposed;
}

int
key_jwk(const struct key *k, struct buffer *json, struct error *e)
{
	if (jwk_append(json, k->pkey, k->algorithm, k->id.data) == 0)
		return 0;
	return error_set(e, ERROR_UNAVAILABLE, "the keys do not fit into an answer");
}

/* Whether the bytes that a signature was made of verify by the key's public half. */
static bool
verifies(const struct key *k, const void *bytes, size_t length, const unsigned char *made,
    size_t made_length)
{
	const struct algorithm *a = k->algorithm;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL; /* belongs to context */
	bool good = context != NULL && EVP_DigestVerifyInit_ex(context, &options, a->digest,
					   NULL, NULL, k->pkey, NULL) == 1;

	if (good && a->pss)
		good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) > 0;
	good = good && EVP_DigestVerify(context, made, made_length, bytes, length) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return good;
}

/* OpenSSL signs ECDSA in DER; JWS wants r and s, each in full length (RFC 7518, 3.4). */
static int
append_ecdsa(struct buffer *signature, const unsigned char *der, size_t length, size_t size)
{
	const unsigned char *at = der;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
	unsigned char *to = (unsigned char *)buffer_reserve(signature, 2 * size);
	int rc = -1;

	if (pair != NULL && to != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(pair), to, (int)size) == (int)size &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(pair), to + size, (int)size) == (int)size) {
		signature->length += 2 * size;
		rc = 0;
	}
	ECDSA_SIG_free(pair);
	return rc;
}

/* As OpenSSL makes it; made holds SIGNATURE_MAX bytes. */
static int
make_signature(const struct key *k, const void *bytes, size_t length, unsigned char *made,
    size_t *made_length, struct error *e)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int rc = -1;

	*made_length = SIGNATURE_MAX;
	if (context != NULL && EVP_MD_CTX_copy_ex(context, k->ready) == 1 &&
	    EVP_DigestSign(context, made, made_length, bytes, length) == 1)
		rc = 0;
	EVP_MD_CTX_free(context);
	if (rc == -1) {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());

		error_set(e, ERROR_UNAVAILABLE, "signing with %s failed: %s",
		    k->algorithm->name, reason != NULL ? reason : "out of memory");
	}
	ERR_clear_error();
	return rc;
}

int
key_sign(const struct key *k, const void *bytes, size_t length, struct buffer *signature,
    struct error *e)
{
	const struct algorithm *a = k->algorithm;
	unsigned char made[SIGNATURE_MAX];
	size_t made_length;
	int rc;

	if (make_signature(k, bytes, length, made, &made_length, e) == -1)
		return -1;
	rc = a->type == KEY_EC ? append_ecdsa(signature, made, made_length, a->size)
			       : buffer_append(signature, made, made_length);
	if (rc == -1)
		return error_set(e, ERROR_UNAVAILABLE, "a signature that does not fit");
	return 0;
}

int
key_test(const struct key *k, struct error *e)
{
	static const char text[] = "signed to see whether it verifies";
	unsigned char made[SIGNATURE_MAX];
	size_t made_length;

	if (make_signature(k, text, sizeof(text), made, &made_length, e) == 0 &&
	    verifies(k, text, sizeof(text), made, made_length))
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "what it signs does not verify: its halves do not belong together");
}
