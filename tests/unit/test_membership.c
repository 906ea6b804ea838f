/* identity: what is known of a user. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "identity/membership.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The groups, of a user who is known. */
static struct membership
member_of(const char *groups)
{
	struct membership m = {.known = true};

	(void)snprintf(m.groups, sizeof(m.groups), "%s", groups);
	return m;
}

static void
add(struct membership *m, const char *name)
{
	struct error e = {0};

	if (membership_add(m, name, strlen(name), &e) == -1)
		fail_msg("%s", e.text);
}

static void
groups_are_kept_in_order_each_once(void **state)
{
	struct membership m = {0};

	(void)state;
	add(&m, "b");
	add(&m, "a");
	add(&m, "b");
	add(&m, "ab");
	add(&m, "a b");
	add(&m, "A");
	add(&m, "gr\xc3\xbc\xc3\x9f"
		"e");
	assert_string_equal(m.groups, "b\na\nab\na b\nA\ngr\xc3\xbc\xc3\x9f"
				      "e\n");
	assert_int_equal(membership_count(&m), 6);
	assert_false(m.known);
}

static void
name_may_be_255_bytes_long(void **state)
{
	char name[LIMIT_GROUP_NAME + 1];
	struct membership m = {0};
	struct error e = {0};

	(void)state;
	memset(name, 'x', sizeof(name));
	assert_int_equal(membership_add(&m, name, 255, &e), 0);
	assert_int_equal(strlen(m.groups), 256);
	assert_int_equal(membership_add(&m, name, 256, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "a group's name is empty or longer than 255 bytes");
	assert_int_equal(strlen(m.groups), 256);
}

static void
names_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *name;
		size_t length;
	} rows[] = {{"", 0}, {"a\nb", 3}, {"\n", 1}, {"a\x1b", 2}, {"\x7f", 1}, {"a\0b", 3},
	    {"\0", 1}, {"\xff", 1}, {"a\xc3", 2}, {"\xed\xa0\x80", 3}, {"\xc0\xaf", 2}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct membership m = {0};
		struct error e = {0};

		if (membership_add(&m, rows[i].name, rows[i].length, &e) != -1)
			fail_msg("row %zu was accepted", i);
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		assert_string_equal(m.groups, "");
	}
}

/* Only as many of the bytes as it has are the name. */
static void
name_need_not_end_in_nul(void **state)
{
	struct membership m = {0};
	struct error e = {0};

	(void)state;
	assert_int_equal(membership_add(&m, "abc\n", 2, &e), 0);
	assert_string_equal(m.groups, "ab\n");
}

/* Fills m up to its last byte, with names of 3 digits and one of what is left. */
static void
fill(struct membership *m)
{
	size_t left = sizeof(m->groups) - 1;
	char name[LIMIT_GROUP_NAME];

	for (int i = 0; left >= 100; i++, left -= 5) {
		(void)snprintf(name, sizeof(name), "%04d", i);
		add(m, name);
	}
	memset(name, 'x', sizeof(name));
	name[left - 1] = '\0';
	add(m, name);
}

static void
what_does_not_fit_is_an_error_and_nothing_is_cut(void **state)
{
	struct membership m = {0};
	struct membership before;
	struct error e = {0};

	(void)state;
	fill(&m);
	assert_int_equal(strlen(m.groups), LIMIT_GROUPS - 1);
	before = m;
	assert_int_equal(membership_add(&m, "y", 1, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "more groups than 8191 bytes hold");
	assert_memory_equal(&m, &before, sizeof(m));
	/* One that is there needs no room. */
	add(&m, "0000");
}

static void
merging_puts_what_is_new_behind(void **state)
{
	struct membership to = member_of("b\na\n");
	struct membership from = member_of("c\na\nd\n");
	struct error e = {0};

	(void)state;
	assert_int_equal(membership_merge(&to, &from, &e), 0);
	assert_string_equal(to.groups, "b\na\nc\nd\n");
}

static void
merging_takes_the_attributes_that_are_missing(void **state)
{
	struct membership to = {0};
	struct membership first = {.known = true, .email = "one@example.org"};
	struct membership second = {
	    .known = true, .email = "two@example.org", .space = "second"};
	struct error e = {0};

	(void)state;
	assert_int_equal(membership_merge(&to, &first, &e), 0);
	assert_int_equal(membership_merge(&to, &second, &e), 0);
	assert_string_equal(to.email, "one@example.org");
	assert_string_equal(to.space, "second");
}

static void
user_is_known_when_one_knows_it(void **state)
{
	struct membership to = {0};
	struct membership unknown = {0};
	struct membership known = {.known = true};
	struct error e = {0};

	(void)state;
	assert_int_equal(membership_merge(&to, &unknown, &e), 0);
	assert_false(to.known);
	assert_int_equal(membership_merge(&to, &known, &e), 0);
	assert_true(to.known);
	assert_int_equal(membership_merge(&to, &unknown, &e), 0);
	assert_true(to.known);
}

static void
merging_what_does_not_fit_is_an_error(void **state)
{
	struct membership to = {0};
	struct membership from = member_of("y\n");
	struct error e = {0};

	(void)state;
	fill(&to);
	assert_int_equal(membership_merge(&to, &from, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
}

static void
folding_makes_small_letters_of_ascii_and_doubles_go(void **state)
{
	struct membership m = member_of("Staff\nSTAFF\n@[`{Z\nstaff\nGR\xc3\x9c"
					"N\nother\n");

	(void)state;
	membership_fold(&m);
	assert_string_equal(m.groups, "staff\n@[`{z\ngr\xc3\x9cn\nother\n");
	assert_true(m.known);
}

static void
folding_leaves_attributes_alone(void **state)
{
	struct membership m = member_of("A\n");

	(void)state;
	(void)snprintf(m.email, sizeof(m.email), "%s", "Alice@Example.org");
	(void)snprintf(m.space, sizeof(m.space), "%s", "NS");
	membership_fold(&m);
	assert_string_equal(m.email, "Alice@Example.org");
	assert_string_equal(m.space, "NS");
}

static void
allowed_is_what_a_pattern_matches_whole(void **state)
{
	static char one[] = "app-*", two[] = "st?ff", three[] = "[xy]";
	static char *const items[] = {one, two, three};
	const struct strings patterns = {(char **)items, COUNT(items)};
	static const struct {
		const char *groups;
		const char *kept;
	} rows[] = {
	    {"app-a\nother\nstaff\nx\nz\n", "app-a\nstaff\nx\n"},
	    {"other\napp-\nAPP-b\nmy-app-c\nstafff\n", "app-\n"},
	    {"other\n", ""},
	    {"", ""},
	    {"a\nb\nc\nx\n", "x\n"},
	    {"app-a/b\napp-.c\n", "app-a/b\napp-.c\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct membership m = member_of(rows[i].groups);

		membership_allow(&m, &patterns);
		assert_string_equal(m.groups, rows[i].kept);
		assert_true(m.known);
	}
}

static void
all_are_allowed_without_patterns(void **state)
{
	const struct strings none = {NULL, 0};
	struct membership m = member_of("a\nb\n");

	(void)state;
	membership_allow(&m, &none);
	assert_string_equal(m.groups, "a\nb\n");
}

static void
list_has_a_group_only_whole(void **state)
{
	static const struct {
		const char *groups;
		const char *name;
		bool has;
	} rows[] = {
	    {"abc\ndef\n", "abc", true},
	    {"abc\ndef\n", "def", true},
	    {"abc\ndef\n", "ab", false},
	    {"abc\ndef\n", "bc", false},
	    {"abc\ndef\n", "abcd", false},
	    {"abc\ndef\n", "Abc", false},
	    {"abc\ndef\n", "ef", false},
	    {"abc\ndef\n", "", false},
	    {"aab\nab\n", "ab", true},
	    {"", "a", false},
	    {NULL, "a", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (groups_have(rows[i].groups, rows[i].name, strlen(rows[i].name)) !=
		    rows[i].has)
			fail_msg("row %zu", i);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(groups_are_kept_in_order_each_once),
	    cmocka_unit_test(name_may_be_255_bytes_long),
	    cmocka_unit_test(names_that_are_none_are_refused),
	    cmocka_unit_test(name_need_not_end_in_nul),
	    cmocka_unit_test(what_does_not_fit_is_an_error_and_nothing_is_cut),
	    cmocka_unit_test(merging_puts_what_is_new_behind),
	    cmocka_unit_test(merging_takes_the_attributes_that_are_missing),
	    cmocka_unit_test(user_is_known_when_one_knows_it),
	    cmocka_unit_test(merging_what_does_not_fit_is_an_error),
	    cmocka_unit_test(folding_makes_small_letters_of_ascii_and_doubles_go),
	    cmocka_unit_test(folding_leaves_attributes_alone),
	    cmocka_unit_test(allowed_is_what_a_pattern_matches_whole),
	    cmocka_unit_test(all_are_allowed_without_patterns),
	    cmocka_unit_test(list_has_a_group_only_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
