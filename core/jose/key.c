#define _GNU_SOURCE /* memmem */
#include "jose/key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/file.h"
#include "jose/jwk.h"

enum { SECURE_HEAP = 64 * 1024, RSA_BITS_MIN = 2048 };

struct key {
	EVP_PKEY *pkey;
	EVP_MD_CTX *ready; /* set up to sign; copied for each signature */
	const struct algorithm *algorithm;
	struct buffer id;
	bool exposed;
};

bool
key_memory_lock(void)
{
	/* 1: reserved and locked; 2: reserved, but the kernel refused to lock. */
	return CRYPTO_secure_malloc_init(SECURE_HEAP, 16) == 1;
}

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

static int
read_passphrase(const char *path, struct buffer *to, struct error *e)
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

static int
check_rsa(const EVP_PKEY *pkey, const char *path, struct error *e)
{
	BIGNUM *exponent = NULL;
	int rc = 0;

	if (EVP_PKEY_get_bits(pkey) < RSA_BITS_MIN)
		rc = error_set(e, ERROR_CONFIG, "%s: RSA of %d bits: at least %d are needed",
		    path, EVP_PKEY_get_bits(pkey), RSA_BITS_MIN);
	else if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1 ||
		 !BN_is_odd(exponent) || BN_is_one(exponent))
		rc = error_set(e, ERROR_CONFIG,
		    "%s: its public exponent makes every signature forgeable: make a new key",
		    path);
	BN_free(exponent);
	return rc;
}

/* Whether the key can be used with the algorithm, and may be. */
static int
check_type(const EVP_PKEY *pkey, const struct algorithm *a, const char *path, struct error *e)
{
	static const char *const names[] = {
	    [KEY_RSA] = "RSA", [KEY_EC] = "EC", [KEY_OKP] = "ED25519"};
	char curve[64] = "";

	if (!EVP_PKEY_is_a(pkey, names[a->type]))
		return error_set(e, ERROR_CONFIG, "%s: a key of type %s cannot sign with %s",
		    path, EVP_PKEY_get0_type_name(pkey), a->name);
	if (a->type == KEY_RSA)
		return check_rsa(pkey, path, e);
	if (a->type == KEY_OKP)
		return 0;
	if (EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), NULL) != 1 ||
	    strcmp(curve, a->curve) != 0)
		return error_set(e, ERROR_CONFIG, "%s: its curve is %.32s, but %s needs %s",
		    path, *curve == '\0' ? "not named" : curve, a->name, a->crv);
	return 0;
}

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

int
key_load(struct key **out, const char *path, const char *passphrase_file, const char *algorithm,
    struct error *e)
{
	struct buffer pem, passphrase;
	struct key *k = NULL;
	BIO *bio = NULL;
	mode_t mode;
	int rc = -1;

	*out = NULL;
	buffer_init(&pem, LIMIT_KEY_FILE);
	buffer_init(&passphrase, LIMIT_PASSPHRASE);
	k = calloc(1, sizeof(*k));
	if (k == NULL) {
		error_set(e, ERROR_INTERNAL, "out of memory");
		goto out;
	}
	buffer_init(&k->id, LIMIT_ERROR_TEXT);
	k->algorithm = algorithm_find(algorithm);
	if (k->algorithm == NULL) {
		error_set(e, ERROR_CONFIG,
		    "algorithm '%.32s' does not exist: one of RS256 RS384 RS512 PS256 PS384 "
		    "PS512 "
		    "ES256 ES384 ES512 EdDSA",
		    algorithm);
		goto out;
	}
	/* Messages name the file: one that is the key itself must get into none of them. */
	if (strstr(path, "-----BEGIN") != NULL) {
		error_set(e, ERROR_CONFIG,
		    "private-key holds a key, where the name of its file belongs");
		goto out;
	}
	if (read_passphrase(passphrase_file, &passphrase, e) == -1 ||
	    file_read(path, &pem, &mode, e) == -1)
		goto out;
	if (pem.length == 0) {
		error_set(e, ERROR_CONFIG, "%s: the file is empty", path);
		goto out;
	}
	k->exposed = (mode & 004) != 0;
	bio = BIO_new_mem_buf(pem.data, (int)pem.length);
	k->pkey = bio == NULL
		      ? NULL
		      : PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
	ERR_clear_error();
	if (k->pkey == NULL) {
		explain(&pem, path, passphrase_file != NULL, e);
		goto out;
	}
	if (check_type(k->pkey, k->algorithm, path, e) == -1)
		goto out;
	if (jwk_thumbprint(k->pkey, k->algorithm, &k->id, e) == -1) {
		error_prefix(e, "%s", path);
		goto out;
	}
	if (prepare(k) == -1) {
		error_set(e, ERROR_CONFIG, "%s: cannot be used to sign with %s", path,
		    k->algorithm->name);
		goto out;
	}
	*out = k;
	k = NULL;
	rc = 0;
out:
	BIO_free(bio);
	buffer_free(&pem);
	buffer_free(&passphrase);
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

int
key_sign(const struct key *k, const void *bytes, size_t length, struct buffer *signature,
    struct error *e)
{
	const struct algorithm *a = k->algorithm;
	unsigned char made[2048]; /* RSA of 16,384 bits */
	size_t made_length = sizeof(made);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int rc = -1;

	if (context == NULL || EVP_MD_CTX_copy_ex(context, k->ready) != 1)
		goto out;
	if (EVP_DigestSign(context, made, &made_length, bytes, length) != 1)
		goto out;
	rc = a->type == KEY_EC ? append_ecdsa(signature, made, made_length, a->size)
			       : buffer_append(signature, made, made_length);
out:
	EVP_MD_CTX_free(context);
	if (rc == -1) {
		const char *reason = ERR_reason_error_string(ERR_peek_last_error());

		error_set(e, ERROR_UNAVAILABLE, "signing with %s failed: %s", a->name,
		    reason != NULL ? reason : "out of memory");
	}
	ERR_clear_error();
	return rc;
}
