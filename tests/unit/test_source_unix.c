/* identity: the groups of the host's accounts, as the C library's look-ups say them. Those are
 * the test's own. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "identity/source.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What is said: each look-up takes room bytes, and fails with an errno when it has them. */
static struct {
	const char *account; /* as it is spelt; NULL: there is none */
	int account_failure, group_failure;
	size_t account_room, group_room;
	int groups; /* from number 1 on, of which each third has no name; -1: too many */
} said;

int __wrap_getpwnam_r(
    const char *name, struct passwd *entry, char *bytes, size_t size, struct passwd **found);
int __wrap_getgrgid_r(
    gid_t gid, struct group *entry, char *bytes, size_t size, struct group **found);
int __wrap_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count);

int
__wrap_getpwnam_r(
    const char *name, struct passwd *entry, char *bytes, size_t size, struct passwd **found)
{
	assert_string_equal(name, "jane");
	assert_non_null(bytes);
	*found = NULL;
	if (size < said.account_room)
		return ERANGE;
	if (said.account_failure != 0)
		return said.account_failure;
	if (said.account == NULL)
		return 0;
	*entry = (struct passwd){.pw_name = (char *)(uintptr_t)said.account, .pw_gid = 1};
	*found = entry;
	return 0;
}

int
__wrap_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count)
{
	assert_string_equal(user, "jane");
	assert_int_equal(group, 1);
	if (said.groups == -1)
		return -1;
	assert_in_range(said.groups, 0, *count);
	*count = said.groups;
	for (int i = 0; i < *count; i++)
		groups[i] = (gid_t)i + 1;
	return *count;
}

int
__wrap_getgrgid_r(
    gid_t gid, struct group *entry, char *bytes, size_t size, struct group **found)
{
	static char names[][4] = {"one", "two"};

	assert_non_null(bytes);
	*found = NULL;
	if (size < said.group_room)
		return ERANGE;
	if (said.group_failure != 0)
		return said.group_failure;
	if (gid % 3 == 0)
		return 0;
	*entry = (struct group){.gr_name = names[gid - 1], .gr_gid = gid};
	*found = entry;
	return 0;
}

static int
look_up(struct membership *m, struct error *e)
{
	static const struct groups_config config;
	struct source *s;
	int rc;

	*m = (struct membership){0};
	*e = (struct error){0};
	assert_int_equal(source_unix_open(&s, &config, e), 0);
	rc = s->lookup(s, "jane", m, e);
	source_close(s);
	return rc;
}

static void
groups_with_a_name_are_those_of_the_account(void **state)
{
	static const struct {
		int groups;
		const char *names;
	} rows[] = {{0, ""}, {1, "one\n"}, {2, "one\ntwo\n"}, {3, "one\ntwo\n"}};
	struct membership m;
	struct error e;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		said.account = "jane";
		said.groups = rows[i].groups;
		assert_int_equal(look_up(&m, &e), 0);
		assert_true(m.known);
		assert_string_equal(m.groups, rows[i].names);
	}
}

static void
an_account_that_is_not_this_one_is_unknown(void **state)
{
	static const struct {
		const char *account;
		int failure;
	} rows[] = {{NULL, 0}, {NULL, ENOENT}, {NULL, ESRCH}, {"JANE", 0}, {"jan", 0}};
	struct membership m;
	struct error e;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		said.account = rows[i].account;
		said.account_failure = rows[i].failure;
		said.groups = 2;
		assert_int_equal(look_up(&m, &e), 0);
		assert_false(m.known);
		assert_string_equal(m.groups, "");
	}
}

/* A group or an account of many members. */
static void
an_entry_gets_the_room_that_it_needs(void **state)
{
	static const size_t rooms[] = {16 * 1024, 16 * 1024 + 1, 100 * 1024, LIMIT_ACCOUNT};
	struct membership m;
	struct error e;

	(void)state;
	for (size_t i = 0; i < COUNT(rooms) * 2; i++) {
		said.account = "jane";
		said.groups = 2;
		said.account_room = i % 2 == 0 ? rooms[i / 2] : 0;
		said.group_room = i % 2 == 1 ? rooms[i / 2] : 0;
		assert_int_equal(look_up(&m, &e), 0);
		assert_string_equal(m.groups, "one\ntwo\n");
	}
}

static void
a_look_up_that_fails_is_no_answer(void **state)
{
	static const struct {
		int account, group, groups;
		size_t account_room, group_room;
		const char *text;
	} rows[] = {
	    {EIO, 0, 2, 0, 0, "the account cannot be looked up: Input/output error"},
	    {EMFILE, 0, 2, 0, 0, "the account cannot be looked up: Too many open files"},
	    {0, 0, 2, LIMIT_ACCOUNT + 1, 0, "the account cannot be looked up: "},
	    {0, EIO, 2, 0, 0, "group 1 cannot be looked up: Input/output error"},
	    {0, 0, 2, 0, LIMIT_ACCOUNT + 1, "group 1 cannot be looked up: "},
	    {0, 0, -1, 0, 0, "the account is in more than 4096 groups"},
	};
	struct membership m;
	struct error e;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		said.account = "jane";
		said.account_failure = rows[i].account;
		said.group_failure = rows[i].group;
		said.groups = rows[i].groups;
		said.account_room = rows[i].account_room;
		said.group_room = rows[i].group_room;
		assert_int_equal(look_up(&m, &e), -1);
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		if (strncmp(e.text, rows[i].text, strlen(rows[i].text)) != 0)
			fail_msg("%s", e.text);
	}
}

static int
forget(void **state)
{
	(void)state;
	memset(&said, 0, sizeof(said));
	return 0;
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup(test, forget)
	static const struct CMUnitTest tests[] = {
	    TEST(groups_with_a_name_are_those_of_the_account),
	    TEST(an_account_that_is_not_this_one_is_unknown),
	    TEST(an_entry_gets_the_room_that_it_needs),
	    TEST(a_look_up_that_fails_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
