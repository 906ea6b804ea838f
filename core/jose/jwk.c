#include "jose/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/sha.h>

#include "base/base64url.h"

enum { NUMBER_MAX = 2048 }; /* bytes of the longest modulus that OpenSSL takes */

/* Appends "NAME":"…" with bytes. */
static int
append_bytes(struct buffer *to, const char *name, const unsigned char *bytes, size_t length)
{
	if (buffer_printf(to, "\"%s\":\"", name) == -1 ||
	    base64url_append(to, bytes, length) == -1)
		return -1;
	return buffer_append(to, "\"", 1);
}

/* The same with a number of an RSA key, big-endian, in as many bytes as it needs. */
static int
append_number(struct buffer *to, const EVP_PKEY *pkey, const char *param, const char *name)
{
	unsigned char bytes[NUMBER_MAX];
	BIGNUM *n = NULL;
	int length = -1;

	if (EVP_PKEY_get_bn_param(pkey, param, &n) == 1 &&
	    BN_num_bytes(n) <= (int)sizeof(bytes))
		length = BN_bn2bin(n, bytes);
	BN_free(n);
	return length < 0 ? -1 : append_bytes(to, name, bytes, (size_t)length);
}

/* Both coordinates, each of size bytes. The whole point, uncompressed, is what a key of any
 * kind gives: one that an engine holds has no parameters for the two. */
static int
append_point(struct buffer *to, EVP_PKEY *pkey, size_t size)
{
	enum { UNCOMPRESSED = 4 };
	unsigned char *point = NULL;
	size_t length = EVP_PKEY_get1_encoded_public_key(pkey, &point);
	int rc = -1;

	if (length == 1 + 2 * size && point[0] == UNCOMPRESSED &&
	    append_bytes(to, "x", point + 1, size) == 0 && buffer_append(to, ",", 1) == 0)
		rc = append_bytes(to, "y", point + 1 + size, size);
	OPENSSL_free(point);
	return rc;
}

/* The required members alone, sorted, without blanks, as RFC 7638, 3.3 has them; but for the
 * brace at the end. */
static int
append_members(struct buffer *to, EVP_PKEY *pkey, const struct algorithm *a)
{
	unsigned char x[32];
	size_t length = sizeof(x);

	switch (a->type) {
	case KEY_RSA:
		if (buffer_printf(to, "{") == -1 ||
		    append_number(to, pkey, OSSL_PKEY_PARAM_RSA_E, "e") == -1 ||
		    buffer_printf(to, ",\"kty\":\"RSA\",") == -1 ||
		    append_number(to, pkey, OSSL_PKEY_PARAM_RSA_N, "n") == -1)
			return -1;
		break;
	case KEY_EC:
		if (buffer_printf(to, "{\"crv\":\"%s\",\"kty\":\"EC\",", a->crv) == -1 ||
		    append_point(to, pkey, a->size) == -1)
			return -1;
		break;
	case KEY_OKP:
		if (EVP_PKEY_get_raw_public_key(pkey, x, &length) != 1 ||
		    buffer_printf(to, "{\"crv\":\"%s\",\"kty\":\"OKP\",", a->crv) == -1 ||
		    append_bytes(to, "x", x, length) == -1)
			return -1;
		break;
	}
	return 0;
}

int
jwk_append(struct buffer *to, EVP_PKEY *pkey, const struct algorithm *a, const char *kid)
{
	if (append_members(to, pkey, a) == -1)
		return -1;
	return buffer_printf(
	    to, ",\"alg\":\"%s\",\"use\":\"sig\",\"kid\":\"%s\"}", a->name, kid);
}

int
jwk_thumbprint(EVP_PKEY *pkey, const struct algorithm *a, struct buffer *out, struct error *e)
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
