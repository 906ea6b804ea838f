/* authserver-keep: whose files are kept, and who is gone. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/failures.h"
#include "tests/unit/keeps.h"
#include "tools/authserver-keep/subjects.h"

/* --- the system, as far as a test says what it has --- */

static bool types_unknown;

struct dirent *__real_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d);
int __real_dup(int fd);
int __wrap_dup(int fd);

struct dirent *
__wrap_readdir(DIR *d)
{
	struct dirent *entry = failures_hit("readdir") ? NULL : __real_readdir(d);

	if (entry != NULL && types_unknown)
		entry->d_type = DT_UNKNOWN;
	return entry;
}

int
__wrap_dup(int fd)
{
	return failures_hit("dup") ? -1 : __real_dup(fd);
}

static int
enter(void **state)
{
	types_unknown = false;
	return keeps_enter(state);
}

/* --- the tests --- */

/* Lists the subjects of the section: their names with a blank behind each. */
static const char *
list(struct keeps_fixture *f, const struct keep_section *s)
{
	static char text[256];
	struct subjects subjects;

	*text = '\0';
	if (subjects_list(&subjects, s, f->issuer.grammar, &f->e) == -1) {
		assert_int_equal(subjects.count, 0);
		return NULL;
	}
	for (size_t i = 0; i < subjects.count; i++) {
		assert_true(subjects_have(&subjects, subjects.items[i]));
		(void)strcat(strcat(text, subjects.items[i]), " ");
	}
	assert_false(subjects_have(&subjects, "nobody at all"));
	subjects_free(&subjects);
	return text;
}

static void
members_of_a_group_are_subjects(void **state)
{
	char group[] = "staff", none[] = "none", joe[] = "joe", jane[] = "jane", odd[] = "a/b";
	char *some[] = {joe, jane, odd, joe, NULL}, *nobody[] = {NULL};
	struct keep_section s = {.group_members = group};
	struct keeps_fixture *f = *state;
	int turn;

	keeps_members = some;
	assert_string_equal(list(f, &s), "jane joe ");
	/* What does not fit is asked for once more, but not for ever. */
	(void)failures_set("getgrnam_r", 0, 1, ERANGE);
	assert_string_equal(list(f, &s), "jane joe ");
	(void)failures_set("getgrnam_r", 0, 100, ERANGE);
	assert_null(list(f, &s));
	(void)failures_set("getgrnam_r", 0, 1, EIO);
	assert_null(list(f, &s));
	assert_string_equal(f->e.text, "group 'staff' cannot be looked up: Input/output error");
	for (turn = 0; turn < 20; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		if (list(f, &s) != NULL)
			break;
		assert_int_equal(f->e.code, ERROR_UNAVAILABLE);
	}
	assert_true(turn >= 5);
	(void)failures_set(NULL, 0, 0, 0);
	keeps_members = nobody;
	assert_string_equal(list(f, &s), "");
	keeps_members = NULL;
	assert_string_equal(list(f, &s), "");
	s.group_members = none;
	assert_null(list(f, &s));
	assert_string_equal(f->e.text, "group 'none' does not exist");
}

static void
names_of_directories_are_subjects(void **state)
{
	static const char *const calls[] = {"readdir", "dup", "fdopendir"};
	struct keeps_fixture *f = *state;
	char nowhere[] = "/nowhere";
	struct keep_section s = {.directories = f->folder};
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/b", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/a", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	keeps_write(f, "file", "", 0);
	(void)snprintf(path, sizeof(path), "%s/link", f->folder);
	assert_int_equal(symlink("/", path), 0);
	assert_string_equal(list(f, &s), "a b ");
	/* Some file systems do not say what is what. */
	types_unknown = true;
	assert_string_equal(list(f, &s), "a b ");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		(void)failures_set(calls[i], 0, 1, EIO);
		assert_null(list(f, &s));
		assert_non_null(strstr(f->e.text, f->folder));
	}
	s.directories = nowhere;
	assert_null(list(f, &s));
}

static void
subject_is_the_one_that_is_named(void **state)
{
	char name[] = "web", subject[] = "jane";
	struct keep_section s = {.name = name};
	struct keeps_fixture *f = *state;

	assert_string_equal(list(f, &s), "web ");
	s.subject = subject;
	assert_string_equal(list(f, &s), "jane ");
}

static void
who_is_gone_is_known_by_the_files(void **state)
{
	static const char *const names[] = {
	    "a-jane.jwt", "a-joe.jwt", "a-.jwt", "a-eve.txt", "b-bob.jwt", "a"};
	struct keeps_fixture *f = *state;
	char jane[] = "jane", nowhere[] = "/nowhere/${subject}";
	char *one[] = {jane};
	struct keep_section s = {.file = f->pattern};
	struct subjects there = {one, 1}, gone;
	const struct subject_grammar *g = f->issuer.grammar;
	int turn;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		keeps_write(f, names[i], "", 0);
	for (turn = 0; turn < 10; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		if (subjects_list_gone(&gone, &s, g, &there, &f->e) == 0)
			break;
		assert_int_equal(gone.count, 0);
	}
	(void)failures_set(NULL, 0, 0, 0);
	assert_true(turn >= 2);
	assert_int_equal(gone.count, 1);
	assert_string_equal(gone.items[0], "joe");
	subjects_free(&gone);
	there.count = 0;
	assert_int_equal(subjects_list_gone(&gone, &s, g, &there, &f->e), 0);
	assert_int_equal(gone.count, 2);
	assert_string_equal(gone.items[0], "jane");
	subjects_free(&gone);
	s.file = nowhere;
	assert_int_equal(subjects_list_gone(&gone, &s, g, &there, &f->e), -1);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, enter, keeps_leave)
	const struct CMUnitTest tests[] = {
	    TEST(members_of_a_group_are_subjects),
	    TEST(names_of_directories_are_subjects),
	    TEST(subject_is_the_one_that_is_named),
	    TEST(who_is_gone_is_known_by_the_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
