/* signer: what it needs to know of a subject, and what of it is in a token. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/signings.h"

static const char crew[] = "profile crew {\n groups = true\n algorithm = ES256\n}\n";
static const char crew_header[] = "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"\"}";
static const char bare_header[] = "{\"alg\":\"RS512\",\"typ\":\"JWT\"}";

static void
assert_groups(struct signings_service *s, const char *groups, const char *want)
{
	struct query q = signings_ask("crew");
	struct signature made;
	json_t *list = json_loads(want, 0, NULL);
	json_t *claims;

	q.subject_groups = groups;
	claims = signings_mint_query(s, &q, crew_header, &made);
	assert_true(json_equal(json_object_get(claims, "groups"), list));
	json_decref(claims);
	json_decref(list);
}

static void
profile_with_groups_has_those_of_the_subject(void **state)
{
	struct signings_service s;

	signings_start_with(*state, &s, crew);
	assert_groups(&s, "etl\na b\n", "[\"etl\",\"a b\"]");
	assert_groups(&s, "", "[]");
	signings_stop(&s);
}

/* Nobody is to be taken for somebody in no group. */
static void
profile_with_groups_is_not_signed_without_them(void **state)
{
	struct query q = signings_ask("crew");
	struct signings_service s;

	signings_start_with(*state, &s, crew);
	q.caller_groups = "etl\n"; /* are not the subject's */
	signings_assert_not_minted(&s, &q, ERROR_UNAVAILABLE,
	    "a token of this profile has groups, and none are given");
	signings_stop(&s);
}

static void
profile_without_groups_tells_none(void **state)
{
	struct query q = signings_ask("bare");
	struct signature made;
	struct signings_service s;
	json_t *claims;

	signings_start_with(*state, &s, crew);
	q.subject_groups = "etl\n";
	claims = signings_mint_query(&s, &q, bare_header, &made);
	assert_null(json_object_get(claims, "groups"));
	json_decref(claims);
	signings_stop(&s);
}

static void
token_without_a_profile_has_groups_where_they_are_its_claim(void **state)
{
	struct query q = signings_ask("");
	struct signature made;
	struct signings_service s;
	json_t *claims;

	signings_start_with(*state, &s, "groups {\n claim = true\n}\n");
	signings_assert_not_minted(&s, &q, ERROR_UNAVAILABLE,
	    "a token of this profile has groups, and none are given");
	q.subject_groups = "etl\n";
	claims = signings_mint_query(
	    &s, &q, "{\"alg\":\"RS512\",\"typ\":\"JWT\",\"kid\":\"\"}", &made);
	assert_int_equal(json_array_size(json_object_get(claims, "groups")), 1);
	json_decref(claims);
	signings_stop(&s);
}

/* The file of attributes has an entry for alice, and none for bob. */
static void
attributes_of_a_source_are_those_that_nobody_wrote_down(void **state)
{
	static const struct {
		const char *caller;
		const char *email;
		const char *space;
		const char *want_email;
		const char *want_space;
	} rows[] = {
	    {"alice", "source@b.c", "of-source", "a@b.c", "ns"},
	    {"bob", "source@b.c", "of-source", "source@b.c", "of-source"},
	    {"alice", "", "", "a@b.c", "ns"},
	    {"alice", NULL, NULL, "a@b.c", "ns"},
	};
	struct signings_service s;

	signings_start(*state, &s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct query q = signings_ask("bare");
		struct signature made;
		json_t *claims;

		(void)snprintf(q.caller.name, sizeof(q.caller.name), "%s", rows[i].caller);
		(void)snprintf(q.subject, sizeof(q.subject), "%s", rows[i].caller);
		q.email = rows[i].email;
		q.space = rows[i].space;
		claims = signings_mint_query(&s, &q, bare_header, &made);
		assert_string_equal(signings_text_of(claims, "email"), rows[i].want_email);
		assert_string_equal(signings_text_of(claims, "namespace"), rows[i].want_space);
		json_decref(claims);
	}
	signings_stop(&s);
}

/* The worker's word is not enough: it is asked again where the key is. */
static void
subject_without_a_required_group_gets_no_signature(void **state)
{
	static const char *const refused[] = {NULL, "", "users\n", "staff2\n"};
	struct query q = signings_ask("bare");
	struct signature made;
	struct signings_service s;

	signings_start_with(*state, &s, "groups {\n required = {\"staff\", \"etl\"}\n}\n");
	for (size_t i = 0; i < 4; i++) {
		q.subject_groups = refused[i];
		signings_assert_not_minted(
		    &s, &q, ERROR_DENIED, "alice is in none of the groups that are required");
	}
	q.subject_groups = NULL;
	q.caller_groups = "staff\n"; /* are not the subject's */
	signings_assert_not_minted(
	    &s, &q, ERROR_DENIED, "alice is in none of the groups that are required");
	q.subject_groups = "users\netl\n";
	json_decref(signings_mint_query(&s, &q, bare_header, &made));
	signings_stop(&s);
}

static void
subject_that_is_exempt_is_signed_for_without_a_group(void **state)
{
	struct query q = signings_ask("bare");
	struct signature made;
	struct signings_service s;

	signings_start_with(
	    *state, &s, "groups {\n required = {\"staff\"}\n exempt = {\"alice\"}\n}\n");
	json_decref(signings_mint_query(&s, &q, bare_header, &made));
	signings_stop(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(profile_with_groups_has_those_of_the_subject),
	    TEST(profile_with_groups_is_not_signed_without_them),
	    TEST(profile_without_groups_tells_none),
	    TEST(token_without_a_profile_has_groups_where_they_are_its_claim),
	    TEST(attributes_of_a_source_are_those_that_nobody_wrote_down),
	    TEST(subject_without_a_required_group_gets_no_signature),
	    TEST(subject_that_is_exempt_is_signed_for_without_a_group),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
