/* authserverctl check: what a query is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/authserverctl/question.h"

/* Reads a query of one argument: 0 and the question, or -1. */
static int
read_text(struct question *q, char *copy, size_t size, const char *text, struct error *e)
{
	int rc;

	assert_true(strlen(text) < size);
	memcpy(copy, text, strlen(text) + 1);
	rc = question_read(q, &copy, 1, e);
	if (rc == -1) {
		assert_int_equal(e->code, ERROR_MALFORMED);
		question_free(q);
	}
	return rc;
}

static void
query_is_read_word_by_word(void **state)
{
	struct question q;
	struct error e;
	char copy[256];

	(void)state;
	assert_int_equal(
	    read_text(&q, copy, sizeof(copy),
		" foo via basic\tas jane ttl 2h audience a profile p group x group y ", &e),
	    0);
	assert_string_equal(q.caller, "foo");
	assert_string_equal(q.scheme, "basic");
	assert_string_equal(q.subject, "jane");
	assert_string_equal(q.ttl, "2h");
	assert_string_equal(q.audience, "a");
	assert_string_equal(q.profile, "p");
	assert_true(q.has_groups);
	assert_string_equal(q.groups.data, "x\ny\n");
	question_free(&q);
}

static void
word_may_have_blanks_where_there_are_several(void **state)
{
	char foo[] = "foo bar", groups_of[] = "groups-of", jane[] = "jane doe";
	char *words[] = {foo, groups_of, jane};
	struct question q;
	struct error e;

	(void)state;
	assert_int_equal(question_read(&q, words, 3, &e), 0);
	assert_string_equal(q.caller, "foo bar");
	assert_string_equal(q.user, "jane doe");
	question_free(&q);
}

static void
what_is_no_query_is_refused(void **state)
{
	static const char *const texts[] = {"", " \t ", "foo as", "foo via", "foo via basic",
	    "foo as jane groups-of joe", "foo as jane as joe", "foo like jane"};
	static char many[4 * QUESTION_WORDS], copy[4 * QUESTION_WORDS];
	static char large[LIMIT_GROUPS + 2];
	char foo[] = "foo", group[] = "group", none[] = "", lines[] = "a\nb", as[] = "as",
	     jane[] = "jane";
	char *const values[] = {none, lines, large};
	struct question q;
	struct error e;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (read_text(&q, copy, sizeof(copy), texts[i], &e) != -1)
			fail_msg("%s", texts[i]);
	for (size_t i = 0; i <= QUESTION_WORDS; i++)
		memcpy(many + 2 * i, "a ", 2);
	assert_int_equal(read_text(&q, copy, sizeof(copy), many, &e), -1);
	assert_string_equal(e.text, "more than 256 words");
	memset(large, 'x', sizeof(large) - 1);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char *words[] = {foo, as, jane, group, values[i]};

		assert_int_equal(question_read(&q, words, 5, &e), -1);
		assert_string_equal(e.text, "'group' wants a name, and not too many");
		question_free(&q);
	}
}

static void
name_that_is_too_long_is_decided_by_nobody(void **state)
{
	static const size_t sizes[] = {LIMIT_SUBJECT, LIMIT_AUDIENCE, LIMIT_PROFILE};
	static const struct config config;
	const struct question_parts parts = {.config = &config};
	struct error e;
	char name[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct question q = {.caller = "foo", .subject = "jane"};

		memset(name, 'a', sizeof(name));
		name[sizes[i]] = '\0';
		if (i == 0)
			q.subject = name;
		else if (i == 1)
			q.audience = name;
		else
			q.profile = name;
		assert_int_equal(question_decide(&q, &parts, &e), -1);
		assert_string_equal(e.text, "a name in the query is too long");
	}
	{
		const struct question q = {.caller = "foo", .subject = "jane", .ttl = "soon"};

		assert_int_equal(question_decide(&q, &parts, &e), -1);
		assert_non_null(strstr(e.text, "'ttl' wants a duration"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(query_is_read_word_by_word),
	    cmocka_unit_test(word_may_have_blanks_where_there_are_several),
	    cmocka_unit_test(what_is_no_query_is_refused),
	    cmocka_unit_test(name_that_is_too_long_is_decided_by_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
