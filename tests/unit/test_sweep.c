/* store: what a pass over the token directory deletes, and what it spares. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sweep.h"
#include "tests/unit/stores.h"

static int64_t
fixed_time(void *state)
{
	return *(int64_t *)state;
}

/* What one pass at the given age of STORES_T0 deletes. */
static size_t
sweep_at(const struct stores_fixture *f, int64_t age, struct sweep_options o)
{
	int64_t now = STORES_T0 + age;
	const struct clock clock = {.realtime = fixed_time, .state = &now};
	struct error e;
	size_t count;

	stores_check(sweep_once(&f->directory, &o, &clock, &count, &e), &e);
	return count;
}

static const struct sweep_options ten_seconds = {.max_age = 10 * NANOSECONDS};

static void
a_token_goes_when_it_reaches_its_age_and_not_before(void **state)
{
	struct stores_fixture *f = *state;

	stores_put(f, "foo.1700000000000000000.token");
	assert_int_equal(sweep_at(f, 10 * NANOSECONDS - 1, ten_seconds), 0);
	assert_int_equal(sweep_at(f, 10 * NANOSECONDS, ten_seconds), 1);
	assert_int_equal(stores_count(f), 0);
}

static void
a_token_from_the_future_goes_when_it_is_further_than_its_age(void **state)
{
	struct stores_fixture *f = *state;

	stores_put(f, "foo.1700000000000000000.token");
	assert_int_equal(sweep_at(f, -10 * NANOSECONDS, ten_seconds), 0);
	assert_int_equal(sweep_at(f, -3600 * NANOSECONDS, ten_seconds), 1);
}

static void
a_subject_that_looks_like_a_name_is_judged_by_its_own_time(void **state)
{
	struct stores_fixture *f = *state;

	stores_put(f, "a.1600000000000000000.1700000000000000000.token");
	assert_int_equal(sweep_at(f, NANOSECONDS, ten_seconds), 0);
	assert_int_equal(sweep_at(f, 11 * NANOSECONDS, ten_seconds), 1);
}

static void
age_zero_deletes_every_token(void **state)
{
	struct stores_fixture *f = *state;
	struct sweep_options all = {.max_age = 0};

	stores_put(f, "foo.1600000000000000000.token");
	stores_put(f, "foo.1700000000000000000.token");
	stores_put(f, "foo.1800000000000000000.token");
	assert_int_equal(sweep_at(f, 0, all), 3);
}

static void
a_dry_run_deletes_nothing(void **state)
{
	struct stores_fixture *f = *state;
	struct sweep_options o = ten_seconds;

	o.dry_run = true;
	stores_put(f, "foo.1700000000000000000.token");
	assert_int_equal(sweep_at(f, 11 * NANOSECONDS, o), 1);
	assert_int_equal(stores_count(f), 1);
}

static void
what_is_no_token_of_ours_stays(void **state)
{
	struct stores_fixture *f = *state;
	int fd = f->directory.fd;

	stores_put(f, "notes.txt");
	stores_put(f, "foo.1700000000000000000.token.bak");
	stores_put(f, "two.1700000000000000000.token");
	assert_int_equal(linkat(fd, "two.1700000000000000000.token", fd, "other", 0), 0);
	assert_int_equal(symlinkat("other", fd, "link.1700000000000000000.token"), 0);
	assert_int_equal(mkfifoat(fd, "fifo.1700000000000000000.token", 0600), 0);
	assert_int_equal(mkdirat(fd, "dir.1700000000000000000.token", 0700), 0);
	assert_int_equal(sweep_at(f, 3600 * NANOSECONDS, ten_seconds), 0);
	assert_int_equal(stores_count(f), 7);
}

static void
a_foreign_file_stays_unless_it_was_given_to_its_subject(void **state)
{
	struct stores_fixture *f = *state;
	int fd = f->directory.fd;

	if (geteuid() != 0)
		skip();
	stores_put(f, "foreign.1700000000000000000.token");
	assert_int_equal(
	    fchownat(fd, "foreign.1700000000000000000.token", STORES_NOBODY, STORES_NOBODY, 0),
	    0);
	stores_put(f, "given.1700000000000000000.token");
	assert_int_equal(fchmodat(fd, "given.1700000000000000000.token", 0400, 0), 0);
	assert_int_equal(
	    fchownat(fd, "given.1700000000000000000.token", STORES_NOBODY, STORES_NOBODY, 0),
	    0);

	/* Where a group may write, any of its members may have made a private file. */
	assert_int_equal(fchmod(fd, 0770), 0);
	assert_int_equal(sweep_at(f, 3600 * NANOSECONDS, ten_seconds), 0);
	assert_int_equal(fchmod(fd, 0710), 0);
	assert_int_equal(sweep_at(f, 3600 * NANOSECONDS, ten_seconds), 1);
	assert_true(stores_has(f, "foreign.1700000000000000000.token"));
}

static void
what_a_killed_mint_left_goes_with_its_second_name(void **state)
{
	static const char *const left[] = {
	    ".tmp-0123456789abcdef0123456789abcdef", ".tmp-00000000000000000000000000000000"};
	static const char *const tokens[] = {
	    "foo.1700000000000000000.token", "bar.1700000000000000000.token"};
	static const struct timespec made[] = {
	    {.tv_sec = STORES_T0 / NANOSECONDS}, {.tv_sec = STORES_T0 / NANOSECONDS}};
	struct stores_fixture *f = *state;
	int fd = f->directory.fd;

	/* Either name may be the first that a listing meets: make them in both orders. */
	stores_put(f, left[0]);
	assert_int_equal(linkat(fd, left[0], fd, tokens[0], 0), 0);
	stores_put(f, tokens[1]);
	assert_int_equal(linkat(fd, tokens[1], fd, left[1], 0), 0);
	stores_put(f, ".tmp-not-ours");
	assert_int_equal(utimensat(fd, left[0], made, 0), 0);
	assert_int_equal(utimensat(fd, left[1], made, 0), 0);
	assert_int_equal(utimensat(fd, ".tmp-not-ours", made, 0), 0);
	assert_int_equal(sweep_at(f, 9 * NANOSECONDS, ten_seconds), 0);
	assert_int_equal(sweep_at(f, 10 * NANOSECONDS, ten_seconds), 4);
	assert_int_equal(stores_count(f), 1);
	assert_true(stores_has(f, ".tmp-not-ours"));
}

static void
age_zero_spares_the_mint_that_goes_on(void **state)
{
	static const char temporary[] = ".tmp-0123456789abcdef0123456789abcdef";
	static const struct timespec made[] = {
	    {.tv_sec = STORES_T0 / NANOSECONDS}, {.tv_sec = STORES_T0 / NANOSECONDS}};
	struct stores_fixture *f = *state;
	struct sweep_options all = {.max_age = 0};

	stores_put(f, temporary);
	assert_int_equal(utimensat(f->directory.fd, temporary, made, 0), 0);
	assert_int_equal(sweep_at(f, NANOSECONDS / 2, all), 0);
}

static void
sweep_unlink_refused(struct stores_fixture *f, const void *argument)
{
	int64_t now = STORES_T0 + 3600 * NANOSECONDS;
	const struct clock clock = {.realtime = fixed_time, .state = &now};
	const struct stores_injection *i = argument;
	struct error e = {0};
	size_t count = 99;

	stores_inject(i);
	CHILD_ASSERT(sweep_once(&f->directory, &ten_seconds, &clock, &count, &e) == -1);
	CHILD_ASSERT(e.code == i->code);
	CHILD_ASSERT(count == 0);
}

static void
a_file_that_cannot_be_deleted_is_an_error(void **state)
{
	static const struct stores_injection cases[] = {
	    {"read-only", STORES_ON(unlinkat), EROFS, ERROR_UNAVAILABLE},
	    {"permission", STORES_ON(unlinkat), EACCES, ERROR_NO_PERMISSION},
	    {"listing", STORES_ON(getdents64), EIO, ERROR_UNAVAILABLE},
	};
	struct stores_fixture *f = *state;

	stores_put(f, "foo.1700000000000000000.token");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		stores_in_child(sweep_unlink_refused, f, &cases[i]);
}

static void
deleting_one_file_tells_what_became_of_it(void **state)
{
	struct stores_fixture *f = *state;

	stores_put(f, "foo.1700000000000000000.token");
	assert_int_equal(sweep_delete(&f->directory, "foo.1700000000000000000.token", true), 1);
	assert_int_equal(
	    sweep_delete(&f->directory, "foo.1700000000000000000.token", false), 1);
	assert_int_equal(
	    sweep_delete(&f->directory, "foo.1700000000000000000.token", false), 0);
	assert_int_equal(symlinkat("x", f->directory.fd, "foo.1700000000000000000.token"), 0);
	assert_int_equal(
	    sweep_delete(&f->directory, "foo.1700000000000000000.token", false), 0);
}

#define IN_DIRECTORY(test) \
	cmocka_unit_test_setup_teardown(test, stores_enter_open, stores_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_DIRECTORY(a_token_goes_when_it_reaches_its_age_and_not_before),
	    IN_DIRECTORY(a_token_from_the_future_goes_when_it_is_further_than_its_age),
	    IN_DIRECTORY(a_subject_that_looks_like_a_name_is_judged_by_its_own_time),
	    IN_DIRECTORY(age_zero_deletes_every_token),
	    IN_DIRECTORY(a_dry_run_deletes_nothing),
	    IN_DIRECTORY(what_is_no_token_of_ours_stays),
	    IN_DIRECTORY(a_foreign_file_stays_unless_it_was_given_to_its_subject),
	    IN_DIRECTORY(what_a_killed_mint_left_goes_with_its_second_name),
	    IN_DIRECTORY(age_zero_spares_the_mint_that_goes_on),
	    IN_DIRECTORY(a_file_that_cannot_be_deleted_is_an_error),
	    IN_DIRECTORY(deleting_one_file_tells_what_became_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
