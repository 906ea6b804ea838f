/* store: watching a token directory, whose clock is the test's: each look at it is later than
 * the one before. What happens in the directory happens when the watch has just begun. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/watch.h"
#include "tests/unit/stores.h"

static const char name[] = "foo.1700000000000000000.token";

enum { PATIENCE = 50 }; /* looks around, after which it ends */

struct watching {
	struct stores_fixture *f;
	void (*happens)(struct stores_fixture *f);
	void (*follows)(struct stores_fixture *f); /* when the first file went */
	int begun;
	int stop[2];
	size_t last;    /* so many that went end the watch */
	size_t deleted; /* how many did */
};

/* Two seconds further each time, so that nobody waits. */
static int64_t
step(void *state)
{
	static int64_t now;

	(void)state;
	now += 2 * NANOSECONDS;
	return now;
}

static int64_t
start(void *state)
{
	(void)state;
	return STORES_T0;
}

static const struct clock steps = {.realtime = start, .monotonic = step};

static void
end(struct watching *w)
{
	if (w->stop[1] != -1)
		close(w->stop[1]);
	w->stop[1] = -1;
}

static void
begin(void *context)
{
	struct watching *w = context;

	if (w->begun++ == 0 && w->happens != NULL)
		w->happens(w->f);
	if (w->begun == PATIENCE)
		end(w);
}

static void
count(void *context, const char *file)
{
	struct watching *w = context;

	assert_true(strstr(file, ".token") != NULL);
	if (++w->deleted == 1 && w->follows != NULL)
		w->follows(w->f);
	if (w->deleted == w->last)
		end(w);
}

static int
watch(struct watching *w, struct error *e)
{
	const struct sweep_options o = {
	    .max_age = NANOSECONDS, .deleted = count, .meanwhile = begin, .context = w};
	int rc;

	assert_int_equal(pipe2(w->stop, O_CLOEXEC), 0);
	rc = watch_run(&w->f->directory, &o, &steps, w->stop[0], e);
	close(w->stop[0]);
	end(w);
	return rc;
}

static void
put_files(struct stores_fixture *f)
{
	char inner[1024];

	(void)snprintf(inner, sizeof(inner), "%s/bar.1700000000000000000.token", f->path);
	assert_int_equal(mkdir(inner, 0700), 0);
	stores_put(f, "no token");
	stores_put(f, name);
}

static void
a_file_that_is_made_goes_and_nothing_else(void **state)
{
	struct watching w = {.f = *state, .happens = put_files, .last = 1};
	struct error e = {0};

	stores_check(watch(&w, &e), &e);
	assert_int_equal(w.deleted, 1);
	assert_false(stores_has(w.f, name));
	assert_int_equal(stores_count(w.f), 2);
	assert_int_equal(
	    unlinkat(w.f->directory.fd, "bar.1700000000000000000.token", AT_REMOVEDIR), 0);
}

/* What a second link keeps is tried again, until that is gone. */
static void
link_file(struct stores_fixture *f)
{
	char other[1024];

	(void)snprintf(other, sizeof(other), "%s/link", f->folder);
	stores_put(f, name);
	assert_int_equal(linkat(f->directory.fd, name, AT_FDCWD, other, 0), 0);
	stores_put(f, "bar.1700000000000000000.token");
}

static void
remove_link(struct stores_fixture *f)
{
	char other[1024];

	(void)snprintf(other, sizeof(other), "%s/link", f->folder);
	assert_true(stores_has(f, name));
	assert_int_equal(unlink(other), 0);
}

static void
a_file_with_another_link_goes_when_that_has_gone(void **state)
{
	struct watching w = {
	    .f = *state, .happens = link_file, .follows = remove_link, .last = 2};
	struct error e = {0};

	stores_check(watch(&w, &e), &e);
	assert_int_equal(w.deleted, 2);
	assert_int_equal(stores_count(w.f), 0);
}

/* More than are deleted between two looks at what there is to do. */
static void
many_files_go_as_well(void **state)
{
	struct watching w = {.f = *state, .last = 1100};
	struct error e = {0};

	for (int i = 0; i < 1100; i++) {
		char file[64];

		(void)snprintf(file, sizeof(file), "u%d.1600000000000000000.token", i);
		stores_put(w.f, file);
	}
	stores_check(watch(&w, &e), &e);
	assert_int_equal(stores_count(w.f), 0);
}

static void
move(struct stores_fixture *f)
{
	char other[1024];

	(void)snprintf(other, sizeof(other), "%s/other", f->folder);
	assert_int_equal(rename(f->path, other), 0);
}

static void
move_and_back(struct stores_fixture *f)
{
	char other[1024];

	move(f);
	(void)snprintf(other, sizeof(other), "%s/other", f->folder);
	assert_int_equal(rename(other, f->path), 0);
}

static void
take_away(struct stores_fixture *f)
{
	assert_int_equal(rmdir(f->path), 0);
}

static void
a_directory_that_is_moved_ends_it(void **state)
{
	static const struct {
		void (*happens)(struct stores_fixture *f);
		const char *text;
	} rows[] = {
	    {move_and_back, "the directory was moved or unmounted: start again"},
	    {move, "was removed, renamed or replaced: start again"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct watching w = {.f = *state, .happens = rows[i].happens};
		struct error e = {0};

		assert_int_equal(watch(&w, &e), -1);
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		if (strstr(e.text, rows[i].text) == NULL)
			fail_msg("%s", e.text);
	}
}

static void
a_directory_that_is_removed_ends_it(void **state)
{
	struct watching w = {.f = *state, .happens = take_away};
	struct error e = {0};

	assert_int_equal(watch(&w, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, stores_enter_open, stores_leave)
	static const struct CMUnitTest tests[] = {
	    TEST(a_file_that_is_made_goes_and_nothing_else),
	    TEST(a_file_with_another_link_goes_when_that_has_gone),
	    TEST(many_files_go_as_well),
	    TEST(a_directory_that_is_moved_ends_it),
	    TEST(a_directory_that_is_removed_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
