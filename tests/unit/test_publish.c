/* store: publishing tokens, and whose they are then. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <acl/libacl.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/publish.h"
#include "tests/unit/stores.h"

static const struct publish_options plain = {.mode = 0640, .group = (gid_t)-1};

static void
a_token_is_published_with_mode_and_group_whatever_the_umask(void **state)
{
	static const mode_t umasks[] = {0, 027, 077, 0777};
	struct stores_fixture *f = *state;
	struct publish_options o = {.mode = 0640, .group = geteuid() == 0 ? 12345 : getegid()};
	char path[LIMIT_PATH], expected[LIMIT_PATH], text[16] = "";
	struct stat st;
	struct error e;
	int fd;

	for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
		mode_t before = umask(umasks[i]);
		int rc = publish_token(
		    &f->directory, &o, "foo", STORES_T0 + (int64_t)i, "e30.e30.x", 9, path, &e);

		(void)umask(before);
		stores_check(rc, &e);
		(void)snprintf(expected, sizeof(expected), "%s/foo.170000000000000000%zu.token",
		    f->path, i);
		assert_string_equal(path, expected);
		assert_int_equal(lstat(path, &st), 0);
		assert_int_equal(st.st_mode, S_IFREG | 0640);
		assert_int_equal(st.st_gid, o.group);
		assert_int_equal(st.st_nlink, 1);
	}
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 9);
	assert_string_equal(text, "e30.e30.x");
	close(fd);
}

static void
a_name_that_is_taken_moves_on_and_nothing_is_replaced(void **state)
{
	struct stores_fixture *f = *state;
	char path[LIMIT_PATH];
	struct error e;

	stores_put(f, "foo.1700000000000000000.token");
	assert_int_equal(
	    symlinkat("/etc/passwd", f->directory.fd, "foo.1700000000000000001.token"), 0);
	stores_check(
	    publish_token(&f->directory, &plain, "foo", STORES_T0, "x", 1, path, &e), &e);
	assert_non_null(strstr(path, "/foo.1700000000000000002.token"));
	assert_int_equal(stores_look(f, "foo.1700000000000000000.token").st_size, 0);
	assert_true(S_ISLNK(stores_look(f, "foo.1700000000000000001.token").st_mode));
}

static void
publish_many(struct stores_fixture *f, const void *argument)
{
	char path[LIMIT_PATH];
	struct error e;

	(void)argument;
	for (int i = 0; i < 5000; i++)
		CHILD_ASSERT(publish_token(&f->directory, &plain, "foo",
				 clock_realtime(&clock_system) / 1000000 * 1000000, "x", 1,
				 path, &e) == 0);
}

static void
two_processes_never_share_a_name(void **state)
{
	struct stores_fixture *f = *state;
	pid_t child = fork();
	int status;

	assert_int_not_equal(child, -1);
	if (child == 0) {
		publish_many(f, NULL);
		_exit(0);
	}
	stores_in_child(publish_many, f, NULL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(stores_count(f), 10000);
}

static void
a_subject_that_no_file_name_holds_is_refused(void **state)
{
	struct stores_fixture *f = *state;
	char subject[LIMIT_SUBJECT], path[LIMIT_PATH];
	struct error e = {0};

	memset(subject, ' ', sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = '\0';
	assert_int_equal(
	    publish_token(&f->directory, &plain, subject, STORES_T0, "x", 1, path, &e), -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
}

static const struct publish_options to_subject = {
    .mode = 0640, .group = (gid_t)-1, .to_subject = true, .account = 4711};

static void
access_of_the_subject_is_an_acl_for_its_account(void **state)
{
	struct stores_fixture *f = *state;
	char path[LIMIT_PATH], *text;
	mode_t before = umask(0777);
	struct error e;
	acl_t acl;
	int rc;

	rc = publish_token(&f->directory, &to_subject, "nobody", STORES_T0, "x", 1, path, &e);
	(void)umask(before);
	stores_check(rc, &e);
	acl = acl_get_file(path, ACL_TYPE_ACCESS);
	assert_non_null(acl);
	text = acl_to_any_text(acl, NULL, ',', TEXT_NUMERIC_IDS);
	assert_string_equal(text, "user::rw-,user:4711:r--,group::---,mask::r--,other::---");
	acl_free(text);
	acl_free(acl);
}

static void
publish_without_acls(struct stores_fixture *f, const void *argument)
{
	const struct stores_injection no_acls = {
	    "", STORES_ON(fsetxattr), EOPNOTSUPP, ERROR_NONE};
	char path[LIMIT_PATH];
	struct error e = {0};

	(void)argument;
	stores_inject(&no_acls);
	(void)publish_token(&f->directory, &to_subject, "daemon", STORES_T0, "x", 1, path, &e);
	CHILD_ASSERT(e.code == (geteuid() == 0 ? ERROR_NONE : ERROR_CONFIG));
	e = (struct error){0};
	(void)publish_probe(&f->directory, &to_subject, &e);
	CHILD_ASSERT(e.code == (geteuid() == 0 ? ERROR_NONE : ERROR_CONFIG));
}

static void
access_of_the_subject_without_acls_is_ownership(void **state)
{
	struct stores_fixture *f = *state;
	struct stat st;

	stores_in_child(publish_without_acls, f, NULL);
	if (geteuid() != 0) {
		assert_int_equal(stores_count(f), 0);
		return;
	}
	st = stores_look(f, "daemon.1700000000000000000.token");
	assert_int_equal(st.st_mode, S_IFREG | 0400);
	assert_int_equal(st.st_uid, 4711);
}

static void
probe_as_nobody(struct stores_fixture *f, const void *argument)
{
	struct publish_options o = plain;
	struct error e = {0};

	(void)argument;
	CHILD_ASSERT(setgroups(0, NULL) == 0 && setgid(STORES_NOBODY) == 0 &&
		     setuid(STORES_NOBODY) == 0);
	CHILD_ASSERT(publish_probe(&f->directory, &o, &e) == 0);
	o.group = STORES_NOBODY;
	CHILD_ASSERT(publish_probe(&f->directory, &o, &e) == 0);
	o.group = 0;
	CHILD_ASSERT(publish_probe(&f->directory, &o, &e) == -1);
	CHILD_ASSERT(e.code == ERROR_CONFIG && strstr(e.text, "group 0") != NULL);
	CHILD_ASSERT(stores_count(f) == 0);
}

static void
a_group_that_is_not_ours_is_said_by_the_probe(void **state)
{
	struct stores_fixture *f = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(f->folder, 0755), 0);
	assert_int_equal(fchown(f->directory.fd, STORES_NOBODY, STORES_NOBODY), 0);
	stores_in_child(probe_as_nobody, f, NULL);
}

#define IN_DIRECTORY(test) \
	cmocka_unit_test_setup_teardown(test, stores_enter_open, stores_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_DIRECTORY(a_token_is_published_with_mode_and_group_whatever_the_umask),
	    IN_DIRECTORY(a_name_that_is_taken_moves_on_and_nothing_is_replaced),
	    IN_DIRECTORY(two_processes_never_share_a_name),
	    IN_DIRECTORY(a_subject_that_no_file_name_holds_is_refused),
	    IN_DIRECTORY(access_of_the_subject_is_an_acl_for_its_account),
	    IN_DIRECTORY(access_of_the_subject_without_acls_is_ownership),
	    IN_DIRECTORY(a_group_that_is_not_ours_is_said_by_the_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
