#include "jose/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/sha.h>

#include "base/base64url.h"

enum { NUMBER_MAX = 2048 }; /* bytes of the longest modulus that OpenSSL takes */

/*
 * Appends "NAME":"…" with a number of the key, big-endian: in as many bytes as it
 * needs (RSA), or in exactly size bytes (a coordinate).
 */
static int
append_number(
    struct buffer *to, const EVP_PKEY *pkey, const char *param, const char *name, size_t size)
{
	unsigned char bytes[NUMBER_MAX];
	BIGNUM *n = NULL;
	int length = -1;

	if (EVP_PKEY_get_bn_param(pkey, param, &n) == 1) {
		if (size == 0)
			size = (size_t)BN_num_bytes(n);
		if (size <= sizeof(bytes))
			length = BN_bn2binpad(n, bytes, (int)size);
	}
	BN_free(n);
	if (length < 0 || buffer_printf(to, "\"%s\":\"", name) == -1 ||
	    base64url_append(to, bytes, (size_t)length) == -1)
		return -1;
	return buffer_append(to, "\"", 1);
}

/* The required members alone, sorted, without blanks, as RFC 7638, 3.3 has them; but for the
 * brace at the end. */
static int
append_members(struct buffer *to, const EVP_PKEY *pkey, const struct algorithm *a)
{
	unsigned char x[32];
	size_t length = sizeof(x);

	switch (a->type) {
	case KEY_RSA:
		if (buffer_printf(to, "{") == -1 ||
		    append_number(to, pkey, OSSL_PKEY_PARAM_RSA_E, "e", 0) == -1 ||
		    buffer_printf(to, ",\"kty\":\"RSA\",") == -1 ||
		    append_number(to, pkey, OSSL_PKEY_PARAM_RSA_N, "n", 0) == -1)
			return -1;
		break;
	case KEY_EC:
		if (buffer_printf(to, "{\"crv\":\"%s\",\"kty\":\"EC\",", a->crv) == -1 ||
		    append_number(to, pkey, OSSL_PKEY_PARAM_EC_PUB_X, "x", a->size) == -1 ||
		    buffer_printf(to, ",") == -1 ||
		    append_number(to, pkey, OSSL_PKEY_PARAM_EC_PUB_Y, "y", a->size) == -1)
			return -1;
		break;
	case KEY_OKP:
		if (EVP_PKEY_get_raw_public_key(pkey, x, &length) != 1 ||
		    buffer_printf(to, "{\"crv\":\"%s\",\"kty\":\"OKP\",\"x\":\"", a->crv) ==
			-1 ||
		    base64url_append(to, x, length) == -1 || buffer_printf(to, "\"") == -1)
			return -1;
		break;
	}
	return 0;
}

int
jwk_append(struct buffer *to, const EVP_PKEY *pkey, const struct algorithm *a, const char *kid)
{
	if (append_members(to, pkey, a) == -1)
		return -1;
	return buffer_printf(
	    to, ",\"alg\":\"%s\",\"use\":\"sig\",\"kid\":\"%s\"}", a->name, kid);
}

int
jwk_thumbprint(
    const EVP_PKEY *pkey, const struct algorithm *a, struct buffer *out, struct error *e)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct buffer members;
	int rc = -1;

	buffer_init(&members, (size_t)4 * NUMBER_MAX);
	if (append_members(&members, pkey, a) == -1 || buffer_append(&members, "}", 1) == -1 ||
	    EVP_Digest(members.data, members.length, digest, NULL, EVP_sha256(), NULL) != 1 ||
	    base64url_append(out, digest, sizeof(digest)) == -1)
		error_set(e, ERROR_CONFIG, "the key's public half cannot be read");
	else
		rc = 0;
	buffer_free(&members);
	return rc;
}
