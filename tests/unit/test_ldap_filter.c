/* identity: filters of a directory, and what is filled into them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "identity/ldap_filter.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
templates_are_taken_by_the_table(void **state)
{
	static const char *const rows[] = {
	    "(uid={0})",
	    "(uid=a)",
	    "(uid=)",
	    "(uid=*)",
	    "(uid=a*{0}*b)",
	    "(&(objectClass=person)(uid={0}))",
	    "(|(uid={0})(mail={0})(!(cn={0})))",
	    "(&(a=b)(|(c=d)(!(e={1}))))",
	    "(member:1.2.840.113556.1.4.1941:={1})",
	    "(:dn:2.4.6.8.10:=x)",
	    "(cn;lang-en=x)",
	    "(cn~={0})",
	    "(age>=3)",
	    "(age<=3)",
	    "(cn=a\\2ab)",
	    "(cn=\\7B0\\7d)",
	    "(memberUid={0})",
	    "(cn=M\303\274ller)",
	    "(cn=a b=c&d|e!f)",
	};
	struct error e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (ldap_filter_check(rows[i], 2, &e) == -1)
			fail_msg("%s: %s", rows[i], e.text);
}

static void
templates_are_refused_by_the_table(void **state)
{
	static const struct {
		const char *template;
		const char *why; /* the end of what is said */
	} rows[] = {
	    {"", "character 1: want ("},
	    {"uid={0}", "character 1: want ("},
	    {"(", "character 2: want the name of an attribute"},
	    {"()", "character 2: want the name of an attribute"},
	    {"(=x)", "character 2: want the name of an attribute"},
	    {"(uid)", "character 5: want ="},
	    {"(uid ={0})", "character 5: want ="},
	    {"(uid~x)", "character 6: want ="},
	    {"(uid={0}", "character 9: a parenthesis is not closed"},
	    {"(uid={0}))", "character 10: more behind the last parenthesis"},
	    {"(uid={0})(a=b)", "character 10: more behind the last parenthesis"},
	    {"(uid={0}) ", "character 10: more behind the last parenthesis"},
	    {"(uid=a(b)",
		"character 7: a character that is to be written \\ and its two digits"},
	    {"(uid=a}b)",
		"character 7: a character that is to be written \\ and its two digits"},
	    {"(uid=a\nb)",
		"character 7: a character that is to be written \\ and its two digits"},
	    {"(uid=\177)",
		"character 6: a character that is to be written \\ and its two digits"},
	    {"(uid=\\2)", "character 6: want two hexadecimal digits behind \\"},
	    {"(uid=\\zz)", "character 6: want two hexadecimal digits behind \\"},
	    {"(uid=\\", "character 6: want two hexadecimal digits behind \\"},
	    {"(&)", "character 3: want ("},
	    {"(!)", "character 3: want ("},
	    {"(!(a=b)(c=d))", "character 8: want )"},
	    {"(&(a=b)c=d)", "character 8: want )"},
	    {"(&(a=b)", "character 8: want )"},
	    {"(uid={2})", "character 6: want {0} or {1}, and \\7b for a brace that is meant"},
	    {"(uid={})", "character 6: want {0} or {1}, and \\7b for a brace that is meant"},
	    {"(uid={0)", "character 6: want {0} or {1}, and \\7b for a brace that is meant"},
	    {"(uid={", "character 6: want {0} or {1}, and \\7b for a brace that is meant"},
	    {"(uid={00})", "character 6: want {0} or {1}, and \\7b for a brace that is meant"},
	    {"({0}=x)", "character 2: want the name of an attribute"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error e = {0};
		size_t length = strlen(rows[i].why);

		if (ldap_filter_check(rows[i].template, 2, &e) != -1)
			fail_msg("'%s' was taken", rows[i].template);
		assert_int_equal(e.code, ERROR_CONFIG);
		if (strlen(e.text) < length ||
		    strcmp(e.text + strlen(e.text) - length, rows[i].why) != 0)
			fail_msg("%s", e.text);
	}
}

static void
filter_of_users_has_no_dn(void **state)
{
	struct error e = {0};

	(void)state;
	assert_int_equal(ldap_filter_check("(member={1})", 1, &e), -1);
	assert_string_equal(e.text,
	    "'(member={1})': character 9: want {0}, and \\7b for a brace "
	    "that is meant");
}

static void
depth_has_a_bound(void **state)
{
	enum { MOST = LDAP_FILTER_DEPTH };
	char text[4 * MOST + 16];
	struct error e = {0};

	(void)state;
	for (size_t depth = MOST; depth <= MOST + 1; depth++) {
		size_t at = 0;

		for (size_t i = 1; i < depth; i++, at += 2)
			memcpy(text + at, "(!", 2);
		memcpy(text + at, "(a=b)", 5);
		at += 5;
		memset(text + at, ')', depth - 1);
		text[at + depth - 1] = '\0';
		assert_int_equal(ldap_filter_check(text, 1, &e), depth == MOST ? 0 : -1);
	}
}

static void
values_are_escaped_by_the_table(void **state)
{
	static const struct {
		const char *template;
		const char *user;
		const char *filter;
	} rows[] = {
	    {"(uid={0})", "alice", "(uid=alice)"},
	    {"(uid={0})", "", "(uid=)"},
	    {"(uid={0})", "*", "(uid=\\2a)"},
	    {"(uid={0})", ")(uid=*", "(uid=\\29\\28uid=\\2a)"},
	    {"(uid={0})", "a*)(|(uid=*", "(uid=a\\2a\\29\\28|\\28uid=\\2a)"},
	    {"(uid={0})", "\\2a", "(uid=\\5c2a)"},
	    {"(uid={0})", "\\", "(uid=\\5c)"},
	    {"(uid={0})", "a,b+c\"d", "(uid=a,b+c\"d)"},
	    {"(uid={0})", "\303\274", "(uid=\\c3\\bc)"},
	    {"(uid={0})", "\377", "(uid=\\ff)"},
	    {"(uid={0})", "a\nb\tc\177", "(uid=a\\0ab\\09c\\7f)"},
	    {"(uid={0})", " a ", "(uid= a )"},
	    {"(uid={0})", "{0}{1}", "(uid={0}{1})"},
	    {"(|(a={0})(b={0}))", "(", "(|(a=\\28)(b=\\28))"},
	    {"(m={1})", "x", "(m=cn=a\\5c,b\\2a,dc=c)"},
	    {"(|(a={1})(b={0})(c=*))", "x", "(|(a=cn=a\\5c,b\\2a,dc=c)(b=x)(c=*))"},
	    {"(a=b)", "x", "(a=b)"},
	};
	struct buffer to;
	struct error e = {0};

	(void)state;
	buffer_init(&to, LDAP_FILTER_MAX);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const values[] = {rows[i].user, "cn=a\\,b*,dc=c"};

		assert_int_equal(ldap_filter_fill(&to, rows[i].template, values, &e), 0);
		assert_string_equal(to.data, rows[i].filter);
	}
	buffer_free(&to);
}

/* Whatever byte a value has, the filter is one comparison still. */
static void
no_byte_ends_a_value(void **state)
{
	struct buffer to;
	struct error e = {0};

	(void)state;
	buffer_init(&to, LDAP_FILTER_MAX);
	for (int byte = 1; byte < 256; byte++) {
		char value[3] = {(char)byte, (char)byte, '\0'};
		const char *const values[] = {value};

		/* Braces are for templates; in a filter they are like letters. */
		if (byte == '{' || byte == '}')
			continue;
		assert_int_equal(ldap_filter_fill(&to, "(uid={0})", values, &e), 0);
		if (ldap_filter_check(to.data, 0, &e) == -1)
			fail_msg("%s", e.text);
		assert_null(strchr(to.data, '*'));
	}
	buffer_free(&to);
}

static void
filter_that_grows_too_long_is_a_failure(void **state)
{
	const char *const values[] = {"12345"};
	struct buffer to;
	struct error e = {0};

	(void)state;
	buffer_init(&to, 11);
	assert_int_equal(ldap_filter_fill(&to, "(uid={0})", values, &e), 0);
	assert_string_equal(to.data, "(uid=12345)");
	buffer_free(&to);
	buffer_init(&to, 10);
	assert_int_equal(ldap_filter_fill(&to, "(uid={0})", values, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "the filter grows longer than 10 bytes");
	buffer_free(&to);
}

static void
a_filter_that_does_not_fit_is_none(void **state)
{
	static const char template[] = "(&(uid={0})(member={1}))";
	static const char *const values[] = {"j*ne", "uid=jane"};
	struct buffer to;
	struct error e;
	size_t whole;

	(void)state;
	buffer_init(&to, LDAP_FILTER_MAX);
	assert_int_equal(ldap_filter_fill(&to, template, values, &e), 0);
	whole = to.length;
	buffer_free(&to);
	for (size_t room = 0; room <= whole; room++) {
		buffer_init(&to, room);
		assert_int_equal(
		    ldap_filter_fill(&to, template, values, &e), room == whole ? 0 : -1);
		buffer_free(&to);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(templates_are_taken_by_the_table),
	    cmocka_unit_test(templates_are_refused_by_the_table),
	    cmocka_unit_test(filter_of_users_has_no_dn),
	    cmocka_unit_test(depth_has_a_bound),
	    cmocka_unit_test(values_are_escaped_by_the_table),
	    cmocka_unit_test(no_byte_ends_a_value),
	    cmocka_unit_test(filter_that_grows_too_long_is_a_failure),
	    cmocka_unit_test(a_filter_that_does_not_fit_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
