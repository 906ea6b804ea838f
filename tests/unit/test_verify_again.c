/* jose: a token that is shown again, which costs no second signature: what was found of it once
 * never makes another one good, nor the same one for longer than its claims and keys do. */
#define _GNU_SOURCE /* strdup */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "jose/memo.h"
#include "tests/unit/keys.h"
#include "tests/unit/tokens.h"

static const struct key *
key_of(const struct tokens *t, const char *algorithm)
{
	return t->keys[tokens_find(algorithm)];
}

static char *
copy(const char *text)
{
	char *made = strdup(text);

	assert_non_null(made);
	return made;
}

static void
token_is_good_again_and_its_neighbours_are_not(void **state)
{
	const struct tokens *t = *state;

	for (size_t i = 0; i < TOKENS_ALGORITHMS; i++) {
		char *token = tokens_of(t->keys[i], TOKENS_CLAIMS);
		size_t length = strlen(token);

		tokens_assert_good(t->verifier, copy(token));
		tokens_assert_good(t->verifier, copy(token));
		for (size_t at = 0; at < length; at += length / 40 + 1) {
			char was = token[at];

			token[at] = was == 'A' ? 'B' : 'A';
			tokens_assert_refused_bytes(t->verifier, token, length);
			token[at] = was;
		}
		tokens_assert_refused_bytes(t->verifier, token, length - 1);
		tokens_assert_good(t->verifier, token);
	}
}

static void
claims_are_judged_each_time(void **state)
{
	const struct tokens *t = *state;
	char *token = tokens_of(key_of(t, "RS512"), TOKENS_CLAIMS);
	const int64_t times[] = {TOKENS_NOW, TOKENS_NOW, TOKENS_NOW + 600, TOKENS_NOW - 600};

	for (size_t i = 0; i < 4; i++) {
		struct verified v;
		struct error e = {0};

		assert_int_equal(
		    verifier_verify(t->verifier, token, strlen(token), times[i], &v, &e),
		    i < 2 ? 0 : -1);
		verified_free(&v);
	}
	free(token);
}

static void
key_that_is_gone_has_signed_nothing(void **state)
{
	const struct tokens *t = *state;
	struct verifier *v = tokens_verifier(t, key_of(t, "ES256"));
	char *token = tokens_of(key_of(t, "ES256"), TOKENS_CLAIMS);
	struct key *others[] = {t->others[tokens_find("ES256")]};

	tokens_assert_good(v, copy(token));
	tokens_set_own(v, others, 1);
	tokens_assert_refused(v, token, "its signature");
	verifier_free(v);
}

static void
memo_is_of_a_token_and_a_key(void **state)
{
	struct memo *m = memo_new();
	char a[DIGEST_TEXT], b[DIGEST_TEXT], one[DIGEST_TEXT], other[DIGEST_TEXT];
	struct error e;

	(void)state;
	assert_non_null(m);
	assert_int_equal(memo_digest(a, "a", 1, &e), 0);
	assert_int_equal(memo_digest(b, "b", 1, &e), 0);
	assert_int_equal(memo_digest(one, "1", 1, &e), 0);
	assert_int_equal(memo_digest(other, "2", 1, &e), 0);
	assert_false(memo_has(m, a, one));
	memo_add(m, a, one);
	assert_true(memo_has(m, a, one));
	assert_false(memo_has(m, a, other));
	assert_false(memo_has(m, b, one));
	/* In the same place, but another one. */
	memcpy(b, a, sizeof(b));
	b[DIGEST_TEXT - 2] ^= 1;
	assert_false(memo_has(m, b, one));
	memo_add(m, b, one);
	assert_false(memo_has(m, a, one));
	memo_free(m);
}

/* One RSA key for two algorithms is two keys. */
static void
key_is_known_by_its_algorithm_too(void **state)
{
	const struct tokens *t = *state;
	const char *const algorithms[] = {"RS512", "PS512", "RS512"};
	struct public_key *keys[3];
	struct buffer pem;
	char path[256];
	struct error e = {0};

	(void)snprintf(path, sizeof(path), "%s/RS512.pub", t->directory);
	buffer_init(&pem, LIMIT_KEY_FILE);
	assert_int_equal(file_read(path, &pem, NULL, &e), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
		    public_key_from_pem(&keys[i], pem.data, pem.length, algorithms[i], "t", &e),
		    0);
	assert_string_not_equal(public_key_digest(keys[0]), public_key_digest(keys[1]));
	assert_string_equal(public_key_digest(keys[0]), public_key_digest(keys[2]));
	for (size_t i = 0; i < 3; i++)
		public_key_free(keys[i]);
	buffer_free(&pem);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tokens_enter, tokens_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(token_is_good_again_and_its_neighbours_are_not),
	    TEST(claims_are_judged_each_time),
	    TEST(key_that_is_gone_has_signed_nothing),
	    TEST(key_is_known_by_its_algorithm_too),
	    cmocka_unit_test(memo_is_of_a_token_and_a_key),
	};

	return cmocka_run_group_tests(tests, tokens_make, tokens_free);
}
