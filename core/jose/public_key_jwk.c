#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "base/base64url.h"
#include "base/buffer.h"
#include "jose/public_key_read.h"

enum { NUMBER_MAX = 2048 }; /* bytes of the longest modulus that OpenSSL takes */

/* Appends the bytes that a member holds in base64url. */
static int
get_bytes(
    const json_t *jwk, const char *member, struct buffer *to, const char *name, struct error *e)
{
	const json_t *text = json_object_get(jwk, member);

	if (!json_is_string(text))
		return error_set(e, ERROR_CONFIG, "%s: no '%s' that is a string", name, member);
	if (json_string_length(text) == 0 ||
	    base64url_decode(to, json_string_value(text), json_string_length(text)) == -1)
		return error_set(e, ERROR_CONFIG, "%s: its '%s' is not base64url, or too long",
		    name, member);
	return 0;
}

/* Base64urlUInt: no zero byte in front (RFC 7518, 2). */
static BIGNUM *
get_number(const json_t *jwk, const char *member, const char *name, struct error *e)
{
	struct buffer bytes;
	BIGNUM *number = NULL;

	buffer_init(&bytes, NUMBER_MAX);
	if (get_bytes(jwk, member, &bytes, name, e) == -1)
		goto out;
	if (bytes.data[0] == '\0') {
		error_set(
		    e, ERROR_CONFIG, "%s: its '%s' begins with a zero byte", name, member);
		goto out;
	}
	number = BN_bin2bn((const unsigned char *)bytes.data, (int)bytes.length, NULL);
	if (number == NULL)
		error_set(e, ERROR_INTERNAL, "out of memory");
out:
	buffer_free(&bytes);
	return number;
}

static EVP_PKEY *
make(const char *type, OSSL_PARAM_BLD *build)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY *pkey = NULL;

	if (context == NULL || params == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(context);
	return pkey;
}

static EVP_PKEY *
read_rsa(const json_t *jwk, OSSL_PARAM_BLD *build, const char *name, struct error *e)
{
	BIGNUM *n = get_number(jwk, "n", name, e);
	BIGNUM *exponent = n == NULL ? NULL : get_number(jwk, "e", name, e);
	EVP_PKEY *pkey = NULL;

	if (exponent != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		pkey = make("RSA", build);
	if (exponent != NULL && pkey == NULL)
		error_set(e, ERROR_CONFIG, "%s: not an RSA key", name);
	BN_free(n);
	BN_free(exponent);
	return pkey;
}

/* Coordinates in full length (RFC 7518, 6.2.1.2). */
static EVP_PKEY *
read_ec(const json_t *jwk, const struct algorithm *a, OSSL_PARAM_BLD *build, const char *name,
    struct error *e)
{
	static const char uncompressed[] = {4};
	struct buffer point;
	EVP_PKEY *pkey = NULL;

	buffer_init(&point, 1 + 2 * a->size);
	if (buffer_append(&point, uncompressed, 1) == -1) {
		error_set(e, ERROR_INTERNAL, "out of memory");
		goto out;
	}
	if (get_bytes(jwk, "x", &point, name, e) == -1)
		goto out;
	if (point.length == 1 + a->size && get_bytes(jwk, "y", &point, name, e) == -1)
		goto out;
	/* OpenSSL takes no point that is not on the curve. */
	if (point.length == 1 + 2 * a->size &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, a->curve, 0) ==
		1 &&
	    OSSL_PARAM_BLD_push_octet_string(
		build, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.length) == 1)
		pkey = make("EC", build);
	if (pkey == NULL)
		error_set(
		    e, ERROR_CONFIG, "%s: its 'x' and 'y' are no point of %s", name, a->crv);
out:
	buffer_free(&point);
	return pkey;
}

static EVP_PKEY *
read_okp(const json_t *jwk, const struct algorithm *a, const char *name, struct error *e)
{
	struct buffer x;
	EVP_PKEY *pkey = NULL;

	buffer_init(&x, a->size);
	if (get_bytes(jwk, "x", &x, name, e) == 0) {
		pkey = EVP_PKEY_new_raw_public_key_ex(
		    NULL, a->curve, NULL, (const unsigned char *)x.data, x.length);
		if (pkey == NULL)
			error_set(e, ERROR_CONFIG, "%s: its 'x' is no key of %s", name, a->crv);
	}
	buffer_free(&x);
	return pkey;
}

EVP_PKEY *
public_key_read_jwk(
    const json_t *jwk, const struct algorithm *a, const char *name, struct error *e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey;

	if (build == NULL) {
		error_set(e, ERROR_INTERNAL, "out of memory");
		return NULL;
	}
	if (a->type == KEY_RSA)
		pkey = read_rsa(jwk, build, name, e);
	else if (a->type == KEY_EC)
		pkey = read_ec(jwk, a, build, name, e);
	else
		pkey = read_okp(jwk, a, name, e);
	OSSL_PARAM_BLD_free(build);
	ERR_clear_error();
	return pkey;
}
