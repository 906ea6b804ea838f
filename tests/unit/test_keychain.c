/* jose: the bounds of what is taken for a key, of how many there are, and of what they sign. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "jose/generate.h"
#include "jose/jws_parse.h"
#include "jose/keychain.h"
#include "tests/unit/keys.h"

static size_t
read_public(const struct keys_fixture *f, enum keys_kind kind, char pem[8192])
{
	char path[256];

	keys_path(f, "key", path);
	keys_write_public(path, f->keys[kind]);
	return keys_read_bytes(path, pem, 8192);
}

static void
nothing_is_no_json_web_key(void **state)
{
	struct public_key *k;
	struct error e = {0};
	bool unfit = true;

	(void)state;
	assert_int_equal(public_key_from_jwk(&k, NULL, "keys.json", &unfit, &e), -1);
	assert_null(k);
	assert_false(unfit);
	assert_non_null(strstr(e.text, "keys.json: not a JSON Web Key"));
}

/* A good one with a byte behind it, too. */
static void
signature_of_another_length_is_wrong(void **state)
{
	const struct keys_fixture *f = *state;
	char path[256], pem[8192];
	size_t length = read_public(f, P256, pem);
	struct public_key *public;
	struct key *k;
	struct buffer signature;
	struct error e = {0};

	keys_path(f, "private", path);
	keys_put(f, "private", P256);
	assert_int_equal(keys_load(&k, path, NULL, "ES256", &e), 0);
	assert_int_equal(public_key_from_pem(&public, pem, length, "ES256", "key.pub", &e), 0);
	buffer_init(&signature, 128);
	assert_int_equal(key_sign(k, "x", 1, &signature, &e), 0);
	assert_int_equal(signature.length, 64);
	assert_int_equal(buffer_append(&signature, "y", 1), 0);
	for (size_t n = 0; n <= 65; n++)
		assert_int_equal(
		    public_key_verifies(public, "x", 1, signature.data, n), n == 64);
	buffer_free(&signature);
	public_key_free(public);
	key_free(k);
}

static void
too_many_keys_in_pem_are_refused(void **state)
{
	char pem[8192];
	size_t length = read_public(*state, ED25519, pem);
	struct keychain *c = keychain_new();
	struct error e = {0};

	for (int i = 0; i < LIMIT_KEYS; i++)
		assert_int_equal(keychain_add_pem(c, pem, length, "EdDSA", "key.pub", &e), 0);
	assert_int_equal(keychain_add_pem(c, pem, length, "EdDSA", "key.pub", &e), -1);
	assert_string_equal(e.text, "key.pub: more than 64 keys");
	assert_int_equal(keychain_count(c), LIMIT_KEYS);
	keychain_free(c);
}

/* That is no question of memory. */
static void
part_that_is_longer_than_a_token_is_refused(void **state)
{
	static char part[LIMIT_TOKEN + 1];
	struct error e = {0};

	(void)state;
	memset(part, 'A', sizeof(part));
	assert_null(jws_object(part, LIMIT_TOKEN, "payload", &e));
	assert_int_equal(e.code, ERROR_UNAUTHENTICATED);
	assert_null(jws_object(part, sizeof(part), "payload", &e));
	assert_int_equal(e.code, ERROR_UNAUTHENTICATED);
}

static void
key_that_openssl_does_not_make_is_told(void **state)
{
	struct buffer pem;
	struct error e = {0};

	(void)state;
	buffer_init(&pem, LIMIT_KEY_FILE);
	assert_int_equal(generate_key(&pem, algorithm_find("RS256"), 100, NULL, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_non_null(strstr(e.text, "no RS256 key can be made: "));
	assert_int_equal(pem.length, 0);
	buffer_free(&pem);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(nothing_is_no_json_web_key),
	    TEST(signature_of_another_length_is_wrong),
	    TEST(too_many_keys_in_pem_are_refused),
	    TEST(part_that_is_longer_than_a_token_is_refused),
	    TEST(key_that_openssl_does_not_make_is_told),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
