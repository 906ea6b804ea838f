/* base: lists of strings. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/strings.h"

static char one[] = "one", two[] = "two words", empty[] = "";

static void
string_is_found_wherever_it_stands(void **state)
{
	char *items[] = {one, two, empty};
	const struct strings list = {.items = items, .count = 3};

	(void)state;
	assert_true(strings_have(&list, "one"));
	assert_true(strings_have(&list, "two words"));
	assert_true(strings_have(&list, ""));
}

static void
string_is_compared_as_a_whole_and_with_its_case(void **state)
{
	char *items[] = {one, two};
	const struct strings list = {.items = items, .count = 2};

	(void)state;
	assert_false(strings_have(&list, "on"));
	assert_false(strings_have(&list, "ones"));
	assert_false(strings_have(&list, "One"));
	assert_false(strings_have(&list, "two"));
	assert_false(strings_have(&list, "*"));
	assert_false(strings_have(&list, ""));
}

static void
what_is_behind_the_count_is_not_in_the_list(void **state)
{
	char *items[] = {one, two};
	const struct strings list = {.items = items, .count = 1};

	(void)state;
	assert_true(strings_have(&list, "one"));
	assert_false(strings_have(&list, "two words"));
}

static void
empty_list_has_nothing(void **state)
{
	const struct strings none = {0};

	(void)state;
	assert_false(strings_have(&none, "one"));
	assert_false(strings_have(&none, ""));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(string_is_found_wherever_it_stands),
	    cmocka_unit_test(string_is_compared_as_a_whole_and_with_its_case),
	    cmocka_unit_test(what_is_behind_the_count_is_not_in_the_list),
	    cmocka_unit_test(empty_list_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
