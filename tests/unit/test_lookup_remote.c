/* identity: what a resolver in another process answers, and for how long it is kept. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "tests/unit/lookups.h"
#include "tests/unit/patience.h"

/* --- what is answered --- */

static void
user_is_asked_about_and_the_answer_told(void **state)
{
	struct lookups_fixture *f = *state;

	assert_false(lookup_remote_busy(f->remote));
	lookups_ask(f, "jane", 0);
	lookups_assert_pending(f, 0);
	assert_true(lookup_remote_busy(f->remote));
	lookups_answer_group(f, lookups_take(f, "jane"), "etl", 0);
	lookups_assert_groups(f, 0, "etl\n");
	assert_false(lookup_remote_busy(f->remote));
}

static void
user_whom_nobody_knows_is_no_failure(void **state)
{
	const struct membership nobody = {0};
	struct lookups_fixture *f = *state;

	lookups_ask(f, "ghost", 0);
	lookups_answer(f, lookups_take(f, "ghost"), &nobody, 0);
	assert_int_equal(f->outcomes[0].calls, 1);
	assert_true(f->outcomes[0].found);
	assert_false(f->outcomes[0].known);
	assert_int_equal(f->outcomes[0].code, ERROR_NONE);
}

static void
user_whose_name_is_too_long_is_not_asked_about(void **state)
{
	char user[LIMIT_PRINCIPAL + 1];
	struct lookups_fixture *f = *state;
	struct error e = {0};

	memset(user, 'u', sizeof(user) - 1);
	user[LIMIT_PRINCIPAL] = '\0';
	assert_int_equal(lookups_submit(f, user, 0, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	lookups_assert_nothing_asked(f);
	lookups_assert_pending(f, 0);
}

/* --- what is kept --- */

static void
answer_is_kept_for_as_long_as_it_says(void **state)
{
	struct lookups_fixture *f = *state;

	lookups_ask(f, "jane", 0);
	lookups_answer_group(f, lookups_take(f, "jane"), "etl", 60 * NANOSECONDS);
	f->now += 60 * NANOSECONDS - 1;
	lookups_ask(f, "jane", 1);
	lookups_assert_groups(f, 1, "etl\n");
	lookups_assert_nothing_asked(f);
}

static void
answer_is_kept_no_longer_than_it_says(void **state)
{
	struct lookups_fixture *f = *state;

	lookups_ask(f, "jane", 0);
	lookups_answer_group(f, lookups_take(f, "jane"), "old", 60 * NANOSECONDS);
	f->now += 60 * NANOSECONDS;
	lookups_ask(f, "jane", 1);
	lookups_assert_pending(f, 1);
	lookups_answer_group(f, lookups_take(f, "jane"), "new", 60 * NANOSECONDS);
	lookups_assert_groups(f, 1, "new\n");
	lookups_ask(f, "jane", 2);
	lookups_assert_groups(f, 2, "new\n");
}

/* Time passes from the answer on, not from the question. */
static void
answer_is_kept_from_when_it_came(void **state)
{
	struct lookups_fixture *f = *state;
	uint64_t id;

	lookups_ask(f, "jane", 0);
	id = lookups_take(f, "jane");
	f->now += 4 * NANOSECONDS;
	lookups_answer_group(f, id, "etl", 2 * NANOSECONDS);
	f->now += NANOSECONDS;
	lookups_ask(f, "jane", 1);
	lookups_assert_groups(f, 1, "etl\n");
}

static void
answer_to_keep_for_no_time_is_not_kept(void **state)
{
	struct lookups_fixture *f = *state;

	lookups_ask(f, "jane", 0);
	lookups_answer_group(f, lookups_take(f, "jane"), "etl", 0);
	lookups_ask(f, "jane", 1);
	lookups_answer_group(f, lookups_take(f, "jane"), "etl", -1);
	lookups_ask(f, "jane", 2);
	(void)lookups_take(f, "jane");
	lookups_assert_pending(f, 2);
}

static void
answer_is_kept_for_its_user_alone(void **state)
{
	struct lookups_fixture *f = *state;

	lookups_ask(f, "jane", 0);
	lookups_answer_group(f, lookups_take(f, "jane"), "etl", 60 * NANOSECONDS);
	lookups_ask(f, "janet", 1);
	lookups_assert_pending(f, 1);
	(void)lookups_take(f, "janet");
}

static void
that_nobody_knows_a_user_is_kept_too(void **state)
{
	const struct membership nobody = {0};
	struct lookups_fixture *f = *state;

	lookups_ask(f, "ghost", 0);
	lookups_answer(f, lookups_take(f, "ghost"), &nobody, 60 * NANOSECONDS);
	lookups_ask(f, "ghost", 1);
	assert_int_equal(f->outcomes[1].calls, 1);
	assert_false(f->outcomes[1].known);
	lookups_assert_nothing_asked(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lookups_setup, lookups_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(user_is_asked_about_and_the_answer_told),
	    TEST(user_whom_nobody_knows_is_no_failure),
	    TEST(user_whose_name_is_too_long_is_not_asked_about),
	    TEST(answer_is_kept_for_as_long_as_it_says),
	    TEST(answer_is_kept_no_longer_than_it_says),
	    TEST(answer_is_kept_from_when_it_came),
	    TEST(answer_to_keep_for_no_time_is_not_kept),
	    TEST(answer_is_kept_for_its_user_alone),
	    TEST(that_nobody_knows_a_user_is_kept_too),
	};

	patience_end(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
