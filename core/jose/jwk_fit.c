#include "jose/jwk_fit.h"

#include <string.h>

#include "base/text.h"

/* "kty" of each type (RFC 7518, 6.1; RFC 8037, 2). */
static const char *const key_types[] = {[KEY_RSA] = "RSA", [KEY_EC] = "EC", [KEY_OKP] = "OKP"};

/* The string that a member is; NULL when there is none, and *wrong when it is something else.
 */
static const char *
get_text(const json_t *jwk, const char *member, bool *wrong)
{
	const json_t *value = json_object_get(jwk, member);

	if (value != NULL &&
	    (json_typeof(value) != JSON_STRING || json_string_length(value) == 0 ||
		json_string_length(value) >= LIMIT_KID_GIVEN ||
		!text_clean(json_string_value(value))))
		*wrong = true;
	return *wrong ? NULL : json_string_value(value);
}

/* A secret in a place for public keys is known to too many. */
static int
check_public(const json_t *jwk, const char *name, struct error *e)
{
	static const char *const secrets[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (json_object_get(jwk, secrets[i]) != NULL)
			return error_set(e, ERROR_CONFIG,
			    "%s: it has '%s', of a %s key: only public halves belong here",
			    name, secrets[i],
			    strcmp(secrets[i], "k") == 0 ? "symmetric" : "private");
	return 0;
}

/* Whether "key_ops" (RFC 7517, 4.3), if there, has "verify". */
static bool
may_verify(const json_t *jwk)
{
	const json_t *operations = json_object_get(jwk, "key_ops");

	if (operations == NULL)
		return true;
	for (size_t i = 0; i < json_array_size(operations); i++) {
		const char *one = json_string_value(json_array_get(operations, i));

		if (one != NULL && strcmp(one, "verify") == 0)
			return true;
	}
	return false;
}

/* What it is for, if not for us; NULL otherwise. */
static const char *
other_use(const json_t *jwk, const char *kty, const char *use, const char *alg)
{
	size_t i = 0;

	while (i < sizeof(key_types) / sizeof(key_types[0]) && strcmp(key_types[i], kty) != 0)
		i++;
	if (i == sizeof(key_types) / sizeof(key_types[0]))
		return "its 'kty' is none of RSA, EC and OKP";
	if (use != NULL && strcmp(use, "sig") != 0)
		return "its 'use' is not sig";
	if (!may_verify(jwk))
		return "its 'key_ops' do not have verify";
	if (alg == NULL)
		return "it has no 'alg': a key verifies with one algorithm, which must be said";
	return NULL;
}

static const struct algorithm *
fit_algorithm(const json_t *jwk, const char *kty, const char *alg, const char *name,
    bool *unfit, struct error *e)
{
	const struct algorithm *a = algorithm_find(alg);
	bool wrong = false;
	const char *crv = get_text(jwk, "crv", &wrong);

	/* The JWA name and no other spelling. */
	if (a == NULL || strcmp(a->name, alg) != 0) {
		*unfit = true;
		error_set(e, ERROR_CONFIG, "%s: its 'alg' is none of " ALGORITHM_NAMES, name);
		return NULL;
	}
	if (strcmp(key_types[a->type], kty) != 0) {
		error_set(
		    e, ERROR_CONFIG, "%s: its 'kty' %s is not that of %s", name, kty, alg);
		return NULL;
	}
	if (a->crv != NULL && (crv == NULL || strcmp(crv, a->crv) != 0)) {
		/* EdDSA is Ed448's name, too (RFC 8037, 3.1). */
		*unfit = a->type == KEY_OKP && crv != NULL && strcmp(crv, "Ed448") == 0;
		error_set(e, ERROR_CONFIG, "%s: its 'crv' is not %s", name, a->crv);
		return NULL;
	}
	return a;
}

const struct algorithm *
jwk_fit(const json_t *jwk, const char *name, const char **kid, bool *unfit, struct error *e)
{
	bool wrong = false;
	const char *kty = get_text(jwk, "kty", &wrong);
	const char *use = get_text(jwk, "use", &wrong);
	const char *alg = get_text(jwk, "alg", &wrong);
	const char *other;

	*unfit = false;
	*kid = get_text(jwk, "kid", &wrong);
	if (!json_is_object(jwk) || wrong || kty == NULL) {
		error_set(e, ERROR_CONFIG,
		    "%s: not a JSON Web Key: 'kty' is missing, or one of 'kty', 'use', 'alg' "
		    "and "
		    "'kid' is no plain text",
		    name);
		return NULL;
	}
	if (strcmp(kty, "oct") == 0) {
		error_set(e, ERROR_CONFIG,
		    "%s: a symmetric key: whoever verifies with it can sign with it", name);
		return NULL;
	}
	if (check_public(jwk, name, e) == -1)
		return NULL;
	other = other_use(jwk, kty, use, alg);
	if (other != NULL) {
		*unfit = true;
		error_set(e, ERROR_CONFIG, "%s: %s", name, other);
		return NULL;
	}
	return fit_algorithm(jwk, kty, alg, name, unfit, e);
}
