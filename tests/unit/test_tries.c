/* store: how often passwords are tried, by one process and by several, and under a flood of
 * names. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/tries.h"
#include "tests/unit/states.h"

/* One each twelve seconds. */
static const struct tries_limits limits = {.most = 5, .window = 60};

static struct tries *
opened(const struct states_fixture *f)
{
	struct tries *t;
	struct error e;

	stores_check(tries_open(&t, f->state, &entropy_system, &e), &e);
	return t;
}

/* 0 when the try is admitted, else the seconds to wait. */
static int64_t
try_at(struct tries *t, const char *user, int64_t now)
{
	struct error e = {0};
	int64_t wait = -1;

	if (tries_admit(t, user, &limits, now, &wait, &e) == 0) {
		assert_int_equal(wait, 0);
		return 0;
	}
	assert_int_equal(e.code, ERROR_LIMITED);
	assert_true(wait > 0);
	return wait;
}

static void
exhaust(struct tries *t, const char *user, int64_t now)
{
	for (int i = 0; i < 5; i++)
		assert_int_equal(try_at(t, user, now), 0);
	assert_int_equal(try_at(t, user, now), 12);
}

static void
so_many_at_once_and_then_one_at_a_time(void **state)
{
	struct tries *t = opened(*state);

	exhaust(t, "jane", STATES_NOW);
	assert_int_equal(try_at(t, "joe", STATES_NOW), 0);
	assert_int_equal(try_at(t, "jane", STATES_NOW + 11), 1);
	assert_int_equal(try_at(t, "jane", STATES_NOW + 12), 0);
	assert_int_equal(try_at(t, "jane", STATES_NOW + 12), 12);
	assert_int_equal(try_at(t, "jane", STATES_NOW + 36), 0);
	assert_int_equal(try_at(t, "jane", STATES_NOW + 36), 0);
	assert_int_equal(try_at(t, "jane", STATES_NOW + 36), 12);
	/* All are forgotten. */
	exhaust(t, "jane", STATES_NOW + 96);
	tries_close(t);
}

static void
a_right_password_forgets_the_tries_of_its_user(void **state)
{
	struct tries *t = opened(*state);

	exhaust(t, "jane", STATES_NOW);
	exhaust(t, "joe", STATES_NOW);
	tries_forgive(t, "jane");
	tries_forgive(t, "nobody");
	assert_int_equal(try_at(t, "joe", STATES_NOW), 12);
	exhaust(t, "jane", STATES_NOW);
	tries_close(t);
}

static void
a_clock_that_is_set_back_locks_nobody_out(void **state)
{
	struct tries *t = opened(*state);

	exhaust(t, "jane", STATES_NOW + 3600);
	assert_int_equal(try_at(t, "jane", STATES_NOW), 12);
	assert_int_equal(try_at(t, "jane", STATES_NOW + 12), 0);
	tries_close(t);
}

static void
the_tries_are_remembered_when_the_file_is_opened_again(void **state)
{
	struct tries *t = opened(*state);

	exhaust(t, "jane", STATES_NOW);
	tries_close(t);
	t = opened(*state);
	assert_int_equal(try_at(t, "jane", STATES_NOW), 12);
	tries_close(t);
}

enum { PROCESSES = 4, EACH = 300 };

/* In a child: how many of its tries are admitted. */
static int
admitted(const struct states_fixture *f, const struct tries_limits *many)
{
	struct tries *t;
	struct error e;
	int64_t wait;
	int n = 0;

	if (tries_open(&t, f->state, &entropy_system, &e) == -1)
		return 255;
	for (int i = 0; i < EACH; i++)
		n += tries_admit(t, "jane", many, STATES_NOW, &wait, &e) == 0;
	tries_close(t);
	return n;
}

static void
processes_count_together(void **state)
{
	static const struct tries_limits many = {.most = 200, .window = 3600};
	pid_t children[PROCESSES];
	int together = 0, status;

	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(admitted(*state, &many));
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status));
		together += WEXITSTATUS(status);
	}
	assert_int_equal(together, 200);
}

/* Other names, more than the file has slots, tried so often each. */
static void
flood(struct tries *t, int names, int times)
{
	char name[32];

	for (int i = 0; i < names; i++)
		for (int j = 0; j < times; j++) {
			(void)snprintf(name, sizeof(name), "flood%d", i);
			(void)try_at(t, name, STATES_NOW);
		}
}

static void
a_flood_of_names_frees_nobody_who_tried_more_often(void **state)
{
	struct tries *t = opened(*state);

	exhaust(t, "jane", STATES_NOW);
	flood(t, 20000, 1);
	assert_int_equal(try_at(t, "jane", STATES_NOW), 12);
	tries_close(t);
}

static void
a_flood_of_names_locks_nobody_out(void **state)
{
	struct tries *t = opened(*state);
	char name[32];

	flood(t, 20000, 5);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		assert_int_equal(try_at(t, name, STATES_NOW), 0);
	}
	tries_close(t);
}

static void
names_meet_nowhere_that_can_be_foreseen(void **state)
{
	struct states_fixture *f = *state;
	struct tries *t = opened(f);
	char path[LIMIT_PATH];
	char first[8192], second[8192];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/tries", f->path);
	for (int i = 0; i < 2; i++) {
		if (i == 1) {
			tries_close(t);
			assert_int_equal(unlink(path), 0);
			t = opened(f);
		}
		assert_int_equal(try_at(t, "jane", STATES_NOW), 0);
		fd = open(path, O_RDONLY);
		assert_int_equal(read(fd, i == 0 ? first : second, 64), 64);
		close(fd);
	}
	assert_memory_equal(first, second, 20);
	assert_memory_not_equal(first + 32, second + 32, 32);
	tries_close(t);
}

static void
a_file_that_is_not_ours_is_refused(void **state)
{
	static const char *const wrong[] = {"truncated", "magic", "mode", "link", "fifo"};
	struct states_fixture *f = *state;
	char path[LIMIT_PATH];

	(void)snprintf(path, sizeof(path), "%s/tries", f->path);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct tries *t = opened(f);
		struct error e = {0};
		int fd = open(path, O_WRONLY);

		tries_close(t);
		if (i == 0)
			assert_int_equal(ftruncate(fd, 1000), 0);
		else if (i == 1)
			assert_int_equal(pwrite(fd, "A", 1, 0), 1);
		else if (i == 2)
			assert_int_equal(fchmod(fd, 0644), 0);
		else
			assert_int_equal(unlink(path), 0);
		if (i == 3)
			assert_int_equal(symlink("/dev/zero", path), 0);
		if (i == 4)
			assert_int_equal(mkfifo(path, 0600), 0);
		close(fd);
		assert_int_equal(tries_open(&t, f->state, &entropy_system, &e), -1);
		assert_int_equal(e.code, ERROR_CONFIG);
		assert_non_null(strstr(e.text, path));
		assert_null(t);
		assert_int_equal(unlink(path), 0);
	}
}

static void
count_injected(struct stores_fixture *store, const void *argument)
{
	const struct stores_injection *i = argument;
	char path[600];
	struct state *s;
	struct tries *t;
	struct error e;
	int64_t wait;

	(void)snprintf(path, sizeof(path), "%s/state", store->folder);
	CHILD_ASSERT(state_open(&s, path, &e) == 0);
	CHILD_ASSERT(tries_open(&t, s, &entropy_system, &e) == 0);
	stores_inject(i);
	CHILD_ASSERT(tries_admit(t, "jane", &limits, STATES_NOW, &wait, &e) == -1);
	CHILD_ASSERT(e.code == ERROR_UNAVAILABLE);
	CHILD_ASSERT(wait == 0);
	tries_close(t);
	state_close(s);
}

static void
what_cannot_be_counted_is_not_admitted(void **state)
{
	static const struct stores_injection cases[] = {
	    {"lock", STORES_ON(fcntl), ENOLCK, ERROR_UNAVAILABLE},
	    {"read", STORES_ON(pread64), EIO, ERROR_UNAVAILABLE},
	    {"write", STORES_ON(pwrite64), ENOSPC, ERROR_UNAVAILABLE},
	};
	struct states_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		stores_in_child(count_injected, f->store, &cases[i]);
}

static void
nobody_is_counted_without_a_time_or_under_too_long_a_name(void **state)
{
	struct tries *t = opened(*state);
	char name[2 * LIMIT_PRINCIPAL];
	struct error e = {0};
	int64_t wait;

	assert_int_equal(tries_admit(t, "jane", &limits, -1, &wait, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "the clock is not set");
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(tries_admit(t, name, &limits, STATES_NOW, &wait, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_int_equal(wait, 0);
	tries_return(t, name, &limits);
	tries_forgive(t, name);
	tries_close(t);
}

/* More than one in a millisecond: the window is of no use any more, but nothing breaks. */
static void
a_try_costs_at_least_a_millisecond(void **state)
{
	static const struct tries_limits many = {.most = 5000, .window = 1};
	struct tries *t = opened(*state);
	struct error e = {0};
	int64_t wait;

	for (int i = 0; i < 1000; i++)
		stores_check(tries_admit(t, "jane", &many, STATES_NOW, &wait, &e), &e);
	assert_int_equal(tries_admit(t, "jane", &many, STATES_NOW, &wait, &e), -1);
	assert_int_equal(wait, 1);
	/* One is taken off again. */
	tries_return(t, "jane", &many);
	stores_check(tries_admit(t, "jane", &many, STATES_NOW, &wait, &e), &e);
	tries_close(t);
}

#define IN_STATE(test) cmocka_unit_test_setup_teardown(test, states_enter, states_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_STATE(so_many_at_once_and_then_one_at_a_time),
	    IN_STATE(a_right_password_forgets_the_tries_of_its_user),
	    IN_STATE(a_clock_that_is_set_back_locks_nobody_out),
	    IN_STATE(the_tries_are_remembered_when_the_file_is_opened_again),
	    IN_STATE(processes_count_together),
	    IN_STATE(a_flood_of_names_frees_nobody_who_tried_more_often),
	    IN_STATE(a_flood_of_names_locks_nobody_out),
	    IN_STATE(names_meet_nowhere_that_can_be_foreseen),
	    IN_STATE(a_file_that_is_not_ours_is_refused),
	    IN_STATE(nobody_is_counted_without_a_time_or_under_too_long_a_name),
	    IN_STATE(a_try_costs_at_least_a_millisecond),
	    IN_STATE(what_cannot_be_counted_is_not_admitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
