/* store: each system call fails in turn, while a token directory is opened, watched and swept,
 * and while files are published and kept. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/keep_file.h"
#include "store/live.h"
#include "store/publish.h"
#include "store/watch.h"
#include "tests/unit/faults.h"
#include "tests/unit/stores.h"

static const char name[] = "foo.1700000000000000000.token";

static void
open_directory(void *context)
{
	struct stores_fixture *f = context;
	struct error e = {0};
	struct directory d;
	int rc;

	faults_on();
	rc = directory_open(&d, f->path, 0, (gid_t)-1, &e);
	faults_check(rc, &e);
	assert_int_equal(d.fd == -1, rc == -1);
	assert_int_equal(d.path == NULL, rc == -1);
	directory_close(&d);
}

static gid_t created_for; /* (gid_t)-1: nobody else */

static void
create_directory(void *context)
{
	struct stores_fixture *f = context;
	struct error e = {0};
	struct directory d;
	int rc;

	(void)rmdir(f->path);
	faults_on();
	rc = directory_open(&d, f->path, 0750, created_for, &e);
	faults_check(rc, &e);
	assert_int_equal(d.fd == -1, rc == -1);
	if (rc == 0 && (!faults_hit() || faults_number() != EEXIST))
		assert_int_equal(
		    stores_look(&(struct stores_fixture){.directory = d}, ".").st_mode,
		    S_IFDIR | 0750);
	directory_close(&d);
}

static void
a_directory_is_opened_whole_or_not_at_all(void **state)
{
	struct stores_fixture *f = *state;

	directory_close(&f->directory);
	faults_sweep(open_directory, f);
	faults_sweep_by(ELOOP, open_directory, f);
	created_for = getegid();
	faults_sweep(create_directory, f);
	created_for = (gid_t)-1;
	faults_sweep(create_directory, f);
}

static void
try_directory(void *context)
{
	struct stores_fixture *f = context;
	struct directory_trial t;
	struct error e = {0};
	int rc;

	faults_on();
	rc = directory_try(f->path, &t, &e);
	faults_check(rc, &e);
}

static void
a_trial_that_fails_says_why(void **state)
{
	struct stores_fixture *f = *state;

	faults_sweep(try_directory, f);
	faults_sweep_by(EOPNOTSUPP, try_directory, f);
	directory_close(&f->directory);
	assert_int_equal(rmdir(f->path), 0);
	faults_sweep(try_directory, f);
	assert_int_equal(faccessat(AT_FDCWD, f->path, F_OK, 0), -1);
}

static void
check_directory(void *context)
{
	const struct stores_fixture *f = context;
	struct error e = {0};
	int rc;

	faults_on();
	rc = directory_check(&f->directory, &e);
	faults_check(rc, &e);
	assert_int_equal(rc, faults_hit() ? -1 : 0);
}

static void
what_cannot_be_looked_at_has_been_replaced(void **state)
{
	faults_sweep(check_directory, *state);
}

/* --- publishing ---------------------------------------------------------------------- */

static void
publish(void *context)
{
	static const struct publish_options options = {.mode = 0640, .group = (gid_t)-1};
	struct stores_fixture *f = context;
	char path[LIMIT_PATH];
	struct error e = {0};
	int rc;

	faults_on();
	rc = publish_token(&f->directory, &options, "foo", STORES_T0, "token", 5, path, &e);
	faults_check(rc, &e);
	assert_int_equal(*path == '\0', rc == -1);
	if (rc == 0) {
		assert_int_equal(stores_look(f, strrchr(path, '/') + 1).st_size, 5);
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(stores_count(f), 0);
}

static void
a_token_is_published_whole_or_not_at_all(void **state)
{
	faults_sweep(publish, *state);
}

/* --- files that are kept --------------------------------------------------------------- */

static void
replace(void *context)
{
	static const struct keep_form form = {
	    .mode = 0600, .owner = (uid_t)-1, .group = (gid_t)-1};
	struct stores_fixture *f = context;
	struct buffer text;
	struct error e = {0};
	struct stat st;
	int rc;

	buffer_init(&text, 64);
	stores_check(keep_file_replace(&f->directory, "kept", &form, "old", 3, &st, &e), &e);
	faults_on();
	rc = keep_file_replace(&f->directory, "kept", &form, "newer", 5, &st, &e);
	faults_check(rc, &e);
	assert_int_equal(keep_file_read(&f->directory, "kept", &text, &st, &e), 1);
	if (rc == 0 || text.length == 5)
		assert_memory_equal(text.data, "newer", 5);
	else
		assert_memory_equal(text.data, "old", 3);
	buffer_free(&text);
	/* What is left, if anything, goes with the next one. */
	stores_check(keep_file_replace(&f->directory, "kept", &form, "next", 4, &st, &e), &e);
	assert_int_equal(stores_count(f), 1);
}

static void
clear(void *context)
{
	struct stores_fixture *f = context;
	struct error e = {0};
	int rc;

	if (!stores_has(f, ".tmp-kept"))
		stores_put(f, ".tmp-kept");
	faults_on();
	rc = keep_file_clear(&f->directory, "kept", &e);
	faults_check(rc, &e);
}

static void
read_kept(void *context)
{
	struct stores_fixture *f = context;
	struct buffer text;
	struct error e = {0};
	struct stat st;
	int rc;

	buffer_init(&text, 64);
	faults_on();
	rc = keep_file_read(&f->directory, "kept", &text, &st, &e);
	/* With ENOENT there is none. */
	faults_check(rc == 1 ? 0 : rc, &e);
	if (rc == 1)
		assert_memory_equal(text.data, "kept", 4);
	else
		assert_true(rc == -1 || faults_number() == ENOENT);
	buffer_free(&text);
}

static void
a_file_that_is_kept_is_the_old_or_the_new_one(void **state)
{
	static const struct keep_form form = {
	    .mode = 0600, .owner = (uid_t)-1, .group = (gid_t)-1};
	struct stores_fixture *f = *state;
	struct error e;
	struct stat st;

	faults_sweep(replace, f);
	faults_sweep(clear, f);
	stores_check(keep_file_replace(&f->directory, "kept", &form, "kept", 4, &st, &e), &e);
	faults_sweep(read_kept, f);
}

/* --- what goes ------------------------------------------------------------------------ */

/* Ends a watch after its first look around. */
static int
stopped(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[1]);
	return ends[0];
}

static void
watch(void *context)
{
	static const struct sweep_options options = {.max_age = NANOSECONDS};
	struct stores_fixture *f = context;
	int stop = stopped(), rc;
	struct error e = {0};

	if (!stores_has(f, name))
		stores_put(f, name);
	faults_on();
	rc = watch_run(&f->directory, &options, &clock_system, stop, &e);
	faults_check(rc, &e);
	assert_true(faults_hit() || !stores_has(f, name));
	close(stop);
}

static void
a_watch_that_cannot_go_on_says_so(void **state)
{
	faults_sweep(watch, *state);
}

static void
sweep(void *context)
{
	static const struct sweep_options options = {.max_age = NANOSECONDS};
	struct stores_fixture *f = context;
	struct error e = {0};
	size_t count;
	int rc;

	if (!stores_has(f, name))
		stores_put(f, name);
	faults_on();
	rc = sweep_once(&f->directory, &options, &clock_system, &count, &e);
	faults_check(rc, &e);
	assert_int_equal(count, stores_has(f, name) ? 0 : 1);
}

static void
a_sweep_counts_what_went(void **state)
{
	faults_sweep(sweep, *state);
}

static void
take_room(void *context)
{
	struct stores_fixture *f = context;
	struct live_bound bound = {.limit = 2};
	unsigned int count;
	struct error e = {0};
	int rc;

	faults_on();
	rc = live_take(&bound, &f->directory, &clock_system, &e);
	faults_check(rc, &e);
	faults_on();
	rc = live_count(&f->directory, "foo", &count, &e);
	faults_check(rc, &e);
	assert_int_equal(count, rc == 0 ? 1 : 0);
}

static void
files_that_cannot_be_counted_leave_no_room(void **state)
{
	struct stores_fixture *f = *state;

	stores_put(f, name);
	stores_put(f, "bar.1700000000000000000.token");
	stores_put(f, "no token");
	assert_int_equal(unlinkat(f->directory.fd, "bar.1700000000000000000.token", 0), 0);
	faults_sweep(take_room, f);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, stores_enter_open, stores_leave)
	static const struct CMUnitTest tests[] = {
	    TEST(a_directory_is_opened_whole_or_not_at_all),
	    TEST(a_trial_that_fails_says_why),
	    TEST(what_cannot_be_looked_at_has_been_replaced),
	    TEST(a_token_is_published_whole_or_not_at_all),
	    TEST(a_file_that_is_kept_is_the_old_or_the_new_one),
	    TEST(a_watch_that_cannot_go_on_says_so),
	    TEST(a_sweep_counts_what_went),
	    TEST(files_that_cannot_be_counted_leave_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
