/* jose: which key signs at a second, and until which second each is published. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "jose/timeline.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LONGEST = 86400 };

/* Three keys in a row, and what the second of them goes through. */
enum { FIRST = 1000000, SECOND = 2000000, THIRD = 3000000, END = 3000000 + LONGEST + 600 };

struct keys {
	struct period periods[8];
	size_t count;
};

static void
add(struct keys *k, int64_t from, const char *algorithm)
{
	k->periods[k->count++] =
	    (struct period){.from = from, .algorithm = algorithm_find(algorithm)};
}

static struct keys
three(void)
{
	struct keys k = {0};

	add(&k, FIRST, "RS512");
	add(&k, SECOND, "RS512");
	add(&k, THIRD, "RS512");
	return k;
}

static enum key_state
state_of(const struct keys *k, size_t i, int64_t now)
{
	return timeline_state(k->periods, k->count, i, now, LONGEST);
}

static int
active(const struct keys *k, const char *algorithm, int64_t now)
{
	return timeline_active(k->periods, k->count, algorithm_find(algorithm), now);
}

static int64_t
change(const struct keys *k, int64_t now)
{
	return timeline_change(k->periods, k->count, now, LONGEST);
}

/* --- one key after the other --- */

static void
key_is_next_until_the_second_of_its_activation(void **state)
{
	struct keys k = three();

	(void)state;
	assert_int_equal(state_of(&k, 1, 0), KEY_STATE_NEXT);
	assert_int_equal(state_of(&k, 1, SECOND - 1), KEY_STATE_NEXT);
	assert_int_equal(state_of(&k, 1, SECOND), KEY_STATE_ACTIVE);
}

static void
key_is_active_until_the_second_its_successor_starts(void **state)
{
	struct keys k = three();

	(void)state;
	assert_int_equal(state_of(&k, 1, THIRD - 1), KEY_STATE_ACTIVE);
	assert_int_equal(state_of(&k, 1, THIRD), KEY_STATE_RETIRED);
}

/* The last token is signed in the second before the successor's. */
static void
key_expires_ten_minutes_after_its_last_token(void **state)
{
	struct keys k = three();

	(void)state;
	assert_int_equal(state_of(&k, 1, END - 1), KEY_STATE_RETIRED);
	assert_int_equal(state_of(&k, 1, END), KEY_STATE_EXPIRED);
	assert_int_equal(timeline_end(k.periods, k.count, 1, LONGEST), END);
}

static void
key_without_a_successor_is_active_for_ever(void **state)
{
	struct keys k = three();

	(void)state;
	assert_int_equal(timeline_end(k.periods, k.count, 2, LONGEST), INT64_MAX);
	assert_int_equal(state_of(&k, 2, INT64_MAX - 1), KEY_STATE_ACTIVE);
}

/* Not the newest of all: a rotation may be planned far ahead. */
static void
successor_is_the_next_key_in_time(void **state)
{
	struct keys k = three();

	(void)state;
	assert_int_equal(timeline_end(k.periods, k.count, 0, LONGEST), SECOND + LONGEST + 600);
	assert_int_equal(state_of(&k, 0, SECOND), KEY_STATE_RETIRED);
}

static void
order_of_the_keys_does_not_matter(void **state)
{
	static const int64_t orders[][3] = {{FIRST, SECOND, THIRD}, {FIRST, THIRD, SECOND},
	    {SECOND, FIRST, THIRD}, {SECOND, THIRD, FIRST}, {THIRD, FIRST, SECOND},
	    {THIRD, SECOND, FIRST}};

	(void)state;
	for (size_t order = 0; order < COUNT(orders); order++) {
		struct keys k = {0};
		int i;

		for (size_t j = 0; j < 3; j++)
			add(&k, orders[order][j], "ES256");
		i = active(&k, "ES256", THIRD - 1);
		assert_int_not_equal(i, -1);
		assert_int_equal(k.periods[i].from, SECOND);
		assert_int_equal(timeline_end(k.periods, k.count, (size_t)i, LONGEST), END);
		assert_int_equal(state_of(&k, (size_t)i, END), KEY_STATE_EXPIRED);
		assert_int_equal(change(&k, SECOND), SECOND + LONGEST + 600);
	}
}

/* A token's longest life is the configuration's: a shorter one lets keys go earlier. */
static void
longest_life_moves_the_end_and_nothing_else(void **state)
{
	static const int64_t lives[] = {0, 1, 3600, LONGEST, 315360000};
	struct keys k = three();

	(void)state;
	for (size_t i = 0; i < COUNT(lives); i++) {
		int64_t end = timeline_end(k.periods, k.count, 1, lives[i]);

		assert_int_equal(end, THIRD + lives[i] + 600);
		assert_int_equal(timeline_state(k.periods, k.count, 1, THIRD - 1, lives[i]),
		    KEY_STATE_ACTIVE);
		assert_int_equal(timeline_state(k.periods, k.count, 1, end - 1, lives[i]),
		    KEY_STATE_RETIRED);
		assert_int_equal(
		    timeline_state(k.periods, k.count, 1, end, lives[i]), KEY_STATE_EXPIRED);
	}
}

/* --- which one signs --- */

static void
newest_key_whose_time_has_come_signs(void **state)
{
	struct keys k = three();

	(void)state;
	assert_int_equal(active(&k, "RS512", FIRST), 0);
	assert_int_equal(active(&k, "RS512", SECOND - 1), 0);
	assert_int_equal(active(&k, "RS512", SECOND), 1);
	assert_int_equal(active(&k, "RS512", THIRD - 1), 1);
	assert_int_equal(active(&k, "RS512", THIRD), 2);
	assert_int_equal(active(&k, "RS512", INT64_MAX), 2);
}

static void
nothing_signs_before_the_first_activation(void **state)
{
	struct keys k = three();

	(void)state;
	assert_int_equal(active(&k, "RS512", FIRST - 1), -1);
	assert_int_equal(active(&k, "RS512", 0), -1);
	assert_int_equal(active(&k, "RS512", INT64_MIN), -1);
}

static void
nothing_signs_without_keys(void **state)
{
	struct keys k = {0};

	(void)state;
	assert_int_equal(active(&k, "RS512", FIRST), -1);
	assert_int_equal(change(&k, FIRST), INT64_MAX);
}

/* timeline_active() and timeline_state() are two views of one thing. */
static void
key_that_signs_is_the_only_active_one(void **state)
{
	struct keys k = {0};

	(void)state;
	add(&k, 50, "ES256");
	add(&k, 10, "RS512");
	add(&k, 30, "ES256");
	add(&k, 31, "RS512");
	add(&k, 70, "RS512");
	for (int64_t now = 0; now < 100; now++) {
		int rs = active(&k, "RS512", now);
		int es = active(&k, "ES256", now);

		for (size_t i = 0; i < k.count; i++) {
			int is_active =
			    timeline_state(k.periods, k.count, i, now, 5) == KEY_STATE_ACTIVE;

			assert_int_equal(is_active, (int)i == rs || (int)i == es);
		}
	}
}

/* --- several algorithms --- */

static void
key_of_another_algorithm_is_no_successor(void **state)
{
	struct keys k = {0};

	(void)state;
	add(&k, FIRST, "RS512");
	add(&k, SECOND, "RS256");
	add(&k, SECOND, "ES256");
	add(&k, THIRD, "EdDSA");
	for (size_t i = 0; i < k.count; i++) {
		assert_int_equal(timeline_end(k.periods, k.count, i, LONGEST), INT64_MAX);
		assert_int_equal(state_of(&k, i, THIRD + 10 * LONGEST), KEY_STATE_ACTIVE);
	}
}

static void
each_algorithm_has_a_key_that_signs(void **state)
{
	struct keys k = {0};

	(void)state;
	add(&k, FIRST, "RS512");
	add(&k, SECOND, "ES256");
	add(&k, THIRD, "RS512");
	assert_int_equal(active(&k, "ES256", SECOND - 1), -1);
	assert_int_equal(active(&k, "RS512", SECOND), 0);
	assert_int_equal(active(&k, "ES256", SECOND), 1);
	assert_int_equal(active(&k, "RS512", THIRD), 2);
	assert_int_equal(active(&k, "ES256", THIRD), 1);
	assert_int_equal(active(&k, "PS512", THIRD), -1);
	assert_int_equal(state_of(&k, 0, THIRD), KEY_STATE_RETIRED);
	assert_int_equal(state_of(&k, 1, THIRD + LONGEST + 600), KEY_STATE_ACTIVE);
}

/* --- when something changes --- */

static void
change_is_the_next_activation_or_end(void **state)
{
	static const int64_t moments[] = {FIRST, SECOND, SECOND + LONGEST + 600, THIRD, END};
	struct keys k = three();
	int64_t now = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(moments); i++) {
		assert_int_equal(change(&k, now), moments[i]);
		assert_int_equal(change(&k, moments[i] - 1), moments[i]);
		now = moments[i];
	}
	assert_int_equal(change(&k, END), INT64_MAX);
}

/* Whoever waits for it misses nothing: tried at every second. */
static void
no_state_changes_before_the_change_that_was_told(void **state)
{
	struct keys k = {0};

	(void)state;
	add(&k, 100, "RS512");
	add(&k, 90, "ES256");
	add(&k, 1100, "RS512");
	add(&k, 1101, "RS512");
	add(&k, 700, "ES256");
	for (int64_t now = 0; now < 2500; now++) {
		int64_t next = timeline_change(k.periods, k.count, now, 60);
		int changed = 0;

		assert_true(next > now);
		for (size_t i = 0; i < k.count; i++)
			changed += timeline_state(k.periods, k.count, i, now, 60) !=
				   timeline_state(k.periods, k.count, i, now + 1, 60);
		assert_int_equal(changed > 0, next == now + 1);
	}
}

/* --- extremes --- */

static void
end_beyond_all_time_is_the_end_of_time(void **state)
{
	static const int64_t successors[] = {INT64_MAX, INT64_MAX - 1,
	    INT64_MAX - LONGEST - 600 + 1, INT64_MAX - LONGEST - 600,
	    INT64_MAX - LONGEST - 601};
	static const int64_t ends[] = {
	    INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX - 1};

	(void)state;
	for (size_t i = 0; i < COUNT(successors); i++) {
		struct keys k = {0};

		add(&k, FIRST, "RS512");
		add(&k, successors[i], "RS512");
		assert_int_equal(timeline_end(k.periods, k.count, 0, LONGEST), ends[i]);
		assert_int_equal(state_of(&k, 0, successors[i] - 1), KEY_STATE_ACTIVE);
		assert_int_equal(state_of(&k, 1, successors[i] - 1), KEY_STATE_NEXT);
	}
}

static void
tokens_that_live_for_ever_keep_their_key_for_ever(void **state)
{
	struct keys k = three();

	(void)state;
	assert_int_equal(timeline_end(k.periods, k.count, 0, INT64_MAX), INT64_MAX);
	assert_int_equal(timeline_end(k.periods, k.count, 0, INT64_MAX - 600), INT64_MAX);
	assert_int_equal(
	    timeline_state(k.periods, k.count, 0, INT64_MAX - 1, INT64_MAX), KEY_STATE_RETIRED);
	assert_int_equal(timeline_change(k.periods, k.count, THIRD, INT64_MAX), INT64_MAX);
}

static void
key_of_1970_and_one_of_the_end_of_time_get_along(void **state)
{
	struct keys k = {0};

	(void)state;
	add(&k, 0, "EdDSA");
	add(&k, INT64_MAX, "EdDSA");
	assert_int_equal(active(&k, "EdDSA", 0), 0);
	assert_int_equal(active(&k, "EdDSA", INT64_MAX - 1), 0);
	assert_int_equal(active(&k, "EdDSA", INT64_MAX), 1);
	assert_int_equal(change(&k, 0), INT64_MAX);
	assert_int_equal(state_of(&k, 0, -1), KEY_STATE_NEXT);
}

static void
states_have_the_names_of_the_manual(void **state)
{
	(void)state;
	assert_string_equal(key_state_name(KEY_STATE_NEXT), "next");
	assert_string_equal(key_state_name(KEY_STATE_ACTIVE), "active");
	assert_string_equal(key_state_name(KEY_STATE_RETIRED), "retired");
	assert_string_equal(key_state_name(KEY_STATE_EXPIRED), "expired");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_is_next_until_the_second_of_its_activation),
	    cmocka_unit_test(key_is_active_until_the_second_its_successor_starts),
	    cmocka_unit_test(key_expires_ten_minutes_after_its_last_token),
	    cmocka_unit_test(key_without_a_successor_is_active_for_ever),
	    cmocka_unit_test(successor_is_the_next_key_in_time),
	    cmocka_unit_test(order_of_the_keys_does_not_matter),
	    cmocka_unit_test(longest_life_moves_the_end_and_nothing_else),
	    cmocka_unit_test(newest_key_whose_time_has_come_signs),
	    cmocka_unit_test(nothing_signs_before_the_first_activation),
	    cmocka_unit_test(nothing_signs_without_keys),
	    cmocka_unit_test(key_that_signs_is_the_only_active_one),
	    cmocka_unit_test(key_of_another_algorithm_is_no_successor),
	    cmocka_unit_test(each_algorithm_has_a_key_that_signs),
	    cmocka_unit_test(change_is_the_next_activation_or_end),
	    cmocka_unit_test(no_state_changes_before_the_change_that_was_told),
	    cmocka_unit_test(end_beyond_all_time_is_the_end_of_time),
	    cmocka_unit_test(tokens_that_live_for_ever_keep_their_key_for_ever),
	    cmocka_unit_test(key_of_1970_and_one_of_the_end_of_time_get_along),
	    cmocka_unit_test(states_have_the_names_of_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
