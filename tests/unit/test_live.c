/* store: how many token files there are, and a bound on them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "store/live.h"
#include "tests/unit/stores.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int64_t now; /* the monotonic clock */

static int64_t
tell(void *state)
{
	(void)state;
	return now;
}

static const struct clock still = {.realtime = tell, .monotonic = tell};

static void
files_count_for_the_subject_that_their_name_says(void **state)
{
	static const char *const names[] = {"a.1700000000000000000.token",
	    "a.1700000000000000001.token", "ab.1700000000000000000.token",
	    "a.1700000000000000000.1700000000000000000.token", "%20.1700000000000000000.token",
	    "a.1700000000000000000.token~", "a", "no token"};
	static const struct {
		const char *subject;
		unsigned int count;
	} rows[] = {{"a", 2}, {"ab", 1}, {"a.1700000000000000000", 1}, {" ", 1}, {"A", 0},
	    {"", 0}, {NULL, 5}};
	const struct stores_fixture *f = *state;
	char longest[LIMIT_FILE_NAME];
	struct error e;
	unsigned int count;

	for (size_t i = 0; i < COUNT(names); i++)
		stores_put(f, names[i]);
	for (size_t i = 0; i < COUNT(rows); i++) {
		stores_check(live_count(&f->directory, rows[i].subject, &count, &e), &e);
		assert_int_equal(count, rows[i].count);
	}
	/* Of whom there can be no file. */
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	stores_check(live_count(&f->directory, longest, &count, &e), &e);
	assert_int_equal(count, 0);
}

static void
without_a_bound_there_is_always_room(void **state)
{
	const struct directory nowhere = {.fd = -1};
	struct live_bound b = {.limit = 0};
	struct error e;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(live_admit(&b, &nowhere, &still, &e), 0);
		assert_int_equal(live_take(&b, &nowhere, &still, &e), 0);
	}
	live_give_back(&b);
	assert_int_equal(b.room, 0);
}

static void
there_is_room_up_to_the_bound(void **state)
{
	const struct stores_fixture *f = *state;
	struct live_bound b = {.limit = 2};
	struct error e;

	now = 1;
	stores_check(live_take(&b, &f->directory, &still, &e), &e);
	stores_put(f, "a.1700000000000000000.token");
	stores_check(live_take(&b, &f->directory, &still, &e), &e);
	stores_put(f, "a.1700000000000000001.token");
	/* What is no token takes no room. */
	stores_put(f, "no token");
	assert_int_equal(live_take(&b, &f->directory, &still, &e), -1);
	assert_int_equal(e.code, ERROR_LIMITED);
	assert_non_null(strstr(e.text, "2 token files are there"));
}

static void
room_that_is_given_back_may_be_taken(void **state)
{
	const struct stores_fixture *f = *state;
	struct live_bound b = {.limit = 1};
	struct error e;

	now = 1;
	stores_check(live_take(&b, &f->directory, &still, &e), &e);
	stores_put(f, "a.1700000000000000000.token");
	assert_int_equal(live_take(&b, &f->directory, &still, &e), -1);
	live_give_back(&b);
	stores_check(live_take(&b, &f->directory, &still, &e), &e);
}

/* Nobody counts for each request that is refused. */
static void
where_there_was_no_room_nobody_counts_for_a_while(void **state)
{
	const struct stores_fixture *f = *state;
	struct live_bound b = {.limit = 1, .records = true};
	struct error e;

	now = 1;
	stores_put(f, "whatever it is");
	assert_int_equal(live_take(&b, &f->directory, &still, &e), -1);
	assert_non_null(strstr(e.text, "1 records of the state directory are there"));
	assert_int_equal(unlinkat(f->directory.fd, "whatever it is", 0), 0);
	now += 99 * (NANOSECONDS / 1000);
	assert_int_equal(live_admit(&b, &f->directory, &still, &e), -1);
	now += 2 * (NANOSECONDS / 1000);
	assert_int_equal(live_admit(&b, &f->directory, &still, &e), 0);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, stores_enter_open, stores_leave)
	static const struct CMUnitTest tests[] = {
	    TEST(files_count_for_the_subject_that_their_name_says),
	    TEST(without_a_bound_there_is_always_room),
	    TEST(there_is_room_up_to_the_bound),
	    TEST(room_that_is_given_back_may_be_taken),
	    TEST(where_there_was_no_room_nobody_counts_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
