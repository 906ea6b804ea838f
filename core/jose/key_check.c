#include "jose/key_check.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>

enum { RSA_BITS_MIN = 2048 };

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

int
key_check(const EVP_PKEY *pkey, const struct algorithm *a, const char *path, struct error *e)
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
