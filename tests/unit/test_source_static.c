/* identity: a file of users and their groups. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity/source.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int
open_with(const char *text, struct source **s, struct error *e)
{
	char path[] = "/tmp/test_source_static.XXXXXX";
	const struct groups_config c = {.static_file = path};
	int fd = mkstemp(path), rc;

	*e = (struct error){0};
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	rc = source_static_open(s, &c, e);
	assert_int_equal(unlink(path), 0);
	return rc;
}

static void
users_have_the_groups_of_the_file(void **state)
{
	static const struct {
		const char *user;
		bool known;
		const char *groups;
	} rows[] = {
	    {"jane", true, "a\nb c\n"},
	    {"nobody", true, ""},
	    {"Jane", false, ""},
	    {"jan", false, ""},
	    {"", false, ""},
	};
	struct source *s;
	struct error e;

	(void)state;
	assert_int_equal(
	    open_with("{\"jane\": [\"a\", \"b c\", \"a\"], \"nobody\": []}", &s, &e), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct membership m = {0};

		assert_int_equal(s->lookup(s, rows[i].user, &m, &e), 0);
		assert_int_equal(m.known, rows[i].known);
		assert_string_equal(m.groups, rows[i].groups);
	}
	source_close(s);
}

static void
a_file_that_is_wrong_is_refused_at_the_start(void **state)
{
	static const char *const rows[][2] = {
	    {"", "near end of file"},
	    {"{", "near end of file"},
	    {"[]", "want one JSON object"},
	    {"[\"jane\"]", "want one JSON object"},
	    {"{\"jane\": [], \"jane\": []}", "duplicate"},
	    {"{\"jane\": \"a\"}", "'jane': want a list of groups"},
	    {"{\"jane\": {}}", "'jane': want a list of groups"},
	    {"{\"joe\": [\"a\"], \"jane\": null}", "'jane': want a list of groups"},
	    {"{\"jane\": [1]}", "'jane': want a list of strings"},
	    {"{\"jane\": [\"a\", [\"b\"]]}", "'jane': want a list of strings"},
	    {"{\"jane\": [\"a\\nb\"]}", "'jane': "},
	    {"{\"jane\": [\"\"]}", "'jane': "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct source *s;
		struct error e;

		if (open_with(rows[i][0], &s, &e) != -1)
			fail_msg("accepted: %s", rows[i][0]);
		assert_null(s);
		assert_int_equal(e.code, ERROR_CONFIG);
		if (strstr(e.text, rows[i][1]) == NULL)
			fail_msg("%s: %s", rows[i][0], e.text);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(users_have_the_groups_of_the_file),
	    cmocka_unit_test(a_file_that_is_wrong_is_refused_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
