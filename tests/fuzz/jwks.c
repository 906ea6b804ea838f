/* jose/keychain, jose/public_key: the JWK Sets that others publish. Input: the set. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "jose/digest.h"
#include "jose/keychain.h"
#include "tests/fuzz/fuzz.h"

static void
note(void *context, const struct error *e)
{
	(void)context;
	fuzz_require_error(e);
}

static void
check_key(const struct public_key *k)
{
	const char *kid = public_key_id(k);

	REQUIRE(kid == NULL || (strlen(kid) < LIMIT_KID_GIVEN && text_clean(kid)));
	REQUIRE(public_key_signature_size(k) >= 64 && public_key_signature_size(k) <= 2048);
	REQUIRE(!public_key_verifies(k, "", 0, "", 0));
}

/* What is kept of the set and passed on is the same keys, and no private number of anybody. */
static void
check_picked(const struct keychain *keys, const char *picked, size_t length)
{
	static const char *const private[] = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"};
	struct keychain *again = keychain_new();
	json_t *set = json_loadb(picked, length, JSON_REJECT_DUPLICATES, NULL);
	json_t *jwk;
	struct error e;
	size_t i;

	REQUIRE(again != NULL && set != NULL);
	REQUIRE(keychain_add_set(again, picked, length, "set", NULL, NULL, &e) == 0);
	REQUIRE(keychain_count(again) == keychain_count(keys));
	for (i = 0; i < keychain_count(keys); i++) {
		const struct public_key *a = keychain_get(keys, i), *b = keychain_get(again, i);

		REQUIRE(strcmp(public_key_digest(a), public_key_digest(b)) == 0);
		REQUIRE(public_key_algorithm(a) == public_key_algorithm(b));
		REQUIRE(public_key_id(a) == NULL || keychain_has(again, public_key_id(a)));
	}
	json_array_foreach (json_object_get(set, "keys"), i, jwk)
		for (size_t j = 0; j < sizeof(private) / sizeof(private[0]); j++)
			REQUIRE(json_object_get(jwk, private[j]) == NULL);
	json_decref(set);
	keychain_free(again);
}

static void
run(const uint8_t *bytes, size_t size)
{
	char *text = fuzz_copy(bytes, size);
	struct keychain *keys = keychain_new();
	struct error e = {0}, other = {0};
	struct buffer picked;
	int rc;

	REQUIRE(keys != NULL);
	buffer_init(&picked, LIMIT_JWK_SET - 1);
	rc = keychain_add_set(keys, text, size, "set", note, NULL, &e);
	if (rc == 0) {
		REQUIRE(keychain_count(keys) > 0 && keychain_count(keys) <= LIMIT_KEYS);
		for (size_t i = 0; i < keychain_count(keys); i++)
			check_key(keychain_get(keys, i));
	} else {
		REQUIRE(e.code == ERROR_CONFIG);
		fuzz_require_error(&e);
	}
	if (keychain_pick(&picked, text, size, "set", &other) == 0) {
		REQUIRE(rc == 0);
		check_picked(keys, picked.data, picked.length);
	} else {
		/* Only what is too long is one and not the other. */
		REQUIRE(rc == -1 || strstr(other.text, "KiB") != NULL);
	}
	buffer_free(&picked);
	keychain_free(keys);
	free(text);
}

const struct fuzz_target fuzz_jwks = {.name = "jwks", .run = run};
