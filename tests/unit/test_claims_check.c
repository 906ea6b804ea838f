/* jose: whether claims hold, whoever has signed them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "jose/claims_check.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { NOW = 1700000000, SKEW = 60 };

static char *issuers[] = {"https://first.example", "https://second.example"};
static char *audiences[] = {"okera", "spark"};
static char *any[] = {"okera", AUDIENCE_ANY};

/* What one check says of "sub", "exp" and more members; the reason when it is refused. */
static void
check(const struct claims_rules *rules, const char *more, const char *reason)
{
	char text[512];
	const char *user = "x";
	struct error e = {0};
	json_t *claims;
	int rc;

	(void)snprintf(text, sizeof(text), "{\"sub\":\"alice\",\"exp\":%d%s%s}", NOW,
	    *more != '\0' ? "," : "", more);
	claims = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(claims);
	rc = claims_check(claims, rules, NOW, SKEW, &user, &e);
	if (rc != (reason == NULL ? 0 : -1) ||
	    (reason != NULL && strstr(e.detail, reason) == NULL))
		fail_msg("%s: %d, %s", text, rc, e.detail);
	if (rc == 0) {
		assert_string_equal(user, "alice");
	} else {
		assert_null(user);
		assert_int_equal(e.code, ERROR_UNAUTHENTICATED);
	}
	json_decref(claims);
}

static void
audiences_are_compared_by_the_table(void **state)
{
	static const struct claims_rules nobody = {.user_claim = "sub"};
	static const struct claims_rules ours = {
	    .user_claim = "sub", .audiences = audiences, .audience_count = 2};
	static const struct claims_rules required = {.user_claim = "sub",
	    .audiences = audiences,
	    .audience_count = 2,
	    .audience_required = true};
	static const struct claims_rules all = {.user_claim = "sub",
	    .audiences = any,
	    .audience_count = 2,
	    .audience_required = true};
	static const struct claims_rules none_required = {
	    .user_claim = "sub", .audience_required = true};
	static const struct {
		const struct claims_rules *rules;
		const char *more, *reason;
	} rows[] = {
	    {&nobody, "", NULL},
	    {&nobody, "\"aud\":\"okera\"", "no audience is configured"},
	    {&nobody, "\"aud\":[]", "no audience is configured"},
	    {&ours, "", NULL},
	    {&ours, "\"aud\":\"okera\"", NULL},
	    {&ours, "\"aud\":\"spark\"", NULL},
	    {&ours, "\"aud\":\"Okera\"", "is not expected"},
	    {&ours, "\"aud\":\"\"", "is not expected"},
	    {&ours, "\"aud\":[]", "is not expected"},
	    {&ours, "\"aud\":[\"x\",\"spark\"]", NULL},
	    {&ours, "\"aud\":[\"spark\",\"x\"]", NULL},
	    {&ours, "\"aud\":[\"x\",\"y\"]", "is not expected"},
	    {&ours, "\"aud\":[\"spark\",1]", "something else than strings"},
	    {&ours, "\"aud\":[[\"spark\"]]", "something else than strings"},
	    {&ours, "\"aud\":1", "neither a string nor a list"},
	    {&ours, "\"aud\":null", "neither a string nor a list"},
	    {&ours, "\"aud\":{\"0\":\"okera\"}", "neither a string nor a list"},
	    {&required, "", "it has no aud"},
	    {&required, "\"aud\":\"okera\"", NULL},
	    {&all, "", NULL},
	    {&all, "\"aud\":\"x\"", NULL},
	    {&all, "\"aud\":[\"x\"]", NULL},
	    {&all, "\"aud\":[\"x\",1]", "something else than strings"},
	    {&none_required, "", NULL},
	    {&none_required, "\"aud\":\"okera\"", "no audience is configured"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(rows[i].rules, rows[i].more, rows[i].reason);
}

static void
issuers_are_compared_byte_by_byte(void **state)
{
	static const struct claims_rules anyone = {.user_claim = "sub"};
	static const struct claims_rules two = {
	    .user_claim = "sub", .issuers = issuers, .issuer_count = 2};
	static const struct {
		const struct claims_rules *rules;
		const char *more, *reason;
	} rows[] = {
	    {&anyone, "", NULL},
	    {&anyone, "\"iss\":\"x\"", NULL},
	    {&anyone, "\"iss\":1", "its iss is not a string"},
	    {&anyone, "\"iss\":[\"https://first.example\"]", "its iss is not a string"},
	    {&two, "", "it has no iss"},
	    {&two, "\"iss\":\"https://first.example\"", NULL},
	    {&two, "\"iss\":\"https://second.example\"", NULL},
	    {&two, "\"iss\":\"https://first.example/\"", "which is not expected"},
	    {&two, "\"iss\":\"https://First.example\"", "which is not expected"},
	    {&two, "\"iss\":\"\"", "which is not expected"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(rows[i].rules, rows[i].more, rows[i].reason);
}

static void
groups_are_a_bounded_list_of_plain_texts(void **state)
{
	static const struct claims_rules rules = {.user_claim = "sub"};
	static const struct {
		const char *more, *reason;
	} rows[] = {
	    {"\"groups\":[]", NULL},
	    {"\"groups\":[\"etl\",\"dev\"]", NULL},
	    {"\"groups\":\"etl\"", "are not a list"},
	    {"\"groups\":null", "are not a list"},
	    {"\"groups\":{\"0\":\"etl\"}", "are not a list"},
	    {"\"groups\":[1]", "not a plain text"},
	    {"\"groups\":[\"\"]", "not a plain text"},
	    {"\"groups\":[\"etl\",\"a\\nb\"]", "not a plain text"},
	    {"\"groups\":[[]]", "not a plain text"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(&rules, rows[i].more, rows[i].reason);
}

static void
more_groups_than_there_may_be_are_refused(void **state)
{
	static const struct claims_rules rules = {.user_claim = "sub"};
	json_t *groups = json_array();
	json_t *claims =
	    json_pack("{s:s,s:i,s:o}", "sub", "alice", "exp", NOW, "groups", groups);
	const char *user;
	struct error e = {0};

	(void)state;
	for (int i = 0; i < LIMIT_GROUP_COUNT; i++)
		assert_int_equal(json_array_append_new(groups, json_string("g")), 0);
	assert_int_equal(claims_check(claims, &rules, NOW, SKEW, &user, &e), 0);
	assert_int_equal(json_array_append_new(groups, json_string("g")), 0);
	assert_int_equal(claims_check(claims, &rules, NOW, SKEW, &user, &e), -1);
	assert_non_null(strstr(e.detail, "not a list of at most"));
	json_decref(claims);
}

/* One byte less is not. */
static void
text_that_is_too_long_is_refused(void **state)
{
	static const struct claims_rules rules = {.user_claim = "sub"};
	static const struct {
		size_t user, group;
		const char *reason;
	} rows[] = {{LIMIT_PRINCIPAL - 1, LIMIT_GROUP_NAME - 1, NULL},
	    {LIMIT_PRINCIPAL, 1, "its sub is empty, too long"},
	    {1, LIMIT_GROUP_NAME, "one of its groups is not a plain text"}};
	static char user[LIMIT_PRINCIPAL + 1], group[LIMIT_GROUP_NAME + 1];
	struct error e;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *found;
		json_t *claims;
		int rc;

		memset(user, 'u', sizeof(user));
		memset(group, 'g', sizeof(group));
		user[rows[i].user] = group[rows[i].group] = '\0';
		claims = json_pack("{s:s,s:i,s:[s]}", "sub", user, "exp", NOW, "groups", group);
		assert_non_null(claims);
		rc = claims_check(claims, &rules, NOW, SKEW, &found, &e);
		assert_int_equal(rc, rows[i].reason == NULL ? 0 : -1);
		if (rc == -1)
			assert_non_null(strstr(e.detail, rows[i].reason));
		json_decref(claims);
	}
}

static void
times_are_whole_numbers_from_0_on_within_the_skew(void **state)
{
	static const struct claims_rules rules = {.user_claim = "sub"};
	static const struct {
		const char *more, *reason;
	} rows[] = {
	    {"\"nbf\":1700000060,\"iat\":1700000060", NULL},
	    {"\"nbf\":1700000061", "its nbf is in the future"},
	    {"\"iat\":1700000061", "its iat is in the future"},
	    {"\"nbf\":9223372036854775807", "its nbf is in the future"},
	    {"\"nbf\":0,\"iat\":0", NULL},
	    {"\"nbf\":-1", "its nbf is not an integer from 0 on"},
	    {"\"iat\":-9223372036854775808", "its iat is not an integer from 0 on"},
	    {"\"iat\":1.0", "its iat is not an integer"},
	    {"\"iat\":\"1\"", "its iat is not an integer"},
	    {"\"nbf\":true", "its nbf is not an integer"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(&rules, rows[i].more, rows[i].reason);
}

static void
the_user_is_a_plain_text_of_the_claim_that_was_named(void **state)
{
	static const struct {
		const char *claim, *more, *reason;
	} rows[] = {
	    {"upn", "\"upn\":\"alice\"", NULL},
	    {"upn", "\"x\":1", "it has no upn"},
	    {"upn", "\"upn\":\"\"", "its upn is empty"},
	    {"upn", "\"upn\":1", "its upn is empty"},
	    {"upn", "\"upn\":[\"alice\"]", "its upn is empty"},
	    {"upn", "\"upn\":\"a\\tb\"", "its upn is empty"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct claims_rules rules = {.user_claim = rows[i].claim};

		check(&rules, rows[i].more, rows[i].reason);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(audiences_are_compared_by_the_table),
	    cmocka_unit_test(issuers_are_compared_byte_by_byte),
	    cmocka_unit_test(groups_are_a_bounded_list_of_plain_texts),
	    cmocka_unit_test(more_groups_than_there_may_be_are_refused),
	    cmocka_unit_test(text_that_is_too_long_is_refused),
	    cmocka_unit_test(times_are_whole_numbers_from_0_on_within_the_skew),
	    cmocka_unit_test(the_user_is_a_plain_text_of_the_claim_that_was_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
