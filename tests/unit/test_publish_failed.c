/* store: publishing where the system refuses. System calls that fail are made so by a seccomp
 * filter in a child. */
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/publish.h"
#include "tests/unit/stores.h"

static const struct publish_options plain = {.mode = 0640, .group = (gid_t)-1};

/* Publishes while a system call fails as injected. */
static void
publish_injected(struct stores_fixture *f, const void *argument)
{
	const struct stores_injection *i = argument;
	char path[LIMIT_PATH];
	struct error e = {0};

	stores_inject(i);
	CHILD_ASSERT(
	    publish_token(&f->directory, &plain, "foo", STORES_T0, "token", 5, path, &e) == -1);
	if (e.code != i->code)
		(void)dprintf(STDERR_FILENO, "%s: code %d: %s\n", i->name, (int)e.code, e.text);
	CHILD_ASSERT(e.code == i->code);
	CHILD_ASSERT(*path == '\0');
}

#define ON_TMPFILE __NR_openat, 2, O_TMPFILE, O_TMPFILE

static void
a_refusal_of_the_system_leaves_nothing_behind(void **state)
{
	static const struct stores_injection cases[] = {
	    {"open full", ON_TMPFILE, ENOSPC, ERROR_UNAVAILABLE},
	    {"open quota", ON_TMPFILE, EDQUOT, ERROR_UNAVAILABLE},
	    {"open read-only", ON_TMPFILE, EROFS, ERROR_UNAVAILABLE},
	    {"open descriptors", ON_TMPFILE, EMFILE, ERROR_UNAVAILABLE},
	    {"open system descriptors", ON_TMPFILE, ENFILE, ERROR_UNAVAILABLE},
	    {"open input/output", ON_TMPFILE, EIO, ERROR_UNAVAILABLE},
	    {"open memory", ON_TMPFILE, ENOMEM, ERROR_UNAVAILABLE},
	    {"open permission", ON_TMPFILE, EACCES, ERROR_NO_PERMISSION},
	    {"write full", STORES_ON(write), ENOSPC, ERROR_UNAVAILABLE},
	    {"write quota", STORES_ON(write), EDQUOT, ERROR_UNAVAILABLE},
	    {"write input/output", STORES_ON(write), EIO, ERROR_UNAVAILABLE},
	    {"mode", STORES_ON(fchmod), EIO, ERROR_UNAVAILABLE},
	    {"link full", STORES_ON(linkat), ENOSPC, ERROR_UNAVAILABLE},
	    {"link input/output", STORES_ON(linkat), EIO, ERROR_UNAVAILABLE},
	    {"link read-only", STORES_ON(linkat), EROFS, ERROR_UNAVAILABLE},
	    {"link name taken for good", STORES_ON(linkat), EEXIST, ERROR_UNAVAILABLE},
	    {"link gone", STORES_ON(linkat), ENOENT, ERROR_UNAVAILABLE},
	};
	struct stores_fixture *f = *state;
	char path[LIMIT_PATH];
	struct error e;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stores_in_child(publish_injected, f, &cases[i]);
		assert_int_equal(stores_count(f), 0);
	}
	stores_check(
	    publish_token(&f->directory, &plain, "foo", STORES_T0, "token", 5, path, &e), &e);
}

/* Without O_TMPFILE, or without /proc. */
static const struct stores_injection fallbacks[] = {
    {"not supported", ON_TMPFILE, EOPNOTSUPP, ERROR_NONE},
    {"a directory", ON_TMPFILE, EISDIR, ERROR_NONE},
    {"invalid", ON_TMPFILE, EINVAL, ERROR_NONE},
    {"no /proc", __NR_linkat, 0, UINT32_MAX, (uint32_t)AT_FDCWD, ENOENT, ERROR_NONE},
};

static void
publish_fallback(struct stores_fixture *f, const void *argument)
{
	char path[LIMIT_PATH];
	struct error e = {0};

	stores_inject(argument);
	(void)umask(0777);
	if (publish_token(&f->directory, &plain, "foo", STORES_T0, "token", 5, path, &e) == -1)
		(void)dprintf(STDERR_FILENO, "%s\n", e.text);
	CHILD_ASSERT(*path != '\0');
}

static void
a_file_system_without_unnamed_files_serves_as_well(void **state)
{
	struct stores_fixture *f = *state;

	for (size_t i = 0; i < sizeof(fallbacks) / sizeof(fallbacks[0]); i++) {
		struct stat st;

		stores_in_child(publish_fallback, f, &fallbacks[i]);
		assert_int_equal(stores_count(f), 1);
		st = stores_look(f, "foo.1700000000000000000.token");
		assert_int_equal(st.st_mode, S_IFREG | 0640);
		assert_int_equal(st.st_size, 5);
		assert_int_equal(st.st_nlink, 1);
		assert_int_equal(
		    unlinkat(f->directory.fd, "foo.1700000000000000000.token", 0), 0);
	}
}

static void
publish_fallback_injected(struct stores_fixture *f, const void *argument)
{
	stores_inject(&fallbacks[0]);
	publish_injected(f, argument);
}

static void
a_refusal_leaves_no_temporary_file_either(void **state)
{
	static const struct stores_injection cases[] = {
	    {"open", __NR_openat, 2, O_CREAT, O_CREAT, ENOSPC, ERROR_UNAVAILABLE},
	    {"write", STORES_ON(write), ENOSPC, ERROR_UNAVAILABLE},
	    {"mode", STORES_ON(fchmod), EIO, ERROR_UNAVAILABLE},
	    {"close", STORES_ON(close), EIO, ERROR_UNAVAILABLE},
	    {"link", STORES_ON(linkat), EIO, ERROR_UNAVAILABLE},
	    {"link taken", STORES_ON(linkat), EEXIST, ERROR_UNAVAILABLE},
	};
	struct stores_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stores_in_child(publish_fallback_injected, f, &cases[i]);
		assert_int_equal(stores_count(f), 0);
	}
}

static void
publish_without_descriptors(struct stores_fixture *f, const void *argument)
{
	struct rlimit limit = {.rlim_cur = 0, .rlim_max = 1024};
	char path[LIMIT_PATH];
	struct error e = {0};

	(void)argument;
	CHILD_ASSERT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHILD_ASSERT(
	    publish_token(&f->directory, &plain, "foo", STORES_T0, "x", 1, path, &e) == -1);
	CHILD_ASSERT(e.code == ERROR_UNAVAILABLE);
	CHILD_ASSERT(strstr(e.text, "open files") != NULL);
	limit.rlim_cur = 1024;
	CHILD_ASSERT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHILD_ASSERT(
	    publish_token(&f->directory, &plain, "foo", STORES_T0, "x", 1, path, &e) == 0);
}

static void
running_out_of_descriptors_is_said_and_recovers(void **state)
{
	stores_in_child(publish_without_descriptors, *state, NULL);
}

/* Mounts a small file system on the token directory, in a mount namespace of the child. */
static void
mount_small(struct stores_fixture *f, const char *options)
{
	struct error e = {0};

	CHILD_ASSERT(unshare(CLONE_NEWNS) == 0);
	CHILD_ASSERT(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHILD_ASSERT(mount("tmpfs", f->path, "tmpfs", 0, options) == 0);
	directory_close(&f->directory);
	CHILD_ASSERT(directory_open(&f->directory, f->path, 0, (gid_t)-1, &e) == 0);
}

static void
publish_until_full(struct stores_fixture *f, const void *argument)
{
	static const char bytes[6000]; /* a page and a part of one */
	char path[LIMIT_PATH], first[LIMIT_PATH] = "";
	struct error e = {0};
	size_t n = 0;
	struct stat st;

	mount_small(f, argument);
	while (publish_token(&f->directory, &plain, "foo", STORES_T0, bytes, sizeof(bytes),
		   path, &e) == 0) {
		CHILD_ASSERT(stat(path, &st) == 0 && st.st_size == sizeof(bytes));
		if (n++ == 0)
			memcpy(first, path, sizeof(first));
	}
	CHILD_ASSERT(e.code == ERROR_UNAVAILABLE);
	CHILD_ASSERT(n > 0 && n < 100);
	CHILD_ASSERT(stores_count(f) == n);
	CHILD_ASSERT(unlink(first) == 0);
	CHILD_ASSERT(publish_token(&f->directory, &plain, "foo", STORES_T0, bytes,
			 sizeof(bytes), path, &e) == 0);
}

static void
a_full_file_system_is_said_and_recovers(void **state)
{
	if (geteuid() != 0)
		skip();
	stores_in_child(publish_until_full, *state, "size=20k,mode=0750");
	stores_in_child(publish_until_full, *state, "nr_inodes=4,mode=0750");
}

static void
publish_read_only(struct stores_fixture *f, const void *argument)
{
	char path[LIMIT_PATH];
	struct error e = {0};

	(void)argument;
	mount_small(f, "mode=0750");
	CHILD_ASSERT(mount("tmpfs", f->path, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) == 0);
	CHILD_ASSERT(
	    publish_token(&f->directory, &plain, "foo", STORES_T0, "x", 1, path, &e) == -1);
	CHILD_ASSERT(e.code == ERROR_UNAVAILABLE);
	CHILD_ASSERT(mount("tmpfs", f->path, "tmpfs", MS_REMOUNT, NULL) == 0);
	CHILD_ASSERT(
	    publish_token(&f->directory, &plain, "foo", STORES_T0, "x", 1, path, &e) == 0);
}

static void
a_read_only_file_system_is_said_and_recovers(void **state)
{
	if (geteuid() != 0)
		skip();
	stores_in_child(publish_read_only, *state, NULL);
}

#define IN_DIRECTORY(test) \
	cmocka_unit_test_setup_teardown(test, stores_enter_open, stores_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_DIRECTORY(a_refusal_of_the_system_leaves_nothing_behind),
	    IN_DIRECTORY(a_file_system_without_unnamed_files_serves_as_well),
	    IN_DIRECTORY(a_refusal_leaves_no_temporary_file_either),
	    IN_DIRECTORY(running_out_of_descriptors_is_said_and_recovers),
	    IN_DIRECTORY(a_full_file_system_is_said_and_recovers),
	    IN_DIRECTORY(a_read_only_file_system_is_said_and_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
