/* store: what may be the state directory. */
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

#include "tests/unit/states.h"

static void
refused(int (*open)(struct state **out, const char *path, struct error *e), const char *path,
    const char *reason)
{
	struct state *s = (void *)&reason;
	struct error e = {0};

	assert_int_equal(open(&s, path, &e), -1);
	assert_null(s);
	assert_int_equal(e.code, ERROR_CONFIG);
	if (strstr(e.text, reason) == NULL || strncmp(e.text, "state: ", 7) != 0)
		fail_msg("not '%s': %s", reason, e.text);
}

static void
it_is_made_for_us_alone(void **state)
{
	static const char *const names[] = {"", "/refresh", "/revoked"};
	struct states_fixture *f = *state;
	char path[LIMIT_PATH];
	struct state *again;
	struct error e;
	struct stat st;

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", f->path, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode, S_IFDIR | 0700);
	}
	stores_check(state_open(&again, f->path, &e), &e);
	state_close(again);
	stores_check(state_find(&again, f->path, &e), &e);
	state_close(again);
	state_close(NULL);
}

static void
it_is_refused_when_others_may_enter_it(void **state)
{
	static const mode_t modes[] = {0701, 0710, 0740, 0750, 0704};
	struct states_fixture *f = *state;
	char inner[LIMIT_PATH];

	(void)snprintf(inner, sizeof(inner), "%s/revoked", f->path);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(f->path, modes[i]), 0);
		refused(state_open, f->path, "others may enter it");
		assert_int_equal(chmod(f->path, 0700), 0);
		assert_int_equal(chmod(inner, modes[i]), 0);
		refused(state_open, f->path, "/revoked: others may enter it");
		assert_int_equal(chmod(inner, 0700), 0);
	}
}

static void
a_link_in_it_is_refused(void **state)
{
	struct states_fixture *f = *state;
	char inner[LIMIT_PATH];

	(void)snprintf(inner, sizeof(inner), "%s/refresh", f->path);
	assert_int_equal(rmdir(inner), 0);
	assert_int_equal(symlink(f->store->folder, inner), 0);
	refused(state_open, f->path, "is a symbolic link");
}

static void
finding_creates_nothing(void **state)
{
	struct states_fixture *f = *state;
	char path[LIMIT_PATH];

	(void)snprintf(path, sizeof(path), "%s/none", f->store->folder);
	refused(state_find, path, "does not exist");
	assert_int_not_equal(faccessat(AT_FDCWD, path, F_OK, 0), 0);
	(void)snprintf(path, sizeof(path), "%s/revoked", f->path);
	assert_int_equal(rmdir(path), 0);
	refused(state_find, f->path, "does not exist");
}

#define IN_STATE(test) cmocka_unit_test_setup_teardown(test, states_enter, states_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_STATE(it_is_made_for_us_alone),
	    IN_STATE(it_is_refused_when_others_may_enter_it),
	    IN_STATE(a_link_in_it_is_refused),
	    IN_STATE(finding_creates_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
