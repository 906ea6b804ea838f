/* jose: tokens in another form than the one that there is, with other bits, or cut. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "tests/unit/tokens.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- form --- */

/* Tries the token with something put in at every place, before each byte and at its end. */
static void
assert_refused_with(const struct tokens *t, const char *token, const char *bytes, size_t count)
{
	size_t length = strlen(token);
	char *copy = malloc(length + count + 1);

	assert_non_null(copy);
	for (size_t at = 0; at <= length; at++) {
		memcpy(copy, token, at);
		memcpy(copy + at, bytes, count);
		memcpy(copy + at + count, token + at, length - at + 1);
		tokens_assert_refused_bytes(t->verifier, copy, length + count);
	}
	free(copy);
}

static void
bytes_put_in_anywhere_are_refused(void **state)
{
	static const char stray[] = {'=', '+', '/', '?', '.', ' ', '\n', '\r', '\t', '\0', 'A',
	    '%', '~', ',', (char)0x80, (char)0xff};
	const struct tokens *t = *state;
	char *token = tokens_of(t->keys[tokens_find("EdDSA")], TOKENS_CLAIMS);

	for (size_t i = 0; i < COUNT(stray); i++)
		assert_refused_with(t, token, &stray[i], 1);
	assert_refused_with(t, token, "==", 2);
	assert_refused_with(t, token, "\r\n", 2);
	tokens_assert_good(t->verifier, token);
}

static void
bytes_put_in_place_of_others_are_refused(void **state)
{
	static const char stray[] = {'=', '+', '/', '?', '.', ' ', '\n', '\0'};
	const struct tokens *t = *state;
	char *token = tokens_of(t->keys[tokens_find("EdDSA")], TOKENS_CLAIMS);
	size_t length = strlen(token);

	for (size_t at = 0; at < length; at++) {
		char was = token[at];

		for (size_t i = 0; i < COUNT(stray); i++) {
			if (stray[i] == was)
				continue;
			token[at] = stray[i];
			tokens_assert_refused_bytes(t->verifier, token, length);
		}
		token[at] = was;
	}
	tokens_assert_good(t->verifier, token);
}

static void
every_bit_that_is_flipped_is_noticed(void **state)
{
	static const char *const algorithms[] = {"EdDSA", "RS256", "ES256"};
	const struct tokens *t = *state;

	for (size_t n = 0; n < COUNT(algorithms); n++) {
		char *token = tokens_of(t->keys[tokens_find(algorithms[n])], TOKENS_CLAIMS);
		size_t length = strlen(token);

		for (size_t bit = 0; bit < 8 * length; bit++) {
			token[bit / 8] = (char)(token[bit / 8] ^ 1 << bit % 8);
			tokens_assert_refused_bytes(t->verifier, token, length);
			token[bit / 8] = (char)(token[bit / 8] ^ 1 << bit % 8);
		}
		tokens_assert_good(t->verifier, token);
	}
}

static void
every_piece_of_a_token_is_refused(void **state)
{
	const struct tokens *t = *state;
	char *token = tokens_of(t->keys[tokens_find("EdDSA")], TOKENS_CLAIMS);
	size_t length = strlen(token);

	for (size_t i = 0; i < length; i++) {
		tokens_assert_refused_bytes(t->verifier, token, i);
		tokens_assert_refused_bytes(t->verifier, token + i + 1, length - i - 1);
	}
	tokens_assert_refused_bytes(t->verifier, token, length + 1); /* and its NUL */
	tokens_assert_good(t->verifier, token);
}

static void
other_than_three_parts_are_refused(void **state)
{
	const struct tokens *t = *state;
	char *token = tokens_of(t->keys[tokens_find("EdDSA")], TOKENS_CLAIMS);
	char *payload = strchr(token, '.') + 1;
	char *signature = strchr(payload, '.') + 1;

	payload[-1] = '\0';
	signature[-1] = '\0';
	tokens_assert_refused(t->verifier, tokens_join("", payload, signature), "empty");
	tokens_assert_refused(t->verifier, tokens_join(token, "", signature), "empty");
	tokens_assert_refused(t->verifier, tokens_join(token, payload, ""), "empty");
	tokens_assert_refused(t->verifier, tokens_join("", "", ""), "empty");
	tokens_assert_refused(t->verifier, strdup(""), "three parts");
	tokens_assert_refused(t->verifier, strdup("."), "three parts");
	tokens_assert_refused(t->verifier, strdup("...."), "more than three parts");
	{
		char *four = tokens_join(token, payload, signature);
		char *more = tokens_join(four, signature, ""), *less;

		more[strlen(more) - 1] = '\0';
		tokens_assert_refused(t->verifier, more, "more than three parts");
		less = strdup(four);
		*strrchr(less, '.') = '\0';
		tokens_assert_refused(t->verifier, less, "three parts");
		tokens_assert_good(t->verifier, four);
	}
	free(token);
}

static void
token_longer_than_its_bound_is_refused(void **state)
{
	const struct tokens *t = *state;
	char *claims = malloc(LIMIT_TOKEN), *token;
	size_t length;

	assert_non_null(claims);
	length = (size_t)snprintf(claims, LIMIT_TOKEN, "%.*s,\"pad\":\"",
	    (int)strlen(TOKENS_CLAIMS) - 1, TOKENS_CLAIMS);
	memset(claims + length, 'x', 12100 - length);
	memcpy(claims + 12100, "\"}", 3);
	token = tokens_of(t->keys[tokens_find("EdDSA")], claims);
	assert_in_range(strlen(token), LIMIT_TOKEN - 400, LIMIT_TOKEN);
	tokens_assert_good(t->verifier, token);
	memset(claims + 12100, 'x', 300);
	memcpy(claims + 12400, "\"}", 3);
	tokens_assert_refused(t->verifier, tokens_of(t->keys[tokens_find("EdDSA")], claims),
	    "longer than 16384 bytes");
	free(claims);
}

/* --- signatures --- */

/* The token with this signature in place of its own. */
static char *
with_signature(const char *token, const char *bytes, size_t length)
{
	struct buffer whole;
	char *copy;

	buffer_init(&whole, (size_t)2 * LIMIT_TOKEN);
	assert_int_equal(
	    buffer_append(&whole, token, (size_t)(strrchr(token, '.') + 1 - token)), 0);
	assert_int_equal(base64url_append(&whole, bytes, length), 0);
	copy = strdup(whole.data);
	buffer_free(&whole);
	return copy;
}

static void
signature_of_another_length_is_refused(void **state)
{
	const struct tokens *t = *state;
	char *zeros = calloc(1, 10240);

	assert_non_null(zeros);
	for (size_t i = 0; i < TOKENS_ALGORITHMS; i++) {
		char *token = tokens_of(t->keys[i], TOKENS_CLAIMS);
		const char *text = strrchr(token, '.') + 1;
		struct buffer right;
		char reason[64];

		buffer_init(&right, 1024);
		assert_int_equal(base64url_decode(&right, text, strlen(text)), 0);
		(void)snprintf(reason, sizeof(reason), "not of the %zu bytes", right.length);
		/* One less, in front and behind; one more, in front and behind. */
		tokens_assert_refused(
		    t->verifier, with_signature(token, right.data, right.length - 1), reason);
		tokens_assert_refused(t->verifier,
		    with_signature(token, right.data + 1, right.length - 1), reason);
		memcpy(zeros + 1, right.data, right.length);
		tokens_assert_refused(
		    t->verifier, with_signature(token, zeros, right.length + 1), reason);
		tokens_assert_refused(
		    t->verifier, with_signature(token, zeros + 1, right.length + 1), reason);
		memset(zeros, 0, 10240);
		tokens_assert_refused(t->verifier, with_signature(token, zeros, 1), reason);
		tokens_assert_refused(t->verifier, with_signature(token, zeros, 10240), reason);
		/* Of the right length; r and s of zero make a defective ECDSA say yes. */
		tokens_assert_refused(
		    t->verifier, with_signature(token, zeros, right.length), "is wrong");
		buffer_free(&right);
		tokens_assert_good(t->verifier, token);
	}
	free(zeros);
}

/* DER, as OpenSSL has ECDSA signatures, is not JWS's form (RFC 7518, 3.4). */
static void
ecdsa_signature_in_der_is_refused(void **state)
{
	const struct tokens *t = *state;
	char *token = tokens_of(t->keys[tokens_find("ES256")], TOKENS_CLAIMS);
	char der[72] = {0x30, 70, 2, 33, 0};
	const char *text = strrchr(token, '.') + 1;
	struct buffer right;

	buffer_init(&right, 64);
	assert_int_equal(base64url_decode(&right, text, strlen(text)), 0);
	memcpy(der + 5, right.data, 32);
	der[37] = 2;
	der[38] = 33;
	memcpy(der + 40, right.data + 32, 32);
	tokens_assert_refused(
	    t->verifier, with_signature(token, der, sizeof(der)), "not of the 64 bytes");
	buffer_free(&right);
	tokens_assert_good(t->verifier, token);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tokens_enter, tokens_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(bytes_put_in_anywhere_are_refused),
	    TEST(bytes_put_in_place_of_others_are_refused),
	    TEST(every_bit_that_is_flipped_is_noticed),
	    TEST(every_piece_of_a_token_is_refused),
	    TEST(other_than_three_parts_are_refused),
	    TEST(token_longer_than_its_bound_is_refused),
	    TEST(signature_of_another_length_is_refused),
	    TEST(ecdsa_signature_in_der_is_refused),
	};

	return cmocka_run_group_tests(tests, tokens_make, tokens_free);
}
