/* store: the files of families: what others put there, what is damaged, what a sweep deletes,
 * and where the system refuses. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/states.h"

/* What is put in the place of a family's file, which is moved to ASIDE. */
struct hostile {
	void (*put)(const char *path, const char *aside);
	const char *detail;
	bool as_root;
};

static void
put_link(const char *path, const char *aside)
{
	assert_int_equal(symlink(aside, path), 0);
}

static void
put_second_name(const char *path, const char *aside)
{
	assert_int_equal(link(aside, path), 0);
}

static void
put_fifo(const char *path, const char *aside)
{
	(void)aside;
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void
put_folder(const char *path, const char *aside)
{
	(void)aside;
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
put_readable(const char *path, const char *aside)
{
	assert_int_equal(rename(aside, path), 0);
	assert_int_equal(chmod(path, 0640), 0);
}

static void
put_foreign(const char *path, const char *aside)
{
	assert_int_equal(rename(aside, path), 0);
	assert_int_equal(chown(path, STORES_NOBODY, STORES_NOBODY), 0);
}

static void
put_large(const char *path, const char *aside)
{
	assert_int_equal(rename(aside, path), 0);
	assert_int_equal(truncate(path, 1 << 30), 0);
}

static void
what_is_no_file_of_ours_is_refused(void **state)
{
	static const struct hostile cases[] = {
	    {put_link, "a symbolic link", false},
	    {put_second_name, "it has another link", false},
	    {put_fifo, "not a regular file", false},
	    {put_folder, "not a regular file", false},
	    {put_readable, "others may use it", false},
	    {put_foreign, "it belongs to another user", true},
	    {put_large, "it is too large", false},
	};
	struct states_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char token[REFRESH_TOKEN], path[LIMIT_PATH], aside[LIMIT_PATH];
		struct refresh_lease *lease;
		struct error e;

		if (cases[i].as_root && geteuid() != 0)
			continue;
		states_begin(f, token);
		states_file(f, token, path);
		(void)snprintf(aside, sizeof(aside), "%.4000s/aside", f->path);
		(void)unlink(aside);
		assert_int_equal(rename(path, aside), 0);
		cases[i].put(path, aside);
		assert_int_equal(
		    refresh_take(&lease, f->state, token, NULL, STATES_NOW, &e), -1);
		assert_int_equal(e.code, ERROR_GRANT);
		if (strstr(e.detail, cases[i].detail) == NULL)
			fail_msg("not '%s': %s", cases[i].detail, e.detail);
		/* Neither does ending it touch what is there. */
		stores_check(refresh_end(f->state, token, &e), &e);
		assert_int_equal(faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW), 0);
	}
}

/* Writes the file of a family anew, with one text in it replaced by another. */
static void
rewrite(const char *path, const char *from, const char *to)
{
	char text[8192] = "", *at;
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	(void)fclose(file);
	at = strstr(text, from);
	assert_non_null(at);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(
	    fprintf(file, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
	(void)fclose(file);
}

static void
a_damaged_file_is_refused(void **state)
{
	static char long_name[LIMIT_PRINCIPAL + 16];
	static const struct {
		const char *from, *to;
	} cases[] = {
	    {"{", ""},
	    {"}", ""},
	    {"}", "}x"},
	    {"}", ",\"more\":1}"},
	    {"\"ttl\":900,", ""},
	    {"\"ttl\":900", "\"ttl\":900,\"ttl\":900"},
	    {"\"ttl\":900", "\"ttl\":\"900\""},
	    {"\"ttl\":900", "\"ttl\":-1"},
	    {"\"ttl\":900", "\"ttl\":9223372036854775807"},
	    {"\"ttl\":900", "\"ttl\":9223372036854775808"},
	    {"\"idle\":604800", "\"idle\":9000000000000000000"},
	    {"1 000000000", "2 000000000"},
	    {"1 000000000", "1  00000000"},
	    {"1 000000000", "1 00000000x"},
	    {"1 000000000", "1 999999999"},
	    {"1 000000000", "1 0"},
	    {"\n{", " {"},
	    {"\"proof\":\"", "\"proof\":\"A"},
	    {"\"current\":\"", "\"current\":\"A"},
	    {"\"previous\":\"", "\"previous\":\"A"},
	    {"\"caller\":\"foo\"", "\"caller\":null"},
	    {"\"caller\":\"foo\"", long_name},
	    {"\"caller\":\"foo\"", "\"caller\":\"foo\\u0000bar\""},
	    {"\"caller\":\"foo\"", "\"caller\":\"foo\xff\""},
	};
	struct states_fixture *f = *state;

	(void)snprintf(long_name, sizeof(long_name), "\"caller\":\"%0*d\"", LIMIT_PRINCIPAL, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char token[REFRESH_TOKEN], path[LIMIT_PATH];
		struct refresh_lease *lease;
		struct error e;

		states_begin(f, token);
		states_file(f, token, path);
		rewrite(path, cases[i].from, cases[i].to);
		if (refresh_take(&lease, f->state, token, NULL, STATES_NOW, &e) == 0)
			fail_msg("%s taken", cases[i].to);
		assert_int_equal(e.code, ERROR_GRANT);
		assert_non_null(strstr(e.detail, "damaged"));
	}
}

static size_t
swept(const struct states_fixture *f, int64_t now, bool dry_run)
{
	struct state_sweep sweep = {.now = now, .dry_run = dry_run};
	struct error e;

	stores_check(state_sweep(f->state, &sweep, &e), &e);
	return sweep.families;
}

static void
a_sweep_deletes_what_has_ended_for_a_day(void **state)
{
	struct states_fixture *f = *state;
	char idle[REFRESH_TOKEN], live[REFRESH_TOKEN], next[REFRESH_TOKEN];
	int64_t due = STATES_NOW + STATES_IDLE + STATE_GRACE;
	struct error e;

	states_begin(f, idle);
	states_begin(f, live);
	assert_int_equal(states_use(f->state, live, STATES_NOW + 3600, next, &e), STATES_TAKEN);
	assert_int_equal(swept(f, due, false), 0);
	assert_int_equal(swept(f, due + 1, true), 1);
	assert_int_equal(states_count(f, "refresh"), 2);
	assert_int_equal(swept(f, due + 1, false), 1);
	assert_int_equal(states_count(f, "refresh"), 1);
	assert_true(states_is_good(f->state, next));
	assert_int_equal(swept(f, due + 3601, false), 1);
	assert_int_equal(states_count(f, "refresh"), 0);
}

/* The file's time only says when it is worth looking. */
static void
a_sweep_believes_what_a_file_says(void **state)
{
	static const struct timespec long_ago[] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct states_fixture *f = *state;
	char token[REFRESH_TOKEN], path[LIMIT_PATH];

	states_begin(f, token);
	states_file(f, token, path);
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	assert_int_equal(swept(f, STATES_NOW, false), 0);
	rewrite(path, "1 0", "x 0");
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	assert_int_equal(swept(f, STATES_NOW, false), 1);
}

static void
a_sweep_spares_what_is_held_and_what_is_not_a_family(void **state)
{
	struct states_fixture *f = *state;
	int64_t now = STATES_NOW + STATES_IDLE + STATE_GRACE + 1;
	struct refresh_lease *lease;
	char token[REFRESH_TOKEN], path[LIMIT_PATH];
	struct error e;

	states_begin(f, token);
	stores_check(refresh_take(&lease, f->state, token, NULL, STATES_NOW, &e), &e);
	assert_int_equal(swept(f, now, false), 0);
	refresh_release(lease);
	(void)snprintf(path, sizeof(path), "%s/refresh/family.x", f->path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	(void)snprintf(path, sizeof(path), "%s/refresh/README", f->path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(swept(f, now, false), 1);
	assert_int_equal(states_count(f, "refresh"), 2);
}

static void
a_sweep_deletes_drafts_that_were_left_behind(void **state)
{
	struct states_fixture *f = *state;
	int64_t now = time(NULL);
	char path[LIMIT_PATH];

	(void)snprintf(
	    path, sizeof(path), "%s/refresh/.tmp-00112233445566778899aabbccddeeff", f->path);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(swept(f, now, false), 0);
	assert_int_equal(states_count(f, "refresh"), 1);
	assert_int_equal(swept(f, now + 3700, false), 0);
	assert_int_equal(states_count(f, "refresh"), 0);
}

/* A family, and a system call that fails. */
struct failing {
	struct states_fixture *f;
	char token[REFRESH_TOKEN];
	const struct stores_injection *injection;
};

static void
rotate_injected(struct stores_fixture *store, const void *argument)
{
	const struct failing *c = argument;
	struct refresh_lease *lease;
	char next[REFRESH_TOKEN];
	struct error e;

	(void)store;
	CHILD_ASSERT(refresh_take(&lease, c->f->state, c->token, NULL, STATES_NOW, &e) == 0);
	stores_inject(c->injection);
	CHILD_ASSERT(refresh_rotate(lease, STATES_NOW, &entropy_system, next, &e) == -1);
	if (e.code != c->injection->code)
		(void)dprintf(STDERR_FILENO, "%s: code %d: %s\n", c->injection->name,
		    (int)e.code, e.text);
	CHILD_ASSERT(e.code == c->injection->code);
	CHILD_ASSERT(*next == '\0');
	refresh_release(lease);
}

#define ON_CREATE __NR_openat, 2, O_CREAT, O_CREAT

static void
a_rotation_that_the_system_refuses_leaves_the_old_token_good(void **state)
{
	static const struct stores_injection cases[] = {
	    {"open full", ON_CREATE, ENOSPC, ERROR_UNAVAILABLE},
	    {"open quota", ON_CREATE, EDQUOT, ERROR_UNAVAILABLE},
	    {"open read-only", ON_CREATE, EROFS, ERROR_UNAVAILABLE},
	    {"open descriptors", ON_CREATE, EMFILE, ERROR_UNAVAILABLE},
	    {"open permission", ON_CREATE, EACCES, ERROR_NO_PERMISSION},
	    {"write full", STORES_ON(write), ENOSPC, ERROR_UNAVAILABLE},
	    {"write input/output", STORES_ON(write), EIO, ERROR_UNAVAILABLE},
	    {"mode", STORES_ON(fchmod), EIO, ERROR_UNAVAILABLE},
	    {"time", STORES_ON(utimensat), EIO, ERROR_UNAVAILABLE},
	    {"disk", STORES_ON(fsync), EIO, ERROR_UNAVAILABLE},
	    {"exchange full", STORES_ON(renameat2), ENOSPC, ERROR_UNAVAILABLE},
	    {"exchange unknown", STORES_ON(renameat2), EINVAL, ERROR_UNAVAILABLE},
	    {"lock", STORES_ON(fcntl), ENOLCK, ERROR_UNAVAILABLE},
	    {"random", STORES_ON(getrandom), ENOSYS, ERROR_UNAVAILABLE},
	};
	struct states_fixture *f = *state;
	struct failing c = {.f = f};

	states_begin(f, c.token);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c.injection = &cases[i];
		stores_in_child(rotate_injected, f->store, &c);
		assert_int_equal(states_count(f, "refresh"), 1);
		assert_true(states_is_good(f->state, c.token));
	}
}

static void
take_injected(struct stores_fixture *store, const void *argument)
{
	const struct failing *c = argument;
	struct refresh_lease *lease;
	struct error e;

	(void)store;
	stores_inject(c->injection);
	CHILD_ASSERT(refresh_take(&lease, c->f->state, c->token, NULL, STATES_NOW, &e) == -1);
	if (e.code != c->injection->code)
		(void)dprintf(STDERR_FILENO, "%s: code %d: %s\n", c->injection->name,
		    (int)e.code, e.text);
	CHILD_ASSERT(e.code == c->injection->code);
	CHILD_ASSERT(lease == NULL);
}

static void
a_token_that_cannot_be_looked_up_is_not_refused_for_good(void **state)
{
	static const struct stores_injection cases[] = {
	    {"open descriptors", STORES_ON(openat), EMFILE, ERROR_UNAVAILABLE},
	    {"open input/output", STORES_ON(openat), EIO, ERROR_UNAVAILABLE},
	    {"open permission", STORES_ON(openat), EACCES, ERROR_NO_PERMISSION},
	    {"read", STORES_ON(pread64), EIO, ERROR_UNAVAILABLE},
	    {"lock", STORES_ON(fcntl), ENOLCK, ERROR_UNAVAILABLE},
	};
	struct states_fixture *f = *state;
	struct failing c = {.f = f};

	states_begin(f, c.token);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c.injection = &cases[i];
		stores_in_child(take_injected, f->store, &c);
		assert_true(states_is_good(f->state, c.token));
	}
}

/* On a file system of a few pages. */
static void
use_until_full(struct stores_fixture *store, const void *argument)
{
	char tokens[64][REFRESH_TOKEN], next[REFRESH_TOKEN];
	struct refresh_lease *lease;
	struct state *s;
	struct error e;
	size_t n = 0;

	CHILD_ASSERT(mkdir(store->path, 0700) == 0);
	CHILD_ASSERT(unshare(CLONE_NEWNS) == 0);
	CHILD_ASSERT(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHILD_ASSERT(mount("tmpfs", store->path, "tmpfs", 0, argument) == 0);
	CHILD_ASSERT(state_open(&s, store->path, &e) == 0);
	while (refresh_begin(s, &states_family, &states_limits, STATES_NOW, &entropy_system,
		   tokens[n], &e) == 0)
		CHILD_ASSERT(++n < 64);
	CHILD_ASSERT(n > 1 && e.code == ERROR_UNAVAILABLE);
	/* No room for a successor: the token is good as before, and an end makes room. */
	CHILD_ASSERT(refresh_take(&lease, s, tokens[0], NULL, STATES_NOW, &e) == 0);
	CHILD_ASSERT(refresh_rotate(lease, STATES_NOW, &entropy_system, next, &e) == -1);
	CHILD_ASSERT(e.code == ERROR_UNAVAILABLE);
	refresh_release(lease);
	CHILD_ASSERT(refresh_end(s, tokens[1], &e) == 0);
	CHILD_ASSERT(states_use(s, tokens[0], STATES_NOW, next, &e) == STATES_TAKEN);
	CHILD_ASSERT(states_is_good(s, next));
	state_close(s);
}

static void
a_full_file_system_loses_no_family(void **state)
{
	struct states_fixture *f = *state;

	if (geteuid() != 0)
		skip();
	stores_in_child(use_until_full, f->store, "size=40k,mode=0700");
	assert_int_equal(rmdir(f->store->path), 0);
	stores_in_child(use_until_full, f->store, "nr_inodes=9,mode=0700");
}

#define IN_STATE(test) cmocka_unit_test_setup_teardown(test, states_enter, states_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_STATE(what_is_no_file_of_ours_is_refused),
	    IN_STATE(a_damaged_file_is_refused),
	    IN_STATE(a_sweep_deletes_what_has_ended_for_a_day),
	    IN_STATE(a_sweep_believes_what_a_file_says),
	    IN_STATE(a_sweep_spares_what_is_held_and_what_is_not_a_family),
	    IN_STATE(a_sweep_deletes_drafts_that_were_left_behind),
	    IN_STATE(a_rotation_that_the_system_refuses_leaves_the_old_token_good),
	    IN_STATE(a_token_that_cannot_be_looked_up_is_not_refused_for_good),
	    IN_STATE(a_full_file_system_loses_no_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
