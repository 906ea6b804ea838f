/* resolver: when keys are fetched, and for how long they count. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "resolver/key_age.h"

enum { FRESH = 600, STALE = 1000 };

/* Times in these tests are in seconds. */
static bool
due(struct key_age *a, int64_t now, bool anew)
{
	return key_age_is_due(a, now * NANOSECONDS, anew);
}

static struct key_age
fetched(int64_t now)
{
	struct key_age a = {0};

	key_age_succeed(&a, now * NANOSECONDS, FRESH, STALE);
	return a;
}

static int64_t
lose(struct key_age *a, int64_t now)
{
	return key_age_fail(a, now * NANOSECONDS);
}

static int64_t
keep(const struct key_age *a, int64_t now)
{
	int64_t nanoseconds = key_age_keep(a, now * NANOSECONDS);

	assert_int_equal(nanoseconds % NANOSECONDS, 0);
	return nanoseconds / NANOSECONDS;
}

static void
keys_are_fetched_at_first_and_when_they_are_not_fresh(void **state)
{
	struct key_age a = {0};

	(void)state;
	assert_true(due(&a, 100, false));
	assert_false(key_age_is_trusted(&a, 100 * NANOSECONDS));
	a = fetched(100);
	assert_false(due(&a, 100, false));
	assert_int_equal(keep(&a, 100), FRESH);
	assert_false(due(&a, 100 + FRESH - 1, false));
	assert_int_equal(keep(&a, 100 + FRESH - 1), 1);
	assert_true(due(&a, 100 + FRESH, false));
	assert_int_equal(keep(&a, 100 + FRESH), 0);
}

static void
old_keys_are_trusted_for_a_while_and_no_longer(void **state)
{
	struct key_age a = fetched(100);

	(void)state;
	assert_true(key_age_is_trusted(&a, (100 + FRESH) * NANOSECONDS));
	assert_true(key_age_is_trusted(&a, (100 + FRESH + STALE) * NANOSECONDS - 1));
	assert_false(key_age_is_trusted(&a, (100 + FRESH + STALE) * NANOSECONDS));
}

/* A failure, however late, does not make them newer. */
static void
failures_do_not_prolong_trust(void **state)
{
	struct key_age a = fetched(100);

	(void)state;
	(void)lose(&a, 100 + FRESH);
	(void)lose(&a, 100 + FRESH + STALE - 1);
	assert_int_equal(keep(&a, 100 + FRESH + STALE - 1), 1);
	assert_false(key_age_is_trusted(&a, (100 + FRESH + STALE) * NANOSECONDS));
}

static void
after_each_failure_it_takes_longer_up_to_a_minute(void **state)
{
	static const int64_t waits[] = {5, 10, 20, 40, 60, 60, 60};
	struct key_age a = fetched(0);
	int64_t now = FRESH;

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		assert_true(due(&a, now, false));
		assert_int_equal(lose(&a, now), waits[i]);
		assert_int_equal(keep(&a, now), waits[i]);
		assert_false(due(&a, now + waits[i] - 1, false));
		assert_false(due(&a, now + waits[i] - 1, true));
		now += waits[i];
	}
	key_age_succeed(&a, now * NANOSECONDS, FRESH, STALE);
	assert_int_equal(lose(&a, now + FRESH), 5);
}

static void
unknown_kid_is_a_reason_every_half_minute(void **state)
{
	struct key_age a = fetched(100);

	(void)state;
	assert_false(due(&a, 101, false));
	assert_true(due(&a, 101, true));
	key_age_succeed(&a, 102 * NANOSECONDS, FRESH, STALE);
	assert_false(due(&a, 102, true));
	assert_false(due(&a, 130, true));
	assert_true(due(&a, 131, true));
	assert_false(due(&a, 131, true));
}

/* What was not fetched for it does not count. */
static void
unknown_kid_waits_for_no_other_fetch(void **state)
{
	struct key_age a = fetched(100);

	(void)state;
	assert_true(due(&a, 100 + FRESH, false));
	key_age_succeed(&a, (100 + FRESH) * NANOSECONDS, FRESH, STALE);
	assert_true(due(&a, 100 + FRESH, true));
}

static void
failure_while_fresh_leaves_them_fresh(void **state)
{
	struct key_age a = fetched(100);

	(void)state;
	assert_true(due(&a, 101, true));
	(void)lose(&a, 101);
	assert_int_equal(keep(&a, 101), FRESH - 1);
	assert_false(due(&a, 101, false));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_are_fetched_at_first_and_when_they_are_not_fresh),
	    cmocka_unit_test(old_keys_are_trusted_for_a_while_and_no_longer),
	    cmocka_unit_test(failures_do_not_prolong_trust),
	    cmocka_unit_test(after_each_failure_it_takes_longer_up_to_a_minute),
	    cmocka_unit_test(unknown_kid_is_a_reason_every_half_minute),
	    cmocka_unit_test(unknown_kid_waits_for_no_other_fetch),
	    cmocka_unit_test(failure_while_fresh_leaves_them_fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
