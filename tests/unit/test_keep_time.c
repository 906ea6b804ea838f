/* store: when a file that is kept fresh is renewed, and 10,000 of them together. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/keep_time.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECONDS(n) ((n)*NANOSECONDS)

static const int64_t start = 1795305600 * NANOSECONDS + 700000000;

/* "exp" of a token that is made at a time: of whole seconds. */
static int64_t
token_end(const struct keep_terms *t, int64_t made)
{
	return (made / NANOSECONDS) * NANOSECONDS + t->lifetime;
}

static void
a_file_is_due_before_less_is_left_than_must_be(void **state)
{
	static const struct keep_terms cases[] = {
	    {SECONDS(1800), SECONDS(600), 0},
	    {SECONDS(1800), SECONDS(600), SECONDS(60)},
	    {SECONDS(6), SECONDS(3), 0},
	    {SECONDS(8), SECONDS(3), SECONDS(1)},
	    {SECONDS(86400), SECONDS(1), SECONDS(3600)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct keep_terms *t = &cases[i];

		for (uint64_t n = 0; n < 1000; n++) {
			uint64_t phase = n * 0x9e3779b97f4a7c15;
			int64_t end = token_end(t, start);
			int64_t due = keep_time_due(t, phase, end, start);
			int64_t left = end - (due + t->every);

			/* What is looked at only now and then is looked at in time as well. */
			assert_true(left > t->at_least);
			/* And each is renewed once in a period. */
			assert_true(due > start - NANOSECONDS);
			due = keep_time_due(t, phase, token_end(t, due), due);
			assert_true(due - start <= 2 * keep_time_period(t) + NANOSECONDS);
		}
	}
}

static void
the_same_file_has_the_same_time_whoever_asks(void **state)
{
	static const struct keep_terms t = {SECONDS(1800), SECONDS(600), 0};
	int64_t end = token_end(&t, start);
	uint64_t a = keep_time_phase("a.example", "/run/keep/jane/token");

	(void)state;
	assert_true(a == keep_time_phase("a.example", "/run/keep/jane/token"));
	assert_true(a != keep_time_phase("b.example", "/run/keep/jane/token"));
	assert_true(a != keep_time_phase("a.example", "/run/keep/john/token"));
	assert_true(a != keep_time_phase("a.example/run", "/keep/jane/token"));
	assert_int_equal(
	    keep_time_due(&t, a, end, start), keep_time_due(&t, a, end, start + SECONDS(300)));
}

static void
a_clock_that_was_set_is_believed(void **state)
{
	static const struct keep_terms t = {SECONDS(1800), SECONDS(600), 0};
	int64_t end = token_end(&t, start);
	int64_t back = start - SECONDS(3600), forward = start + SECONDS(3600);

	(void)state;
	/* Its token is of the future: others may refuse it. */
	assert_int_equal(keep_time_due(&t, 5, end, back), back);
	assert_true(keep_time_due(&t, 5, end, forward) < forward);
	/* Clocks of two machines differ, and a second is nothing. */
	assert_true(keep_time_due(&t, 5, end, start - SECONDS(1) / 2) > start);
}

static void
a_file_without_a_token_is_due_at_once(void **state)
{
	static const struct keep_terms t = {SECONDS(1800), SECONDS(600), 0};

	(void)state;
	assert_true(keep_time_due(&t, 5, 0, start) <= start);
	assert_true(keep_time_due(&t, 5, -1, start) <= start);
}

static void
passes_that_are_too_seldom_are_seen(void **state)
{
	static const struct {
		struct keep_terms t;
		bool enough;
	} cases[] = {
	    {{SECONDS(1800), SECONDS(600), SECONDS(60)}, true},
	    {{SECONDS(1800), SECONDS(600), SECONDS(900)}, true},
	    {{SECONDS(1800), SECONDS(600), SECONDS(1000)}, false},
	    {{SECONDS(6), SECONDS(3), SECONDS(60)}, false},
	    {{SECONDS(6), SECONDS(3), 0}, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if ((keep_time_period(&cases[i].t) > 0) != cases[i].enough)
			fail_msg("case %zu", i);
	assert_int_equal(keep_time_due(&cases[2].t, 5, start + SECONDS(1700), start), start);
}

/*
 * Ten thousand files, all of them made in one moment, for two hours: no second has more than a
 * few renewals, no file is renewed more often than it must be, and none ever has less left than
 * it should.
 */
static void
ten_thousand_files_are_spread_over_time(void **state)
{
	enum { FILES = 10000, LENGTH = 7200, EACH = 10 /* about so many a second */ };
	static const struct keep_terms t = {SECONDS(1800), SECONDS(600), 0};
	static int64_t ends[FILES], dues[FILES];
	static uint64_t phases[FILES];
	size_t all = 0, most = 0;

	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/run/authserver/keep/user%zu/token", i);
		phases[i] = keep_time_phase("host.example", path);
		ends[i] = token_end(&t, start);
		dues[i] = keep_time_due(&t, phases[i], ends[i], start);
	}
	for (int64_t now = start; now < start + SECONDS(LENGTH); now += NANOSECONDS) {
		size_t renewed = 0;

		for (size_t i = 0; i < FILES; i++) {
			assert_true(ends[i] - now > t.at_least);
			if (dues[i] > now)
				continue;
			ends[i] = token_end(&t, now);
			dues[i] = keep_time_due(&t, phases[i], ends[i], now);
			assert_true(dues[i] > now);
			renewed++;
		}
		most = renewed > most ? renewed : most;
		all += renewed;
	}
	if (most > (size_t)3 * EACH + EACH / 2)
		fail_msg("%zu in one second", most);
	/* One in each period, of which there are 7.5, and at most one more. */
	assert_in_range(all, (size_t)FILES * 7, (size_t)FILES * 85 / 10);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_is_due_before_less_is_left_than_must_be),
	    cmocka_unit_test(the_same_file_has_the_same_time_whoever_asks),
	    cmocka_unit_test(a_clock_that_was_set_is_believed),
	    cmocka_unit_test(a_file_without_a_token_is_due_at_once),
	    cmocka_unit_test(passes_that_are_too_seldom_are_seen),
	    cmocka_unit_test(ten_thousand_files_are_spread_over_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
