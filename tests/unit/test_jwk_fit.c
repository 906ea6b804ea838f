/* jose: which JSON Web Keys are for verifying what we verify, by what they say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "jose/jwk_fit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* FIT: it is for us; UNFIT: somebody else's, and passed over; WRONG: it should not be there. */
enum verdict { FIT, UNFIT, WRONG };

static const struct row {
	const char *jwk;
	enum verdict verdict;
	const char *says; /* the name of its algorithm, or a part of the reason */
} rows[] = {
    {"{'kty':'RSA','alg':'RS256'}", FIT, "RS256"},
    {"{'kty':'RSA','alg':'PS512','use':'sig'}", FIT, "PS512"},
    {"{'kty':'EC','alg':'ES256','crv':'P-256'}", FIT, "ES256"},
    {"{'kty':'OKP','alg':'EdDSA','crv':'Ed25519'}", FIT, "EdDSA"},
    {"{'kty':'RSA','alg':'RS256','key_ops':['verify']}", FIT, "RS256"},
    {"{'kty':'RSA','alg':'RS256','key_ops':[1,'wrapKey','verify']}", FIT, "RS256"},
    /* For something else. */
    {"{'kty':'AKP','alg':'RS256'}", UNFIT, "its 'kty' is none of"},
    {"{'kty':'rsa','alg':'RS256'}", UNFIT, "its 'kty' is none of"},
    {"{'kty':'RSA','alg':'RS256','use':'enc'}", UNFIT, "its 'use' is not sig"},
    {"{'kty':'RSA','alg':'RS256','use':'SIG'}", UNFIT, "its 'use' is not sig"},
    {"{'kty':'RSA','alg':'RS256','key_ops':['encrypt']}", UNFIT, "'key_ops'"},
    {"{'kty':'RSA','alg':'RS256','key_ops':[]}", UNFIT, "'key_ops'"},
    {"{'kty':'RSA','alg':'RS256','key_ops':[1]}", UNFIT, "'key_ops'"},
    {"{'kty':'RSA','alg':'RS256','key_ops':'verify'}", UNFIT, "'key_ops'"},
    {"{'kty':'RSA'}", UNFIT, "it has no 'alg'"},
    {"{'kty':'RSA','alg':'RSA-OAEP'}", UNFIT, "its 'alg' is none of"},
    {"{'kty':'RSA','alg':'rs256'}", UNFIT, "its 'alg' is none of"},
    {"{'kty':'OKP','alg':'EdDSA','crv':'Ed448'}", UNFIT, "its 'crv' is not Ed25519"},
    /* What contradicts itself, or gives a secret away. */
    {"{'kty':'EC','alg':'RS256'}", WRONG, "is not that of RS256"},
    {"{'kty':'RSA','alg':'ES256'}", WRONG, "is not that of ES256"},
    {"{'kty':'EC','alg':'ES256'}", WRONG, "its 'crv' is not P-256"},
    {"{'kty':'EC','alg':'ES256','crv':'P-384'}", WRONG, "its 'crv' is not P-256"},
    {"{'kty':'EC','alg':'ES256','crv':256}", WRONG, "its 'crv' is not P-256"},
    {"{'kty':'OKP','alg':'EdDSA'}", WRONG, "its 'crv' is not Ed25519"},
    {"{'kty':'OKP','alg':'EdDSA','crv':'X25519'}", WRONG, "its 'crv' is not Ed25519"},
    {"{'kty':'oct','alg':'HS256','k':'AA'}", WRONG, "a symmetric key"},
    {"{'kty':'RSA','alg':'RS256','d':'AA'}", WRONG, "it has 'd', of a private key"},
    {"{'kty':'RSA','alg':'RS256','oth':[]}", WRONG, "it has 'oth', of a private key"},
    {"{'kty':'RSA','alg':'RS256','k':'AA'}", WRONG, "it has 'k', of a symmetric key"},
    /* None at all. */
    {"{}", WRONG, "not a JSON Web Key"},
    {"[]", WRONG, "not a JSON Web Key"},
    {"{'alg':'RS256'}", WRONG, "not a JSON Web Key"},
    {"{'kty':1,'alg':'RS256'}", WRONG, "not a JSON Web Key"},
    {"{'kty':'','alg':'RS256'}", WRONG, "not a JSON Web Key"},
    {"{'kty':'RSA','alg':null}", WRONG, "not a JSON Web Key"},
    {"{'kty':'RSA','alg':'RS256','use':['sig']}", WRONG, "not a JSON Web Key"},
    {"{'kty':'RSA','alg':'RS256','kid':7}", WRONG, "not a JSON Web Key"},
    {"{'kty':'RSA','alg':'RS256','kid':''}", WRONG, "not a JSON Web Key"},
    {"{'kty':'RSA','alg':'RS256','kid':'a\\nb'}", WRONG, "not a JSON Web Key"},
};

/* With ' for ". */
static json_t *
parse(const char *text)
{
	char quoted[256];
	json_t *jwk;

	assert_in_range(strlen(text), 0, sizeof(quoted) - 1);
	for (size_t i = 0; i <= strlen(text); i++)
		quoted[i] = text[i] == '\'' ? '"' : text[i];
	jwk = json_loads(quoted, JSON_REJECT_DUPLICATES, NULL);
	if (jwk == NULL)
		fail_msg("%s", quoted);
	return jwk;
}

static void
keys_are_taken_passed_over_or_refused_by_what_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *jwk = parse(rows[i].jwk);
		const struct algorithm *a;
		const char *kid;
		bool unfit;
		struct error e = {0};

		a = jwk_fit(jwk, "keys", &kid, &unfit, &e);
		if ((a != NULL) != (rows[i].verdict == FIT) ||
		    unfit != (rows[i].verdict == UNFIT) ||
		    strstr(a != NULL ? a->name : e.text, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].jwk, e.text);
		assert_int_equal(e.code, a != NULL ? ERROR_NONE : ERROR_CONFIG);
		json_decref(jwk);
	}
}

static void
a_kid_is_told_and_has_a_bound(void **state)
{
	char name[LIMIT_KID_GIVEN + 1];
	const char *kid;
	bool unfit;

	(void)state;
	memset(name, 'k', sizeof(name));
	for (size_t length = LIMIT_KID_GIVEN - 1; length <= LIMIT_KID_GIVEN; length++) {
		json_t *jwk = json_pack(
		    "{s:s,s:s,s:s%}", "kty", "RSA", "alg", "RS256", "kid", name, length);
		struct error e = {0};
		bool fits = jwk_fit(jwk, "keys", &kid, &unfit, &e) != NULL;

		assert_int_equal(fits, length < LIMIT_KID_GIVEN);
		if (fits)
			assert_int_equal(strlen(kid), length);
		json_decref(jwk);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_taken_passed_over_or_refused_by_what_they_say),
	    cmocka_unit_test(a_kid_is_told_and_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
