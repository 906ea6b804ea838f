/* store: publishing where the system refuses to give the file to whom it is for. System calls
 * that fail are made so by a seccomp filter in a child. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/publish.h"
#include "tests/unit/stores.h"

static const struct publish_options to_group = {.mode = 0640, .group = STORES_NOBODY};
static const struct publish_options to_subject = {
    .mode = 0640, .group = (gid_t)-1, .to_subject = true, .account = STORES_NOBODY};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ON_TMPFILE __NR_openat, 2, O_TMPFILE, O_TMPFILE
#define NO_ACLS                                                         \
	{                                                               \
		"no ACLs", STORES_ON(fsetxattr), EOPNOTSUPP, ERROR_NONE \
	}

/* Two calls at most fail at one time; the code is the last one's. */
struct refusal {
	const struct publish_options *options;
	struct stores_injection calls[2];
	const char *text; /* part of the message */
};

static void
refuse_publishing(struct stores_fixture *f, const void *argument)
{
	const struct refusal *r = argument;
	const struct stores_injection *last = &r->calls[r->calls[1].name != NULL];
	char path[LIMIT_PATH];
	struct error e = {0};

	for (const struct stores_injection *i = r->calls; i <= last; i++)
		stores_inject(i);
	CHILD_ASSERT(publish_token(&f->directory, r->options, "nobody", STORES_T0, "token", 5,
			 path, &e) == -1);
	if (e.code != last->code || strstr(e.text, r->text) == NULL)
		(void)dprintf(
		    STDERR_FILENO, "%s: code %d: %s\n", last->name, (int)e.code, e.text);
	CHILD_ASSERT(e.code == last->code);
	CHILD_ASSERT(strstr(e.text, r->text) != NULL);
	CHILD_ASSERT(*path == '\0');
}

static void
a_file_that_cannot_be_given_away_is_never_seen(void **state)
{
	static const struct refusal rows[] = {
	    {&to_group, {{"group", STORES_ON(fchown), EPERM, ERROR_CONFIG}},
		"to group 65534: run as a member"},
	    {&to_group, {{"group", STORES_ON(fchown), EDQUOT, ERROR_UNAVAILABLE}},
		"to group 65534 in"},
	    {&to_subject, {{"ACL", STORES_ON(fsetxattr), ENOSPC, ERROR_UNAVAILABLE}},
		"cannot set the ACL"},
	    {&to_subject, {NO_ACLS, {"owner", STORES_ON(fchown), EPERM, ERROR_CONFIG}},
		"the file system has no ACLs"},
	    {&to_subject, {NO_ACLS, {"owner", STORES_ON(fchown), EIO, ERROR_UNAVAILABLE}},
		"cannot give away"},
	    {&to_subject, {NO_ACLS, {"mode", STORES_ON(fchmod), EROFS, ERROR_UNAVAILABLE}},
		"cannot give away"},
	};
	struct stores_fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		stores_in_child(refuse_publishing, f, &rows[i]);
		assert_int_equal(stores_count(f), 0);
	}
}

static void
refuse_to_probe(struct stores_fixture *f, const void *argument)
{
	const struct stores_injection *i = argument;
	struct error e = {0};

	stores_inject(i);
	CHILD_ASSERT(publish_probe(&f->directory, &to_group, &e) == -1);
	CHILD_ASSERT(e.code == i->code);
}

static void
a_directory_that_takes_no_files_is_said_at_the_start(void **state)
{
	static const struct stores_injection rows[] = {
	    {"open", ON_TMPFILE, EACCES, ERROR_NO_PERMISSION},
	    {"open", ON_TMPFILE, EROFS, ERROR_UNAVAILABLE},
	    {"group", STORES_ON(fchown), EPERM, ERROR_CONFIG},
	};
	struct stores_fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		stores_in_child(refuse_to_probe, f, &rows[i]);
		assert_int_equal(stores_count(f), 0);
	}
}

/* Where files have no name of their own. */
static const struct stores_injection named = {"named", ON_TMPFILE, EOPNOTSUPP, ERROR_NONE};

static void
publish_named(struct stores_fixture *f, const void *argument)
{
	const struct stores_injection *i = argument;
	const struct publish_options plain = {.mode = 0640, .group = (gid_t)-1};
	char path[LIMIT_PATH];
	struct error e = {0};
	int want = i->code == ERROR_NONE ? 0 : -1;

	stores_inject(&named);
	stores_inject(i);
	CHILD_ASSERT(publish_token(&f->directory, &plain, "foo", STORES_T0, "token", 5, path,
			 &e) == want);
	CHILD_ASSERT(e.code == i->code);
}

static void
a_temporary_name_that_can_be_guessed_is_not_taken(void **state)
{
	static const struct stores_injection no_chance = {
	    "getrandom", STORES_ON(getrandom), EIO, ERROR_UNAVAILABLE};
	struct stores_fixture *f = *state;

	stores_in_child(publish_named, f, &no_chance);
	assert_int_equal(stores_count(f), 0);
}

/* Linux has closed the descriptor by then. */
static void
a_close_that_a_signal_interrupts_is_one(void **state)
{
	static const struct stores_injection interrupted = {
	    "close", STORES_ON(close), EINTR, ERROR_NONE};
	struct stores_fixture *f = *state;

	stores_in_child(publish_named, f, &interrupted);
	assert_int_equal(stores_count(f), 1);
	assert_int_equal(stores_look(f, "foo.1700000000000000000.token").st_size, 5);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_enter_open, stores_leave)
	static const struct CMUnitTest tests[] = {
	    TEST(a_file_that_cannot_be_given_away_is_never_seen),
	    TEST(a_directory_that_takes_no_files_is_said_at_the_start),
	    TEST(a_temporary_name_that_can_be_guessed_is_not_taken),
	    TEST(a_close_that_a_signal_interrupts_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
