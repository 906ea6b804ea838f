/* jose: what the claims of a token that is rightly signed must say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tokens.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define GOOD "\"sub\":\"alice\",\"exp\":1800000010"

/* Claims, and a part of the reason why not; NULL: they hold. */
struct row {
	const char *claims;
	const char *reason;
};

static void
judge(const struct tokens *t, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *token = tokens_of(t->keys[tokens_find("EdDSA")], rows[i].claims);

		if (rows[i].reason == NULL)
			tokens_assert_good(t->verifier, token);
		else
			tokens_assert_refused(t->verifier, token, rows[i].reason);
	}
}

/* --- whole tokens --- */

static void
payload_that_is_not_one_plain_object_is_refused(void **state)
{
	static const struct row rows[] = {
	    {"{" GOOD "}", NULL},
	    {" {" GOOD "}\n", NULL},
	    {"Payload", "its payload is not JSON"},
	    {"[]", "its payload is not a JSON object"},
	    {"[{" GOOD "}]", "its payload is not a JSON object"},
	    {"\"alice\"", "its payload is not JSON"},
	    {"{" GOOD "}}", "its payload is not JSON"},
	    {"{" GOOD "}{}", "its payload is not JSON"},
	    {"{" GOOD "} x", "its payload is not JSON"},
	    {"{" GOOD, "its payload is not JSON"},
	    {"{" GOOD ",}", "its payload is not JSON"},
	    {"{" GOOD ",\"a\":NaN}", "its payload is not JSON"},
	    {"{" GOOD ",\"a\":01}", "its payload is not JSON"},
	    {"{" GOOD "/**/}", "its payload is not JSON"},
	    {"\xef\xbb\xbf{" GOOD "}", "its payload is not JSON"},
	    {"{" GOOD ",\"sub\":\"root\"}", "duplicate"},
	    {"{\"sub\":\"root\"," GOOD "}", "duplicate"},
	    {"{" GOOD ",\"s\\u0075b\":\"root\"}", "duplicate"},
	    {"{" GOOD ",\"a\":{\"b\":1,\"b\":1}}", "duplicate"},
	    {"{" GOOD ",\"a\":[{\"b\":{\"c\":1,\"c\":2}}]}", "duplicate"},
	    {"{" GOOD ",\"a\":\"\\u0000\"}", "its payload is not JSON"},
	    {"{" GOOD ",\"a\\u0000\":1}", "its payload is not JSON"},
	    {"{" GOOD ",\"a\":\"\xc0\xaf\"}", "its payload is not JSON"},
	    {"{" GOOD ",\"a\":\"\\ud800\"}", "its payload is not JSON"},
	    {"{" GOOD ",\"a\":1e400}", "real number overflow"},
	    {"{" GOOD ",\"a\":-1e400}", "real number overflow"},
	    {"{" GOOD ",\"a\":9223372036854775808}", "too big"},
	    {"{" GOOD ",\"a\":9223372036854775807}", NULL},
	    {"{" GOOD ",\"a\":1.5}", NULL},
	};

	judge(*state, rows, COUNT(rows));
}

/* --- times --- */

static void
times_that_are_no_whole_numbers_are_refused(void **state)
{
	static const char *const values[] = {"\"1800000010\"", "1800000010.0", "1800000010.5",
	    "1.8e9", "-1", "-9223372036854775808", "null", "true", "[1800000010]", "{}",
	    "\"\""};
	static const char *const overflows[] = {"9223372036854775808", "18446744073709551616",
	    "1e400", "-9223372036854775809", "99999999999999999999999999"};
	static const char *const names[] = {"exp", "nbf", "iat"};
	const struct tokens *t = *state;
	char claims[256], reason[64];

	for (size_t i = 0; i < COUNT(names); i++) {
		const char *rest = i == 0 ? "\"sub\":\"alice\"" : GOOD;

		(void)snprintf(reason, sizeof(reason), "its %s is not an integer", names[i]);
		for (size_t n = 0; n < COUNT(values); n++) {
			const struct row row = {claims, reason};

			(void)snprintf(claims, sizeof(claims), "{%s,\"%s\":%s}", rest, names[i],
			    values[n]);
			judge(t, &row, 1);
		}
		for (size_t n = 0; n < COUNT(overflows); n++) {
			const struct row row = {claims, "its payload is not JSON"};

			(void)snprintf(claims, sizeof(claims), "{%s,\"%s\":%s}", rest, names[i],
			    overflows[n]);
			judge(t, &row, 1);
		}
	}
}

/* At 1,800,000,000 with clocks that may differ by 60 seconds, to the second. */
static void
times_hold_to_the_second(void **state)
{
	static const struct row rows[] = {
	    {"{\"sub\":\"alice\"}", "it has no exp"},
	    {"{\"sub\":\"alice\",\"exp\":1799999941}", NULL},
	    {"{\"sub\":\"alice\",\"exp\":1799999940}", "it expired at 1799999940"},
	    {"{\"sub\":\"alice\",\"exp\":0}", "it expired"},
	    {"{\"sub\":\"alice\",\"exp\":9223372036854775807}", NULL},
	    {"{" GOOD ",\"nbf\":1800000060}", NULL},
	    {"{" GOOD ",\"nbf\":1800000061}", "its nbf is in the future"},
	    {"{" GOOD ",\"nbf\":9223372036854775807}", "its nbf is in the future"},
	    {"{" GOOD ",\"nbf\":0}", NULL},
	    {"{" GOOD ",\"iat\":1800000060}", NULL},
	    {"{" GOOD ",\"iat\":1800000061}", "its iat is in the future"},
	    {"{" GOOD ",\"iat\":9223372036854775807}", "its iat is in the future"},
	    {"{" GOOD ",\"iat\":0}", NULL},
	};

	judge(*state, rows, COUNT(rows));
}

/* The verdict of claims_check() alone. */
static bool
holds(const char *text, const struct claims_rules *rules, int64_t now, int64_t skew,
    const char *user)
{
	json_t *claims = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct error e = {0};
	const char *got;
	bool good;

	assert_non_null(claims);
	good = claims_check(claims, rules, now, skew, &got, &e) == 0;
	if (good)
		assert_string_equal(got, user);
	else
		assert_null(got);
	json_decref(claims);
	return good;
}

static void
without_skew_not_a_second_is_given(void **state)
{
	static const char text[] = "{\"sub\":\"alice\",\"nbf\":100,\"iat\":110,\"exp\":200}";
	const struct claims_rules rules = {.user_claim = "sub"};

	(void)state;
	assert_false(holds(text, &rules, 99, 0, "alice"));
	assert_false(holds(text, &rules, 100, 0, "alice")); /* its iat */
	assert_false(holds(text, &rules, 109, 0, "alice"));
	assert_true(holds(text, &rules, 110, 0, "alice"));
	assert_true(holds(text, &rules, 199, 0, "alice"));
	assert_false(holds(text, &rules, 200, 0, "alice"));
	assert_true(holds(text, &rules, 209, 10, "alice"));
	assert_false(holds(text, &rules, 210, 10, "alice"));
	assert_true(holds(text, &rules, 100, 10, "alice"));
	assert_false(holds(text, &rules, 99, 10, "alice"));
}

/* --- issuer, audience --- */

static void
issuer_is_one_of_those_that_are_expected(void **state)
{
	char *issuers[] = {(char[]){"https://a.example"}, (char[]){"b"}};
	const struct claims_rules rules = {
	    .issuers = issuers, .issuer_count = 2, .user_claim = "sub"};
	const struct claims_rules any = {.user_claim = "sub"};

	(void)state;
	assert_true(holds("{\"sub\":\"a\",\"exp\":9,\"iss\":\"b\"}", &rules, 1, 0, "a"));
	assert_true(holds(
	    "{\"sub\":\"a\",\"exp\":9,\"iss\":\"https://a.example\"}", &rules, 1, 0, "a"));
	assert_false(holds(
	    "{\"sub\":\"a\",\"exp\":9,\"iss\":\"https://a.example/\"}", &rules, 1, 0, ""));
	assert_false(
	    holds("{\"sub\":\"a\",\"exp\":9,\"iss\":\"https://A.example\"}", &rules, 1, 0, ""));
	assert_false(holds("{\"sub\":\"a\",\"exp\":9,\"iss\":\"\"}", &rules, 1, 0, ""));
	assert_false(holds("{\"sub\":\"a\",\"exp\":9,\"iss\":[\"b\"]}", &rules, 1, 0, ""));
	assert_false(holds("{\"sub\":\"a\",\"exp\":9}", &rules, 1, 0, ""));
	assert_true(holds("{\"sub\":\"a\",\"exp\":9}", &any, 1, 0, "a"));
	assert_true(holds("{\"sub\":\"a\",\"exp\":9,\"iss\":\"c\"}", &any, 1, 0, "a"));
	assert_false(holds("{\"sub\":\"a\",\"exp\":9,\"iss\":1}", &any, 1, 0, ""));
}

#define WITHOUT "{\"sub\":\"a\",\"exp\":9}"
#define AUD(value) "{\"sub\":\"a\",\"exp\":9,\"aud\":" value "}"

/* RFC 7519, 4.1.3: who is not among them must refuse. */
static void
audience_is_for_us_or_the_token_is_refused(void **state)
{
	char *ours[] = {(char[]){"us"}, (char[]){"we"}};
	char *any[] = {(char[]){AUDIENCE_ANY}};
	const struct claims_rules nobody = {.user_claim = "sub"};
	const struct claims_rules us = {
	    .audiences = ours, .audience_count = 2, .user_claim = "sub"};
	const struct claims_rules all = {
	    .audiences = any, .audience_count = 1, .user_claim = "sub"};
	struct claims_rules strict = us;
	struct claims_rules strict_nobody = nobody;
	static const char *const wrong[] = {AUD("\"them\""), AUD("\"\""), AUD("[]"),
	    AUD("[\"them\"]"), AUD("1"), AUD("null"), AUD("{\"us\":1}"), AUD("[\"us\",1]"),
	    AUD("[[\"us\"]]"), AUD("\"US\""), AUD("\"us \""), AUD("\"*\""), AUD("[\"*\"]")};

	(void)state;
	strict.audience_required = true;
	strict_nobody.audience_required = true;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_false(holds(wrong[i], &nobody, 1, 0, ""));
		assert_false(holds(wrong[i], &us, 1, 0, ""));
		assert_false(holds(wrong[i], &strict, 1, 0, ""));
	}
	assert_true(holds(WITHOUT, &nobody, 1, 0, "a"));
	assert_true(holds(WITHOUT, &strict_nobody, 1, 0, "a"));
	assert_false(holds(AUD("\"us\""), &nobody, 1, 0, ""));
	assert_true(holds(WITHOUT, &us, 1, 0, "a"));
	assert_false(holds(WITHOUT, &strict, 1, 0, ""));
	assert_true(holds(AUD("\"us\""), &us, 1, 0, "a"));
	assert_true(holds(AUD("\"we\""), &strict, 1, 0, "a"));
	assert_true(holds(AUD("[\"them\",\"us\"]"), &strict, 1, 0, "a"));
	assert_true(holds(AUD("\"them\""), &all, 1, 0, "a"));
	assert_true(holds(WITHOUT, &all, 1, 0, "a"));
	assert_false(holds(AUD("7"), &all, 1, 0, ""));
	assert_false(holds(AUD("[7]"), &all, 1, 0, ""));
}

/* --- user and groups --- */

static void
user_is_a_plain_text(void **state)
{
	static const struct row rows[] = {
	    {"{\"exp\":1800000010}", "it has no sub"},
	    {"{\"exp\":1800000010,\"sub\":\"\"}", "its sub is empty"},
	    {"{\"exp\":1800000010,\"sub\":null}", "no plain text"},
	    {"{\"exp\":1800000010,\"sub\":7}", "no plain text"},
	    {"{\"exp\":1800000010,\"sub\":[\"alice\"]}", "no plain text"},
	    {"{\"exp\":1800000010,\"sub\":\"a\\nb\"}", "no plain text"},
	    {"{\"exp\":1800000010,\"sub\":\"a\\u007fb\"}", "no plain text"},
	    {"{\"exp\":1800000010,\"Sub\":\"alice\"}", "it has no sub"},
	};
	const struct claims_rules rules = {.user_claim = "preferred_username"};
	char claims[512], name[LIMIT_PRINCIPAL + 1] = "";
	const struct row longest = {claims, "too long"};

	judge(*state, rows, COUNT(rows));
	memset(name, 'a', LIMIT_PRINCIPAL);
	(void)snprintf(claims, sizeof(claims), "{\"exp\":1800000010,\"sub\":\"%s\"}", name);
	judge(*state, &longest, 1);
	assert_true(holds("{\"exp\":9,\"sub\":\"x\",\"preferred_username\":\"Zo\xc3\xab\"}",
	    &rules, 1, 0, "Zo\xc3\xab"));
	assert_false(holds("{\"exp\":9,\"sub\":\"x\"}", &rules, 1, 0, ""));
}

static void
groups_are_a_list_of_plain_texts(void **state)
{
	static const struct row rows[] = {
	    {"{" GOOD ",\"groups\":[]}", NULL},
	    {"{" GOOD ",\"groups\":[\"a\",\"b c\"]}", NULL},
	    {"{" GOOD ",\"groups\":\"root\"}", "its groups are not a list"},
	    {"{" GOOD ",\"groups\":null}", "its groups are not a list"},
	    {"{" GOOD ",\"groups\":{\"root\":1}}", "its groups are not a list"},
	    {"{" GOOD ",\"groups\":[\"a\",1]}", "one of its groups"},
	    {"{" GOOD ",\"groups\":[[\"a\"]]}", "one of its groups"},
	    {"{" GOOD ",\"groups\":[\"\"]}", "one of its groups"},
	    {"{" GOOD ",\"groups\":[\"a\\nroot\"]}", "one of its groups"},
	};

	judge(*state, rows, COUNT(rows));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tokens_enter, tokens_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(payload_that_is_not_one_plain_object_is_refused),
	    TEST(times_that_are_no_whole_numbers_are_refused),
	    TEST(times_hold_to_the_second),
	    TEST(without_skew_not_a_second_is_given),
	    TEST(issuer_is_one_of_those_that_are_expected),
	    TEST(audience_is_for_us_or_the_token_is_refused),
	    TEST(user_is_a_plain_text),
	    TEST(groups_are_a_list_of_plain_texts),
	};

	return cmocka_run_group_tests(tests, tokens_make, tokens_free);
}
