/* base: how many requests another process answers in a given time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/pace.h"

#define MILLISECOND (NANOSECONDS / 1000)

/* So many answers one after the other, each after that time; the time it is then. */
static int64_t
answers(struct pace *p, int64_t now, unsigned int count, int64_t each)
{
	for (unsigned int i = 0; i < count; i++) {
		now += each;
		pace_answered(p, now);
	}
	return now;
}

static void
nothing_is_known_at_first(void **state)
{
	struct pace p = {0};

	(void)state;
	pace_begin(&p, 7);
	assert_true(pace_room(&p, NANOSECONDS) == INT64_MAX);
	answers(&p, 7, 15, MILLISECOND);
	assert_true(pace_room(&p, NANOSECONDS) == INT64_MAX);
}

static void
room_is_what_was_answered_in_that_time(void **state)
{
	struct pace p = {0};

	(void)state;
	pace_begin(&p, 0);
	answers(&p, 0, 32, 5 * MILLISECOND);
	assert_int_equal(pace_room(&p, 200 * MILLISECOND), 40);
	assert_int_equal(pace_room(&p, 4 * MILLISECOND), 0);
}

static void
time_without_requests_does_not_count(void **state)
{
	struct pace p = {0};
	int64_t now = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		pace_begin(&p, now);
		now = answers(&p, now, 1, 5 * MILLISECOND) + NANOSECONDS;
	}
	assert_int_equal(pace_room(&p, 200 * MILLISECOND), 40);
}

/* Several that come at once are not quicker than the time that they took together. */
static void
answers_that_come_together_count_as_they_took(void **state)
{
	struct pace p = {0};
	int64_t now = 0;

	(void)state;
	pace_begin(&p, 0);
	for (int i = 0; i < 4; i++) {
		now = answers(&p, now, 1, 80 * MILLISECOND);
		answers(&p, now, 15, 0);
	}
	assert_int_equal(pace_room(&p, 200 * MILLISECOND), 40);
}

static void
one_stop_of_the_machine_changes_nothing(void **state)
{
	struct pace p = {0};
	int64_t now;

	(void)state;
	pace_begin(&p, 0);
	now = answers(&p, 0, 100, MILLISECOND);
	assert_int_equal(pace_room(&p, 200 * MILLISECOND), 200);
	now = answers(&p, now, 1, 3 * NANOSECONDS);
	now = answers(&p, now, 15, MILLISECOND);
	assert_int_equal(pace_room(&p, 200 * MILLISECOND), 200);
	answers(&p, now, 120, MILLISECOND);
	assert_int_equal(pace_room(&p, 200 * MILLISECOND), 200);
}

static void
pace_that_changes_is_noticed_within_two_periods(void **state)
{
	struct pace p = {0};
	int64_t now;

	(void)state;
	pace_begin(&p, 0);
	now = answers(&p, 0, 100, MILLISECOND);
	now = answers(&p, now, 34, 10 * MILLISECOND);
	assert_in_range(pace_room(&p, 200 * MILLISECOND), 20, 25);
	answers(&p, now, 100, MILLISECOND);
	assert_int_equal(pace_room(&p, 200 * MILLISECOND), 200);
}

/* However often: as long as each has answered something in between. */
static void
time_without_a_process_does_not_count(void **state)
{
	struct pace p = {0};
	int64_t now;

	(void)state;
	pace_begin(&p, 0);
	now = answers(&p, 0, 100, MILLISECOND);
	for (int i = 0; i < 20; i++) {
		now = answers(&p, now, 10, MILLISECOND) + NANOSECONDS;
		pace_renew(&p, now);
	}
	answers(&p, now, 100, MILLISECOND);
	assert_int_equal(pace_room(&p, 200 * MILLISECOND), 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_known_at_first),
	    cmocka_unit_test(room_is_what_was_answered_in_that_time),
	    cmocka_unit_test(time_without_requests_does_not_count),
	    cmocka_unit_test(answers_that_come_together_count_as_they_took),
	    cmocka_unit_test(one_stop_of_the_machine_changes_nothing),
	    cmocka_unit_test(time_without_a_process_does_not_count),
	    cmocka_unit_test(pace_that_changes_is_noticed_within_two_periods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
