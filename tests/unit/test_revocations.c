/* store: what was revoked, what that means for a token, and how long it is
 * remembered. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/revocations.h"
#include "tests/unit/revocations.h"

static void
a_token_is_revoked_by_its_identifier_and_issuer(void **state)
{
	static const struct {
		struct revocation_subject t;
		bool revoked;
	} cases[] = {
	    {{.issuer = "us", .jti = "id1"}, true},
	    {{.issuer = "us",
		 .jti = "id1",
		 .subject = "joe",
		 REVOCATIONS_SIGNED("other.parts")},
		true},
	    {{.issuer = "us",
		 .jti = "id2",
		 .subject = "jane",
		 REVOCATIONS_SIGNED("header.payload")},
		false},
	    {{.issuer = "us", .jti = "ID1"}, false},
	    {{.issuer = "us", .jti = ""}, false},
	    {{.issuer = "usi", .jti = "d1"}, false},
	    {{.issuer = "", .jti = "usid1"}, false},
	    {{.issuer = "", .jti = "id1"}, false},
	    {{.issuer = "them", .jti = "id1"}, false},
	    {{.issuer = "us", REVOCATIONS_SIGNED("header.payload")}, false},
	    {{.issuer = "us", .subject = "id1"}, false},
	    {{.issuer = "us"}, false},
	};
	struct states_fixture *f = *state;

	assert_false(revocations_holds(f, &revocations_token));
	revocations_add_token(f, &revocations_token);
	assert_true(revocations_holds(f, &revocations_token));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (revocations_holds(f, &cases[i].t) != cases[i].revoked)
			fail_msg("case %zu", i);
}

static void
a_token_without_an_identifier_is_revoked_by_what_was_signed(void **state)
{
	static const struct revocation_subject bare = {
	    .issuer = "us", REVOCATIONS_SIGNED("header.payload")};
	static const struct revocation_subject foreign = {
	    .issuer = "", REVOCATIONS_SIGNED("header.payload")};
	static const struct revocation_subject other = {
	    .issuer = "us", REVOCATIONS_SIGNED("header.payloaD")};
	struct revocation_subject nothing = {.issuer = "us", .subject = "jane"};
	struct states_fixture *f = *state;
	struct error e;

	revocations_add_token(f, &bare);
	assert_true(revocations_holds(f, &bare));
	assert_true(revocations_holds(f, &foreign));
	assert_false(revocations_holds(f, &other));
	assert_int_equal(revocation_add_token(f->state, &nothing, REVOCATIONS_EXPIRES, &e), -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
}

static void
what_another_party_signed_revokes_nothing_of_ours(void **state)
{
	static const struct revocation_subject theirs = {
	    .party = "idp", .issuer = "us", .jti = "id1", REVOCATIONS_SIGNED("header.payload")};
	static const struct revocation_subject bare = {
	    .party = "idp", .issuer = "us", REVOCATIONS_SIGNED("header.payload")};
	static const struct {
		struct revocation_subject t;
		bool revoked;
	} cases[] = {
	    {{.party = "idp", .issuer = "us", .jti = "id1", REVOCATIONS_SIGNED("other.parts")},
		true},
	    {{.party = "idp", .issuer = "us", REVOCATIONS_SIGNED("header.payload")}, true},
	    {{.issuer = "us", .jti = "id1", REVOCATIONS_SIGNED("header.payload")}, false},
	    {{.issuer = "us", REVOCATIONS_SIGNED("header.payload")}, false},
	    {{.party = "", .issuer = "us", .jti = "id1", REVOCATIONS_SIGNED("header.payload")},
		false},
	    {{.party = "other",
		 .issuer = "us",
		 .jti = "id1",
		 REVOCATIONS_SIGNED("header.payload")},
		false},
	    {{.party = "other", .issuer = "us", REVOCATIONS_SIGNED("header.payload")}, false},
	    {{.party = "1idp", .issuer = "us", .jti = "id", REVOCATIONS_SIGNED("x.y")}, false},
	};
	struct states_fixture *f = *state;

	revocations_add_token(f, &theirs);
	revocations_add_token(f, &bare);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (revocations_holds(f, &cases[i].t) != cases[i].revoked)
			fail_msg("case %zu", i);
}

static void
what_is_revoked_without_a_party_is_whoever_signed_it(void **state)
{
	static const struct revocation_subject theirs = {
	    .party = "idp", .issuer = "us", .jti = "id1"};
	static const struct revocation_subject bare = {
	    .issuer = "us", REVOCATIONS_SIGNED("a.b")};
	static const struct revocation_subject their_bare = {
	    .party = "idp", .issuer = "them", REVOCATIONS_SIGNED("a.b")};
	struct states_fixture *f = *state;

	revocations_add_token(f, &revocations_token);
	assert_true(revocations_holds(f, &theirs));
	assert_false(revocations_holds(f, &their_bare));
	revocations_add_token(f, &bare);
	assert_true(revocations_holds(f, &their_bare));
}

/* Who knows more of a token than it says itself, such as the jti that its profile
 * renames. */
static void
a_token_is_asked_for_by_all_that_is_known_of_it(void **state)
{
	static const struct revocation_subject bare = {
	    .issuer = "us", REVOCATIONS_SIGNED("header.payload")};
	struct states_fixture *f = *state;

	revocations_add_token(f, &bare);
	assert_true(revocations_holds(f, &revocations_token));
}

static void
the_last_second_that_there_is_can_be_said(void **state)
{
	struct states_fixture *f = *state;
	struct error e;
	size_t count;

	stores_check(revocation_add_token(f->state, &revocations_token, INT64_MAX, &e), &e);
	stores_check(
	    revocation_add_subject(f->state, "us", "jane", INT64_MAX, INT64_MAX, &e), &e);
	stores_check(revocation_sweep(f->state, REVOCATIONS_EXPIRES, false, &count, &e), &e);
	assert_int_equal(count, 0);
	assert_true(revocations_holds(f, &revocations_token));
	revocations_add_subject(f, "us", "jane", STATES_NOW);
	assert_int_equal(states_count(f, "revoked"), 2);
}

static void
requests_add_up_to_a_bound_and_others_beyond_it(void **state)
{
	char names[4][2] = {"a", "b", "c", "d"};
	struct states_fixture *f = *state;
	struct state *other;
	struct error e;
	size_t count;

	stores_check(state_open(&other, f->path, &e), &e);
	stores_check(state_bound(f->state, 3, &clock_system, &e), &e);
	for (size_t i = 0; i < 4; i++) {
		const struct revocation_subject t = {.issuer = "us", .jti = names[i]};

		if (i < 3)
			revocations_add_token(f, &t);
		else
			assert_int_equal(
			    revocation_add_token(f->state, &t, REVOCATIONS_EXPIRES, &e), -1);
	}
	assert_int_equal(e.code, ERROR_LIMITED);
	assert_int_equal(states_count(f, "revoked"), 3);
	/* What is there takes no more room. */
	stores_check(revocation_add_token(f->state,
			 &(struct revocation_subject){.issuer = "us", .jti = "a"},
			 REVOCATIONS_EXPIRES + 9, &e),
	    &e);
	stores_check(
	    revocation_add_token(other, &revocations_token, REVOCATIONS_EXPIRES, &e), &e);
	stores_check(revocation_sweep(
			 f->state, REVOCATIONS_EXPIRES + STATE_GRACE + 1, false, &count, &e),
	    &e);
	assert_int_equal(count, 3);
	(void)nanosleep(&(struct timespec){.tv_nsec = 150 * 1000 * 1000}, NULL);
	revocations_add_token(f, &revocations_token);
	state_close(other);
}

static void
a_subject_loses_what_it_got_up_to_the_time_and_in_that_second(void **state)
{
	static const struct {
		const char *issuer, *subject;
		int64_t issued;
		bool revoked;
	} cases[] = {
	    {"us", "jane", STATES_NOW - 1, true},
	    {"us", "jane", STATES_NOW, true},
	    {"us", "jane", STATES_NOW + 1, false},
	    {"us", "jane", 0, true},
	    {"us", "Jane", STATES_NOW, false},
	    {"them", "jane", STATES_NOW, false},
	    {"", "usjane", STATES_NOW, false},
	    {"us", NULL, STATES_NOW, false},
	};
	struct states_fixture *f = *state;

	revocations_add_subject(f, "us", "jane", STATES_NOW);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct revocation_subject t = {.issuer = cases[i].issuer,
		    .jti = "id7",
		    .subject = cases[i].subject,
		    .issued = cases[i].issued};

		if (revocations_holds(f, &t) != cases[i].revoked)
			fail_msg("case %zu", i);
	}
}

static void
of_two_revocations_the_later_times_hold(void **state)
{
	struct revocation_subject t = revocations_token;
	struct states_fixture *f = *state;
	struct error e;
	size_t count;

	revocations_add_subject(f, "us", "jane", STATES_NOW);
	revocations_add_subject(f, "us", "jane", STATES_NOW - 100);
	assert_true(revocations_holds(f, &t));
	t.issued = STATES_NOW + 5;
	assert_false(revocations_holds(f, &t));
	stores_check(revocation_add_subject(
			 f->state, "us", "jane", STATES_NOW + 5, REVOCATIONS_EXPIRES - 500, &e),
	    &e);
	assert_true(revocations_holds(f, &t));
	stores_check(
	    revocation_sweep(f->state, REVOCATIONS_EXPIRES + STATE_GRACE, false, &count, &e),
	    &e);
	assert_int_equal(count, 0);
	assert_int_equal(states_count(f, "revoked"), 1);
}

static void
it_is_remembered_until_a_day_after_the_token_has_expired(void **state)
{
	struct states_fixture *f = *state;
	struct error e;
	size_t count;

	revocations_add_token(f, &revocations_token);
	revocations_add_subject(f, "us", "joe", STATES_NOW);
	stores_check(
	    revocation_sweep(f->state, REVOCATIONS_EXPIRES + STATE_GRACE, false, &count, &e),
	    &e);
	assert_int_equal(count, 0);
	assert_true(revocations_holds(f, &revocations_token));
	stores_check(
	    revocation_sweep(f->state, REVOCATIONS_EXPIRES + STATE_GRACE + 1, true, &count, &e),
	    &e);
	assert_int_equal(count, 2);
	assert_true(revocations_holds(f, &revocations_token));
	stores_check(revocation_sweep(
			 f->state, REVOCATIONS_EXPIRES + STATE_GRACE + 1, false, &count, &e),
	    &e);
	assert_int_equal(count, 2);
	assert_false(revocations_holds(f, &revocations_token));
	assert_int_equal(states_count(f, "revoked"), 0);
}

static void
a_sweep_believes_what_an_entry_says(void **state)
{
	static const struct timespec long_ago[] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct states_fixture *f = *state;
	char path[LIMIT_PATH] = "";
	struct error e;
	size_t count;

	revocations_add_token(f, &revocations_token);
	revocations_find(f, path);
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	stores_check(revocation_sweep(f->state, REVOCATIONS_EXPIRES, false, &count, &e), &e);
	assert_true(revocations_holds(f, &revocations_token));
	/* Damaged, it says still that something is revoked. */
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	stores_check(
	    revocation_sweep(f->state, 2 * (int64_t)REVOCATIONS_EXPIRES, false, &count, &e),
	    &e);
	assert_int_equal(count, 0);
	assert_true(revocations_holds(f, &revocations_token));
}

static void
without_a_state_nothing_is_revoked(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(revocation_check(NULL, &revocations_token, &e), 0);
	assert_int_equal(
	    revocation_add_token(NULL, &revocations_token, REVOCATIONS_EXPIRES, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_int_equal(
	    revocation_add_subject(NULL, "us", "jane", 1, REVOCATIONS_EXPIRES, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
}

#define IN_STATE(test) cmocka_unit_test_setup_teardown(test, states_enter, states_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_STATE(a_token_is_revoked_by_its_identifier_and_issuer),
	    IN_STATE(a_token_without_an_identifier_is_revoked_by_what_was_signed),
	    IN_STATE(what_another_party_signed_revokes_nothing_of_ours),
	    IN_STATE(what_is_revoked_without_a_party_is_whoever_signed_it),
	    IN_STATE(a_token_is_asked_for_by_all_that_is_known_of_it),
	    IN_STATE(the_last_second_that_there_is_can_be_said),
	    IN_STATE(requests_add_up_to_a_bound_and_others_beyond_it),
	    IN_STATE(a_subject_loses_what_it_got_up_to_the_time_and_in_that_second),
	    IN_STATE(of_two_revocations_the_later_times_hold),
	    IN_STATE(it_is_remembered_until_a_day_after_the_token_has_expired),
	    IN_STATE(a_sweep_believes_what_an_entry_says),
	    cmocka_unit_test(without_a_state_nothing_is_revoked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
