/* signer: the type, the audience and the names that a profile gives to a token. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/shapes.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const one[] = {"okera", NULL};
static const char *const two[] = {"okera", "trino", NULL};

/* --- type, audience, times --- */

static void
token_without_a_profile_has_the_five_claims(void **state)
{
	struct grant g = shapes_grant();
	struct claim_values v = shapes_values(&g);
	struct shapes_profile m;
	struct shape s;
	struct error e = {0};
	char *claims;

	(void)state;
	shapes_make(&m, "JWT", NULL, NULL, NULL);
	assert_int_equal(shape_open(&s, &m.config, NULL, &e), 0);
	assert_string_equal(s.type, "JWT");
	assert_string_equal(s.algorithm->name, "RS512");
	assert_true(s.kid);
	claims = claims_build(&s, &v);
	assert_string_equal(claims, "{" SHAPES_ALICE "}");
	free(claims);
	shape_close(&s);
}

static void
one_audience_is_a_string_and_several_are_an_array(void **state)
{
	struct shapes_profile m;

	(void)state;
	shapes_make(&m, "JWT", NULL, one, NULL);
	shapes_assert_more(&m, ",\"aud\":\"okera\"");
	shapes_make(&m, "JWT", NULL, two, NULL);
	shapes_assert_more(&m, ",\"aud\":[\"okera\",\"trino\"]");
}

static void
audience_of_the_grant_is_the_only_one(void **state)
{
	struct grant g = shapes_grant();
	struct claim_values v = shapes_values(&g);
	struct shapes_profile m;

	(void)state;
	shapes_make(&m, "JWT", NULL, two, NULL);
	(void)snprintf(g.audience, sizeof(g.audience), "trino");
	shapes_assert_claims(&m, &v, "{" SHAPES_ALICE ",\"aud\":\"trino\"}");
}

static void
nbf_is_the_time_of_issue(void **state)
{
	struct shapes_profile m;

	(void)state;
	shapes_make(&m, "JWT", NULL, one, NULL);
	m.profile.nbf = true;
	shapes_assert_more(&m, ",\"aud\":\"okera\",\"nbf\":1000");
}

/* RFC 9068, 2.2 */
static void
access_token_names_its_client(void **state)
{
	struct grant g = shapes_grant();
	struct claim_values v = shapes_values(&g);
	struct shapes_profile m;
	struct shape s;
	struct error e = {0};

	(void)state;
	shapes_make(&m, "at+jwt", NULL, one, NULL);
	(void)snprintf(g.actor, sizeof(g.actor), "carol");
	shapes_assert_claims(&m, &v,
	    "{" SHAPES_ALICE
	    ",\"aud\":\"okera\",\"act\":{\"sub\":\"carol\"},\"client_id\":\"carol\"}");
	assert_int_equal(shape_open(&s, &m.config, &m.profile, &e), 0);
	assert_string_equal(s.type, "at+jwt");
	shape_close(&s);
}

static void
access_token_needs_an_audience(void **state)
{
	struct shapes_profile m;

	(void)state;
	shapes_make(&m, "at+jwt", NULL, NULL, NULL);
	shapes_assert_refused(&m, "profile 'p': type at+jwt needs an audience");
}

/* --- algorithm and kid --- */

static void
profile_has_its_own_algorithm_and_kid(void **state)
{
	static const struct {
		const char *algorithm; /* NULL: none is said */
		enum config_kid whole, own;
		const char *want;
		bool kid;
	} rows[] = {
	    {NULL, KID_THUMBPRINT, KID_UNSET, "RS512", true},
	    {NULL, KID_NONE, KID_UNSET, "RS512", false},
	    {"rs256", KID_THUMBPRINT, KID_NONE, "RS256", false},
	    {"ES256", KID_NONE, KID_THUMBPRINT, "ES256", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct shapes_profile m;
		struct shape s;
		struct error e = {0};

		shapes_make(&m, "JWT", NULL, NULL, NULL);
		m.config.kid = rows[i].whole;
		m.profile.kid = rows[i].own;
		m.profile.algorithm = (char *)(uintptr_t)rows[i].algorithm;
		assert_int_equal(shape_open(&s, &m.config, &m.profile, &e), 0);
		assert_string_equal(s.algorithm->name, rows[i].want);
		assert_int_equal(s.kid, rows[i].kid);
		shape_close(&s);
	}
}

static void
algorithm_that_does_not_exist_is_told(void **state)
{
	struct shapes_profile m;

	(void)state;
	shapes_make(&m, "JWT", NULL, NULL, NULL);
	m.profile.algorithm = (char *)(uintptr_t) "HS256";
	shapes_assert_refused(
	    &m, "profile 'p': algorithm 'HS256' does not exist: one of " ALGORITHM_NAMES);
}

/* --- other names for claims --- */

static void
claims_are_renamed(void **state)
{
	static const struct {
		const char *rename[SHAPES_ITEMS];
		const char *claims;
		const char *want;
	} rows[] = {
	    {{"sub=username"}, NULL,
		"{\"username\":\"alice\",\"iss\":\"192.0.2.7\",\"iat\":1000,\"exp\":1060,"
		"\"jti\":\"id\",\"act\":{\"sub\":\"carol\"}}"},
	    {{"sub=sun", "jti=id", "act=by"}, "{\"username\":\"${subject}\"}",
		"{\"sun\":\"alice\",\"iss\":\"192.0.2.7\",\"iat\":1000,\"exp\":1060,"
		"\"id\":\"id\",\"by\":{\"sub\":\"carol\"},\"username\":\"alice\"}"},
	    {{"groups=roles"}, "{\"groups\":[\"a\"]}",
		"{" SHAPES_ALICE ",\"act\":{\"sub\":\"carol\"},\"roles\":[\"a\"]}"},
	    {{"sub=https://example.com/user"}, NULL,
		"{\"https://example.com/user\":\"alice\",\"iss\":\"192.0.2.7\",\"iat\":1000,"
		"\"exp\":1060,\"jti\":\"id\",\"act\":{\"sub\":\"carol\"}}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct grant g = shapes_grant();
		struct claim_values v = shapes_values(&g);
		struct shapes_profile m;

		(void)snprintf(g.actor, sizeof(g.actor), "carol");
		shapes_make(&m, "JWT", rows[i].claims, NULL, rows[i].rename);
		shapes_assert_claims(&m, &v, rows[i].want);
	}
}

static void
access_token_renames_groups_alone(void **state)
{
	static const char *const groups[] = {"groups=roles", NULL};
	static const char *const names[] = {"sub", "jti", "act", "client_id"};
	char pair[64], reason[256];
	struct shapes_profile m;

	(void)state;
	shapes_make(&m, "at+jwt", "{\"groups\":[]}", one, groups);
	shapes_assert_more(&m, ",\"aud\":\"okera\",\"client_id\":\"carol\",\"roles\":[]");
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *rename[] = {pair, NULL};

		(void)snprintf(pair, sizeof(pair), "%s=x", names[i]);
		(void)snprintf(reason, sizeof(reason),
		    "rename: '%s': type at+jwt wants the claim as it is called", pair);
		shapes_make(&m, "at+jwt", NULL, one, rename);
		shapes_assert_refused(&m, reason);
	}
}

/* To a verifier a token without "exp" would live for ever. */
static void
claims_that_verifiers_check_keep_their_names(void **state)
{
	static const char *const names[] = {
	    "exp", "iat", "nbf", "iss", "aud", "email", "Sub", "su"};
	char pair[64], reason[256];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *rename[] = {pair, NULL};
		struct shapes_profile m;

		(void)snprintf(pair, sizeof(pair), "%s=x", names[i]);
		(void)snprintf(reason, sizeof(reason),
		    "rename: '%s': sub, jti, act, client_id and groups can be renamed", pair);
		shapes_make(&m, "JWT", "{\"email\":\"\"}", NULL, rename);
		shapes_assert_refused(&m, reason);
	}
}

static void
names_and_audiences_are_text(void **state)
{
	static const char *const renames[] = {"sub=a\x01", "sub=\xff", "groups=a\nb"};
	static char longest[LIMIT_AUDIENCE + 1];
	const char *const audiences[] = {"a\x01", "\xff", longest};
	struct shapes_profile m;
	char reason[256];

	(void)state;
	for (size_t i = 0; i < COUNT(renames); i++) {
		const char *const rename[] = {renames[i], NULL};

		(void)snprintf(reason, sizeof(reason),
		    "rename: '%s': not UTF-8 or with control characters", renames[i]);
		shapes_make(&m, "JWT", NULL, NULL, rename);
		shapes_assert_refused(&m, reason);
	}
	memset(longest, 'a', LIMIT_AUDIENCE);
	(void)snprintf(reason, sizeof(reason),
	    "profile 'p': an audience of more than %d bytes, not UTF-8 or with control "
	    "characters",
	    LIMIT_AUDIENCE - 1);
	for (size_t i = 0; i < COUNT(audiences); i++) {
		const char *const audience[] = {"okera", audiences[i], NULL};

		shapes_make(&m, "JWT", NULL, audience, NULL);
		shapes_assert_refused(&m, reason);
	}
}

static void
renames_that_would_lose_a_claim_are_refused(void **state)
{
	static const struct {
		const char *rename[SHAPES_ITEMS];
		const char *claims;
		const char *told;
	} rows[] = {
	    {{"sub=iss"}, NULL, "sub=iss"},
	    {{"sub=exp"}, NULL, "sub=exp"},
	    {{"sub=sub"}, NULL, "sub=sub"},
	    {{"sub=jti", "jti=sub"}, NULL, "sub=jti"},
	    {{"groups=sub"}, NULL, "groups=sub"},
	    {{"sub=user"}, "{\"user\":1}", "sub=user"},
	    {{"sub=x", "jti=x"}, NULL, "jti=x"},
	    {{"sub=x", "act=y", "groups=y"}, NULL, "groups=y"},
	    {{"sub=x", "sub=y"}, NULL, "sub=y"},
	    {{"sub=groups"}, "{\"groups\":[]}", "sub=groups"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct shapes_profile m;
		char reason[256];

		(void)snprintf(reason, sizeof(reason), "rename: '%s': two claims with one name",
		    rows[i].told);
		shapes_make(&m, "JWT", rows[i].claims, NULL, rows[i].rename);
		shapes_assert_refused(&m, reason);
	}
}

static void
identifier_keeps_its_name_where_tokens_can_be_revoked(void **state)
{
	static const char *const rename[] = {"sub=sun", "jti=id", NULL};
	static char path[] = "/var/lib/authserver/state";
	struct shapes_profile m;

	(void)state;
	shapes_make(&m, "JWT", NULL, NULL, rename);
	m.config.state = path;
	shapes_assert_refused(&m, "rename: 'jti=id': with the key state, tokens are revoked by "
				  "jti: leave it its name");
}

/* What README and manual show, read from a file. */
static void
profile_of_the_manual_makes_slurms_token(void **state)
{
	static const char text[] = "profile \"slurm\" {\n"
				   "    algorithm = \"RS256\"\n"
				   "    lifetime = \"1h\"\n"
				   "    claims = \"{ \\\"sun\\\": \\\"${subject}\\\" }\"\n"
				   "}\n";
	struct grant g = shapes_grant();
	struct claim_values v = shapes_values(&g);
	struct config c;
	struct shape s;
	struct error e = {0};
	char *claims;

	(void)state;
	assert_int_equal(config_init(&c, &e), 0);
	if (config_parse(&c, text, strlen(text), "t.conf", &e) == -1)
		fail_msg("%s", e.text);
	assert_int_equal(shape_open(&s, &c, config_profile(&c.profiles, "slurm"), &e), 0);
	assert_string_equal(s.algorithm->name, "RS256");
	assert_true(s.kid);
	claims = claims_build(&s, &v);
	assert_string_equal(claims, "{" SHAPES_ALICE ",\"sun\":\"alice\"}");
	free(claims);
	shape_close(&s);
	config_free(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(token_without_a_profile_has_the_five_claims),
	    cmocka_unit_test(one_audience_is_a_string_and_several_are_an_array),
	    cmocka_unit_test(audience_of_the_grant_is_the_only_one),
	    cmocka_unit_test(nbf_is_the_time_of_issue),
	    cmocka_unit_test(access_token_names_its_client),
	    cmocka_unit_test(access_token_needs_an_audience),
	    cmocka_unit_test(profile_has_its_own_algorithm_and_kid),
	    cmocka_unit_test(algorithm_that_does_not_exist_is_told),
	    cmocka_unit_test(claims_are_renamed),
	    cmocka_unit_test(access_token_renames_groups_alone),
	    cmocka_unit_test(claims_that_verifiers_check_keep_their_names),
	    cmocka_unit_test(names_and_audiences_are_text),
	    cmocka_unit_test(renames_that_would_lose_a_claim_are_refused),
	    cmocka_unit_test(identifier_keeps_its_name_where_tokens_can_be_revoked),
	    cmocka_unit_test(profile_of_the_manual_makes_slurms_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
