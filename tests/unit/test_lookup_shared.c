/* identity: who waits for a resolver in another process together, and how it ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/lookups.h"
#include "tests/unit/patience.h"

/* --- who waits together --- */

static void
many_who_ask_about_one_user_are_one_request(void **state)
{
	struct lookups_fixture *f = *state;
	uint64_t id;

	for (size_t i = 0; i < LOOKUPS_WAITS; i++)
		lookups_ask(f, "jane", i);
	id = lookups_take(f, "jane");
	lookups_assert_nothing_asked(f);
	lookups_answer_group(f, id, "etl", 0);
	for (size_t i = 0; i < LOOKUPS_WAITS; i++)
		lookups_assert_groups(f, i, "etl\n");
}

static void
different_users_are_different_requests(void **state)
{
	struct lookups_fixture *f = *state;
	uint64_t jane, joe;

	lookups_ask(f, "jane", 0);
	lookups_ask(f, "joe", 1);
	jane = lookups_take(f, "jane");
	joe = lookups_take(f, "joe");
	lookups_answer_group(f, joe, "joes", 0);
	lookups_assert_groups(f, 1, "joes\n");
	lookups_assert_pending(f, 0);
	lookups_answer_group(f, jane, "janes", 0);
	lookups_assert_groups(f, 0, "janes\n");
}

/* The one in the middle of those who are under way ends first. */
static void
answers_may_come_in_any_order(void **state)
{
	static const char *const users[] = {"a", "b", "c", "d"};
	static const size_t order[] = {1, 3, 0, 2};
	struct lookups_fixture *f = *state;
	uint64_t ids[4];

	for (size_t i = 0; i < 4; i++)
		lookups_ask(f, users[i], i);
	for (size_t i = 0; i < 4; i++)
		ids[i] = lookups_take(f, users[i]);
	for (size_t i = 0; i < 4; i++) {
		lookups_answer_group(f, ids[order[i]], users[order[i]], 0);
		assert_int_equal(f->outcomes[order[i]].calls, 1);
		assert_int_equal(*f->outcomes[order[i]].groups, *users[order[i]]);
	}
	assert_false(lookup_remote_busy(f->remote));
}

static void
failure_reaches_all_and_is_not_kept(void **state)
{
	struct lookups_fixture *f = *state;

	lookups_ask(f, "jane", 0);
	lookups_ask(f, "jane", 1);
	lookups_answer(f, lookups_take(f, "jane"), NULL, 60 * NANOSECONDS);
	lookups_assert_failed(f, 0, "the directory is away");
	lookups_assert_failed(f, 1, "the directory is away");
	lookups_ask(f, "jane", 2);
	lookups_answer_group(f, lookups_take(f, "jane"), "etl", 0);
	lookups_assert_groups(f, 2, "etl\n");
}

static void
who_was_told_may_ask_about_the_same_user_anew(void **state)
{
	struct lookups_fixture *f = *state;

	f->outcomes[0].again = "jane";
	lookups_ask(f, "jane", 0);
	lookups_ask(f, "jane", 1);
	lookups_answer_group(f, lookups_take(f, "jane"), "old", 0);
	lookups_assert_groups(f, 0, "old\n");
	lookups_assert_groups(f, 1, "old\n");
	lookups_assert_pending(f, LOOKUPS_WAITS);
	lookups_answer_group(f, lookups_take(f, "jane"), "new", 0);
	lookups_assert_groups(f, LOOKUPS_WAITS, "new\n");
	lookups_assert_nothing_asked(f);
}

static void
who_asks_anew_is_told_what_was_just_kept(void **state)
{
	struct lookups_fixture *f = *state;

	f->outcomes[0].again = "jane";
	lookups_ask(f, "jane", 0);
	lookups_answer_group(f, lookups_take(f, "jane"), "etl", NANOSECONDS);
	lookups_assert_groups(f, LOOKUPS_WAITS, "etl\n");
	lookups_assert_nothing_asked(f);
}

static void
who_was_told_of_a_failure_may_ask_anew(void **state)
{
	struct lookups_fixture *f = *state;

	f->outcomes[0].again = "jane";
	lookups_ask(f, "jane", 0);
	lookups_answer(f, lookups_take(f, "jane"), NULL, 0);
	lookups_assert_failed(f, 0, "the directory is away");
	lookups_answer_group(f, lookups_take(f, "jane"), "etl", 0);
	lookups_assert_groups(f, LOOKUPS_WAITS, "etl\n");
}

/* --- the resolver --- */

static void
new_resolver_is_asked_again_once_a_user(void **state)
{
	struct lookups_fixture *f = *state;
	uint64_t id;

	lookups_ask(f, "jane", 0);
	lookups_ask(f, "jane", 1);
	id = lookups_take(f, "jane");
	courier_hello(f->theirs, LOOKUP_ANSWER_MAGIC);
	assert_int_equal(lookup_remote_receive(f->remote), 0);
	assert_int_equal(lookups_take(f, "jane"), id);
	lookups_assert_nothing_asked(f);
	lookups_answer_group(f, id, "etl", 0);
	lookups_assert_groups(f, 0, "etl\n");
	lookups_assert_groups(f, 1, "etl\n");
}

static void
look_up_without_an_answer_ends_at_its_deadline(void **state)
{
	struct lookups_fixture *f = *state;
	uint64_t id;

	lookups_ask(f, "jane", 0);
	id = lookups_take(f, "jane");
	f->now += LOOKUPS_DEADLINE * NANOSECONDS;
	lookup_remote_expire(f->remote);
	lookups_assert_pending(f, 0);
	f->now += 1;
	lookup_remote_expire(f->remote);
	lookups_assert_failed(f, 0, "the resolver did not answer in time");
	lookups_answer_group(f, id, "late", NANOSECONDS);
	assert_int_equal(f->outcomes[0].calls, 1);
	lookups_ask(f, "jane", 1); /* nor is what came too late kept */
	(void)lookups_take(f, "jane");
}

static void
end_of_the_resolver_fails_all_that_wait(void **state)
{
	struct lookups_fixture *f = *state;
	struct error e = {0};

	lookups_ask(f, "jane", 0);
	lookups_ask(f, "jane", 1);
	lookups_ask(f, "joe", 2);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(lookup_remote_receive(f->remote), -1);
	for (size_t i = 0; i < 3; i++)
		lookups_assert_failed(f, i, "the resolver is gone");
	assert_false(lookup_remote_busy(f->remote));
	assert_int_equal(lookups_submit(f, "joe", 3, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	lookups_assert_pending(f, 3);
}

static void
what_is_kept_outlives_the_resolver(void **state)
{
	struct lookups_fixture *f = *state;

	lookups_ask(f, "jane", 0);
	lookups_answer_group(f, lookups_take(f, "jane"), "etl", NANOSECONDS);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(lookup_remote_receive(f->remote), -1);
	lookups_ask(f, "jane", 1);
	lookups_assert_groups(f, 1, "etl\n");
}

/* One more user is refused; one more who asks about a user on the way is not. */
static void
users_on_their_way_are_bounded(void **state)
{
	struct lookups_fixture *f = *state;
	struct error e = {0};
	char user[16];

	for (size_t i = 0; i < 256; i++) {
		(void)snprintf(user, sizeof(user), "user%zu", i);
		lookups_ask(f, user, i);
		(void)lookups_take(f, user);
	}
	assert_int_equal(lookups_submit(f, "jane", 256, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "256 requests to the resolver are under way");
	lookups_ask(f, "user77", 257);
	lookups_assert_nothing_asked(f);
	lookups_assert_pending(f, 256);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lookups_setup, lookups_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(many_who_ask_about_one_user_are_one_request),
	    TEST(different_users_are_different_requests),
	    TEST(answers_may_come_in_any_order),
	    TEST(failure_reaches_all_and_is_not_kept),
	    TEST(who_was_told_may_ask_about_the_same_user_anew),
	    TEST(who_asks_anew_is_told_what_was_just_kept),
	    TEST(who_was_told_of_a_failure_may_ask_anew),
	    TEST(new_resolver_is_asked_again_once_a_user),
	    TEST(look_up_without_an_answer_ends_at_its_deadline),
	    TEST(end_of_the_resolver_fails_all_that_wait),
	    TEST(what_is_kept_outlives_the_resolver),
	    TEST(users_on_their_way_are_bounded),
	};

	patience_end(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
