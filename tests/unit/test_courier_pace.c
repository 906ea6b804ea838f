/* base: how many requests may be under way, by how fast the other process has answered. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "tests/unit/couriers.h"
#include "tests/unit/patience.h"

#define MILLISECOND (NANOSECONDS / 1000)

enum { MOST = 128, FEW = 8, ROUNDS = 40 };

static void
answer_next(struct couriers_fixture *f)
{
	const struct note n = couriers_make_answer(couriers_take(f).head.id, "done");

	couriers_answer_with(f, &n, sizeof(n));
}

/* One after the other, ten a second, each of which takes so long. */
static void
go_at(struct couriers_fixture *f, int64_t each)
{
	struct error e = {0};

	for (int i = 0; i < ROUNDS; i++) {
		f->now += 100 * MILLISECOND;
		assert_int_equal(couriers_submit(f, 0, &e), 0);
		f->now += each;
		answer_next(f);
	}
}

/* How many of so many that come at once are taken. */
static size_t
burst(struct couriers_fixture *f, size_t count)
{
	struct error e = {0};
	size_t taken = 0;

	while (taken < count && couriers_submit(f, 1 + taken, &e) == 0)
		taken++;
	return taken;
}

static void
open_paced(struct couriers_fixture *f)
{
	f->pace.few = FEW;
	f->pace.wait = 200 * MILLISECOND;
	assert_int_equal(couriers_open(f, MOST, &entropy_system), 0);
}

static void
a_slow_one_is_given_as_many_as_it_answers_in_time(void **state)
{
	struct couriers_fixture *f = *state;

	open_paced(f);
	go_at(f, 10 * MILLISECOND);
	assert_int_equal(burst(f, MOST), 20);
}

static void
the_slowest_is_given_a_few(void **state)
{
	struct couriers_fixture *f = *state;

	open_paced(f);
	go_at(f, 99 * MILLISECOND);
	assert_int_equal(burst(f, MOST), FEW);
}

static void
a_fast_one_is_given_all_that_there_may_be(void **state)
{
	struct couriers_fixture *f = *state;

	open_paced(f);
	go_at(f, MILLISECOND);
	assert_int_equal(burst(f, MOST + 1), MOST);
}

/* One that waits for somebody else all the time: neither is the other process busy by it, nor
 * is there less room. */
static void
light_ones_do_not_count(void **state)
{
	struct couriers_fixture *f = *state;
	struct error e = {0};

	open_paced(f);
	assert_int_equal(couriers_submit_light(f, COURIERS_LAST, &e), 0);
	(void)couriers_take(f);
	go_at(f, MILLISECOND);
	assert_int_equal(burst(f, MOST + 1), MOST);
	couriers_assert_pending(f, COURIERS_LAST);
}

static void
light_ones_are_not_kept_out(void **state)
{
	struct couriers_fixture *f = *state;
	struct error e = {0};
	size_t taken = MOST;

	open_paced(f);
	assert_int_equal(burst(f, MOST), MOST);
	while (couriers_submit_light(f, taken, &e) == 0)
		taken++;
	/* The slots are all taken then: nobody looks for one that is not there. */
	assert_int_equal(taken, COURIER_MOST);
	assert_int_equal(couriers_submit(f, 0, &e), -1);
	assert_string_equal(e.text, "256 requests to the other are under way");
}

static void
room_comes_back_with_what_failed(void **state)
{
	struct couriers_fixture *f = *state;

	open_paced(f);
	go_at(f, 10 * MILLISECOND);
	assert_int_equal(burst(f, MOST), 20);
	f->now += 6 * NANOSECONDS; /* its deadline is 5 s */
	courier_expire(f->courier);
	assert_int_equal(burst(f, MOST), 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, couriers_setup, couriers_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(a_slow_one_is_given_as_many_as_it_answers_in_time),
	    TEST(the_slowest_is_given_a_few),
	    TEST(a_fast_one_is_given_all_that_there_may_be),
	    TEST(light_ones_do_not_count),
	    TEST(light_ones_are_not_kept_out),
	    TEST(room_comes_back_with_what_failed),
	};

	patience_end(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
