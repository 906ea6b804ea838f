/* store: a revocation that cannot be read, or made. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/revocations.h"
#include "tests/unit/revocations.h"

static void
cannot_be_said(const struct states_fixture *f, const struct revocation_subject *t)
{
	struct error e = {0};

	assert_int_equal(revocation_check(f->state, t, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
}

static void
what_cannot_be_read_lets_no_token_pass(void **state)
{
	static const char *const wrong[] = {"", "x",
	    "0000000001700003600 000000000170000000x\n",
	    "0000000001700003600 9999999999999999999\n",
	    "0000000001700003600 0000000001700000000\n\n"};
	struct states_fixture *f = *state;
	char path[LIMIT_PATH] = "";

	revocations_add_subject(f, "us", "jane", STATES_NOW - 1);
	assert_false(revocations_holds(f, &revocations_token));
	revocations_find(f, path);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		FILE *file = fopen(path, "w");

		(void)fputs(wrong[i], file);
		(void)fclose(file);
		cannot_be_said(f, &revocations_token);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	cannot_be_said(f, &revocations_token);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	cannot_be_said(f, &revocations_token);
}

static void
a_directory_that_is_gone_or_another_lets_no_token_pass(void **state)
{
	struct states_fixture *f = *state;
	char path[LIMIT_PATH], aside[LIMIT_PATH];
	struct error e;

	(void)snprintf(path, sizeof(path), "%s/revoked", f->path);
	(void)snprintf(aside, sizeof(aside), "%s/aside", f->path);
	assert_int_equal(rename(path, aside), 0);
	cannot_be_said(f, &revocations_token);
	assert_int_equal(mkdir(path, 0700), 0);
	cannot_be_said(f, &revocations_token);
	assert_int_equal(
	    revocation_add_token(f->state, &revocations_token, REVOCATIONS_EXPIRES, &e), -1);
}

struct injected {
	const struct states_fixture *f;
	const struct stores_injection *injection;
};

static void
check_injected(struct stores_fixture *store, const void *argument)
{
	const struct injected *i = argument;
	struct error e = {0};

	(void)store;
	stores_inject(i->injection);
	CHILD_ASSERT(revocation_check(i->f->state, &revocations_token, &e) == -1);
	CHILD_ASSERT(e.code == i->injection->code);
}

static void
what_the_system_does_not_say_lets_no_token_pass(void **state)
{
	static const struct stores_injection cases[] = {
	    {"look", STORES_ON(newfstatat), EIO, ERROR_UNAVAILABLE},
	    {"open", STORES_ON(openat), EMFILE, ERROR_UNAVAILABLE},
	    {"permission", STORES_ON(openat), EACCES, ERROR_UNAVAILABLE},
	};
	struct states_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		stores_in_child(check_injected, f->store, &(struct injected){f, &cases[i]});
}

static void
add_injected(struct stores_fixture *store, const void *argument)
{
	const struct stores_injection *i = argument;
	char path[600];
	struct state *s;
	struct error e;

	(void)snprintf(path, sizeof(path), "%s/state", store->folder);
	CHILD_ASSERT(state_open(&s, path, &e) == 0);
	stores_inject(i);
	CHILD_ASSERT(
	    revocation_add_token(s, &revocations_token, REVOCATIONS_EXPIRES, &e) == -1);
	CHILD_ASSERT(e.code == i->code);
}

static void
a_revocation_that_the_system_refuses_is_said(void **state)
{
	static const struct stores_injection cases[] = {
	    {"open", __NR_openat, 2, O_CREAT, O_CREAT, ENOSPC, ERROR_UNAVAILABLE},
	    {"write", STORES_ON(write), ENOSPC, ERROR_UNAVAILABLE},
	    {"disk", STORES_ON(fsync), EIO, ERROR_UNAVAILABLE},
	    {"name", STORES_ON(renameat2), EIO, ERROR_UNAVAILABLE},
	    {"name", STORES_ON(renameat2), EACCES, ERROR_NO_PERMISSION},
	};
	struct states_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stores_in_child(add_injected, f->store, &cases[i]);
		assert_int_equal(states_count(f, "revoked"), 0);
	}
}

#define IN_STATE(test) cmocka_unit_test_setup_teardown(test, states_enter, states_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_STATE(what_cannot_be_read_lets_no_token_pass),
	    IN_STATE(a_directory_that_is_gone_or_another_lets_no_token_pass),
	    IN_STATE(what_the_system_does_not_say_lets_no_token_pass),
	    IN_STATE(a_revocation_that_the_system_refuses_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
