/* store: the names of token files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "store/token_name.h"

#define T0 1700000000000000000LL

static void
subjects_have_the_names_that_are_documented(void **state)
{
	static const struct {
		const char *subject, *name;
	} cases[] = {
	    {"foo", "foo.1700000000000000000.token"},
	    {"a.1700000000000000000", "a.1700000000000000000.1700000000000000000.token"},
	    {"user@REALM", "user@REALM.1700000000000000000.token"},
	    {"a+b-c_d.e", "a+b-c_d.e.1700000000000000000.token"},
	    {"John Doe", "John%20Doe.1700000000000000000.token"},
	    {"J\xc3\xb6rg", "J%C3%B6rg.1700000000000000000.token"},
	    {"100%", "100%25.1700000000000000000.token"},
	    {"a/b", "a%2Fb.1700000000000000000.token"},
	    {".hidden", "%2Ehidden.1700000000000000000.token"},
	    {"-rf", "%2Drf.1700000000000000000.token"},
	    {"..", "%2E..1700000000000000000.token"},
	};
	char name[LIMIT_FILE_NAME];
	int64_t time;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(token_name_format(name, cases[i].subject, T0), 0);
		assert_string_equal(name, cases[i].name);
		time = 0;
		assert_int_equal(token_name_parse(name, &time), 0);
		assert_int_equal(time, T0);
	}
}

static void
a_subject_of_128_bytes_has_a_name(void **state)
{
	char subject[LIMIT_SUBJECT];
	char name[LIMIT_FILE_NAME];

	(void)state;
	memset(subject, 'a', sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = '\0';
	assert_int_equal(token_name_format(name, subject, T0), 0);
	assert_int_equal(strlen(name), 128 + TOKEN_NAME_TAIL);
}

static void
a_name_that_would_be_too_long_is_refused_not_cut(void **state)
{
	char subject[LIMIT_SUBJECT];
	char name[LIMIT_FILE_NAME];

	(void)state;
	memset(subject, ' ', sizeof(subject) - 1);
	subject[76] = '\0'; /* 228 bytes encoded, and the tail: 254 */
	assert_int_equal(token_name_format(name, subject, T0), 0);
	subject[76] = ' ';
	subject[77] = '\0';
	assert_int_equal(token_name_format(name, subject, T0), -1);
}

static void
times_without_19_digits_have_no_name(void **state)
{
	char name[LIMIT_FILE_NAME];

	(void)state;
	assert_int_equal(token_name_format(name, "a", 999999999999999999), -1);
	assert_int_equal(token_name_format(name, "a", 1000000000000000000), 0);
	assert_int_equal(token_name_format(name, "a", INT64_MAX), 0);
	assert_int_equal(token_name_format(name, "a", -1), -1);
	assert_int_equal(token_name_format(name, "", T0), -1);
}

static void
names_that_are_nearly_right_are_not_tokens(void **state)
{
	static const char *const names[] = {
	    "",
	    ".",
	    ".token",
	    ".1700000000000000000.token",
	    "1700000000000000000.token",
	    "a1700000000000000000.token",
	    "a.170000000000000000.token",
	    "a.17000000000000000000.token",
	    "a.+700000000000000000.token",
	    "a.0700000000000000000.token",
	    "a.9999999999999999999.token",
	    "a.170000000000000000x.token",
	    "a. 700000000000000000.token",
	    "a.1700000000000000000.token~",
	    "a.1700000000000000000.token.swp",
	    "a.1700000000000000000.Token",
	    "a.1700000000000000000token",
	    "a.1700000000000000000.toke",
	    "a b.1700000000000000000.token",
	    "a\n.1700000000000000000.token",
	    "J\xc3\xb6rg.1700000000000000000.token",
	    ".a.1700000000000000000.token",
	    "-a.1700000000000000000.token",
	    "a%41.1700000000000000000.token",
	    "a%2f.1700000000000000000.token",
	    "a%2.1700000000000000000.token",
	    "a%.1700000000000000000.token",
	    "a%00.1700000000000000000.token",
	    "a%/1.1700000000000000000.token",
	    "a%:1.1700000000000000000.token",
	    "a%G1.1700000000000000000.token",
	    "a%2/.1700000000000000000.token",
	    "a%2G.1700000000000000000.token",
	};
	char longest[LIMIT_FILE_NAME + 1];
	int64_t time;

	(void)state;
	/* One byte more than a name may have. */
	memset(longest, 'a', sizeof(longest) - 1);
	memcpy(longest + LIMIT_FILE_NAME - TOKEN_NAME_TAIL, ".1700000000000000000.token",
	    TOKEN_NAME_TAIL + 1);
	assert_int_equal(token_name_parse(longest, &time), -1);
	assert_int_equal(token_name_parse(longest + 1, &time), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (token_name_parse(names[i], &time) == 0)
			fail_msg("taken for a token: %s", names[i]);
}

static void
temporary_names_are_known_and_others_are_not(void **state)
{
	static const char *const others[] = {
	    ".tmp-",
	    ".tmp-0123456789abcdef0123456789abcde",
	    ".tmp-0123456789abcdef0123456789abcdef0",
	    ".tmp-0123456789ABCDEF0123456789abcdef",
	    "tmp-0123456789abcdef0123456789abcdef",
	    ".tmp-0123456789abcdef0123456789abcdef.token",
	};
	char name[LIMIT_FILE_NAME], next[LIMIT_FILE_NAME];

	(void)state;
	assert_int_equal(token_name_temporary(name, &entropy_system), 0);
	assert_int_equal(token_name_temporary(next, &entropy_system), 0);
	assert_true(token_name_is_temporary(name));
	assert_string_not_equal(name, next);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(token_name_is_temporary(others[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(subjects_have_the_names_that_are_documented),
	    cmocka_unit_test(a_subject_of_128_bytes_has_a_name),
	    cmocka_unit_test(a_name_that_would_be_too_long_is_refused_not_cut),
	    cmocka_unit_test(times_without_19_digits_have_no_name),
	    cmocka_unit_test(names_that_are_nearly_right_are_not_tokens),
	    cmocka_unit_test(temporary_names_are_known_and_others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
