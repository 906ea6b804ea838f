/* identity: for how long an answer of a web server is fresh. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "identity/freshness.h"

enum { LEAST = 60, HOUR = 3600, DAY = 24 * HOUR };

static const struct row {
	const char *cache_control;
	const char *age;
	int64_t seconds;
} rows[] = {
    {NULL, NULL, HOUR},
    {"", NULL, HOUR},
    {"public", NULL, HOUR},
    {"max-age=300", NULL, 300},
    {"public, max-age=300, must-revalidate", NULL, 300},
    {"MAX-AGE=300", NULL, 300},
    {" \tmax-age = 300 ,", NULL, 300},
    {",,max-age=300,,", NULL, 300},
    {"max-age=\"300\"", NULL, 300},
    /* Bounds. */
    {"max-age=0", NULL, LEAST},
    {"max-age=59", NULL, LEAST},
    {"max-age=60", NULL, 60},
    {"max-age=61", NULL, 61},
    {"max-age=86399", NULL, DAY - 1},
    {"max-age=86401", NULL, DAY},
    {"max-age=4294967296", NULL, DAY},
    {"max-age=99999999999999999999999999", NULL, DAY},
    /* What is not to be kept is kept for the least. */
    {"no-cache", NULL, LEAST},
    {"no-store, max-age=300", NULL, LEAST},
    {"max-age=300, No-Store", NULL, LEAST},
    {"no-cache=\"x, max-age=300\"", NULL, LEAST},
    /* What is no number says that nobody knows. */
    {"max-age", NULL, LEAST},
    {"max-age=", NULL, LEAST},
    {"max-age=-1", NULL, LEAST},
    {"max-age=+300", NULL, LEAST},
    {"max-age=300s", NULL, LEAST},
    {"max-age=3 00", NULL, LEAST},
    {"max-age=\"300", NULL, LEAST},
    {"max-age=1e9", NULL, LEAST},
    {"max-age=x, max-age=300", NULL, LEAST},
    /* Of several the smallest. */
    {"max-age=300, max-age=200", NULL, 200},
    {"max-age=200, max-age=300", NULL, 200},
    /* What is something else. */
    {"s-maxage=300", NULL, HOUR},
    {"s-maxage=100, max-age=300", NULL, 300},
    {"x-max-age=300", NULL, HOUR},
    {"max-agee=300", NULL, HOUR},
    {"stale-while-revalidate=300", NULL, HOUR},
    {"ext=\"max-age=300\"", NULL, HOUR},
    {"ext=\"a, max-age=300\"", NULL, HOUR},
    {"ext=\"a\\\", max-age=300\"", NULL, HOUR},
    {"ext=\"\\", NULL, HOUR},
    /* What has passed on the way. */
    {"max-age=300", "100", 200},
    {"max-age=300", " 100 ", 200},
    {"max-age=300", "299", LEAST},
    {"max-age=300", "99999999999999", LEAST},
    {"max-age=99999999", "86400", DAY},
    {NULL, "600", HOUR - 600},
    {"max-age=300", "x", 300},
    {"max-age=300", "-5", 300},
    {"max-age=300", "", 300},
};

static void
freshness_is_what_is_said_within_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		int64_t seconds = freshness_of(r->cache_control, r->age);

		if (seconds != r->seconds)
			fail_msg(
			    "'%s' at '%s': %lld", r->cache_control, r->age, (long long)seconds);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(freshness_is_what_is_said_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
