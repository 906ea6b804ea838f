/* store: what may be the state directory, and what may be in it. */
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

#include "store/revocations.h"
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

/* What is not ours, as a backup of it, whatever its age. */
static void
a_sweep_takes_nothing_but_records(void **state)
{
	static const char *const names[] = {"/refresh/families", "/refresh/.family.0",
	    "/revoked/tokens", "/revoked/signed", "/revoked/asubject.0", "/revoked/other.0"};
	struct states_fixture *f = *state;
	struct state_sweep sweep = {.now = STATES_NOW};
	char path[LIMIT_PATH];
	struct error e;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct timespec old[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
		int fd;

		(void)snprintf(path, sizeof(path), "%s%s", f->path, names[i]);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_int_equal(write(fd, "x", 1), 1);
		assert_int_equal(futimens(fd, old), 0);
		close(fd);
	}
	stores_check(state_sweep(f->state, &sweep, &e), &e);
	assert_int_equal(sweep.families, 0);
	assert_int_equal(sweep.revocations, 0);
	assert_int_equal(states_count(f, "refresh"), 2);
	assert_int_equal(states_count(f, "revoked"), 4);
}

static void
what_cannot_be_named_is_not_revoked(void **state)
{
	static char longest[65 * 1024];
	const struct states_fixture *f = *state;
	struct revocation_subject t = {
	    .issuer = "https://issuer.example", .jti = "id", .subject = "jane"};
	struct error e = {0};

	assert_int_equal(revocation_add_token(f->state, &t, -1, &e), -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
	assert_int_equal(revocation_add_subject(f->state, t.issuer, "jane", -1, 1, &e), -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
	memset(longest, 'a', sizeof(longest) - 1);
	assert_int_equal(revocation_add_subject(f->state, longest, "jane", 1, 1, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	t.party = longest;
	assert_int_equal(revocation_add_token(f->state, &t, 1, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	/* Whoever cannot say takes no token. */
	assert_int_equal(revocation_check(f->state, &t, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_int_equal(states_count(f, "revoked"), 0);
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
	    IN_STATE(a_sweep_takes_nothing_but_records),
	    IN_STATE(what_cannot_be_named_is_not_revoked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
