/* identity: the answer of a service or a script, {"groups": [...]}. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "identity/source.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct membership
read_reply(const char *text)
{
	struct membership m = {0};
	struct error e = {0};

	if (source_reply(&m, text, strlen(text), &e) == -1)
		fail_msg("%s: %s", text, e.text);
	assert_true(m.known);
	return m;
}

/* Refused, and with this in the error, which is printable and one line. */
static void
assert_refused(const char *text, size_t length, const char *reason)
{
	struct membership m = {0};
	struct error e = {0};

	if (source_reply(&m, text, length, &e) != -1)
		fail_msg("'%s' was accepted", text);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_false(m.known);
	if (strstr(e.text, reason) == NULL)
		fail_msg("'%s': %s", text, e.text);
	for (const char *c = e.text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			fail_msg("'%s': byte %d", e.text, *c);
}

static void
groups_are_those_of_the_answer(void **state)
{
	static const char *const rows[][2] = {
	    {"{\"groups\": [\"cat_person\", \"group1\"]}", "cat_person\ngroup1\n"},
	    {"{\"groups\":[]}", ""},
	    {" \r\n\t{\"groups\":[\"a\"]}\n\n", "a\n"},
	    {"{\"groups\":[\"b\",\"a\",\"b\"]}", "b\na\n"},
	    {"{\"groups\":[\"\\u00f6\",\"a \\\"b\\\"\"]}", "\xc3\xb6\na \"b\"\n"},
	    {"{\"groups\":[\"A\"]}", "A\n"},
	    {"{\"user\":\"x\",\"groups\":[\"a\"],\"more\":{\"groups\":1}}", "a\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct membership m = read_reply(rows[i][0]);

		assert_string_equal(m.groups, rows[i][1]);
		assert_string_equal(m.email, "");
		assert_string_equal(m.space, "");
	}
}

static void
email_and_namespace_are_taken(void **state)
{
	struct membership m =
	    read_reply("{\"namespace\":\"ns\",\"groups\":[],\"email\":\"a@example.org\"}");

	(void)state;
	assert_string_equal(m.email, "a@example.org");
	assert_string_equal(m.space, "ns");
}

static void
what_is_no_json_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} rows[] = {
	    {"", 0},
	    {" ", 1},
	    {"groups: a", 9},
	    {"{\"groups\":[\"a\"]", 15},
	    {"{\"groups\":[\"a\"]}x", 17},
	    {"{\"groups\":[\"a\"]}{\"groups\":[\"a\"]}", 32},
	    {"{\"groups\":[\"a\"]}\0", 17},
	    {"\0{\"groups\":[\"a\"]}", 17},
	    {"{\"groups\":[\"a\",]}", 17},
	    {"{'groups':['a']}", 16},
	    {"{\"groups\":[\"a\xff\"]}", 17},
	    {"{\"groups\":[\"a\nb\"]}", 18},
	    {"{\"groups\":[\"a\\u0000\"]}", 22},
	    {"{\"groups\":[\"\\ud800\"]}", 21},
	    {"{\"groups\":[1e999]}", 18},
	    {"\x1b[31m", 5},
	    {"\xef\xbb\xbf{\"groups\":[]}", 16},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_refused(rows[i].text, rows[i].length, "the answer is no JSON: line ");
}

static void
deep_nesting_is_refused(void **state)
{
	char text[32 * 1024];

	(void)state;
	memset(text, '[', sizeof(text));
	assert_refused(text, sizeof(text), "the answer is no JSON");
}

static void
members_that_stand_twice_are_refused(void **state)
{
	static const char *const rows[] = {
	    "{\"groups\":[\"a\"],\"groups\":[\"b\"]}",
	    "{\"groups\":[\"a\"],\"gr\\u006fups\":[\"a\"]}",
	    "{\"groups\":[],\"email\":\"a\",\"email\":\"b\"}",
	    "{\"groups\":[],\"x\":{\"y\":1,\"y\":1}}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_refused(rows[i], strlen(rows[i]), "duplicate object key");
}

static void
other_shapes_are_refused(void **state)
{
#define LIST "\"groups\" is missing or no list"
#define STRINGS "\"groups\" holds what is no string"
#define CONTROL "is no string, or one with control characters"
	static const char *const rows[][2] = {
	    {"[]", "the answer is no JSON object"},
	    {"[\"a\"]", "the answer is no JSON object"},
	    {"{}", LIST},
	    {"{\"Groups\":[]}", LIST},
	    {"{\"group\":[]}", LIST},
	    {"{\"groups\":null}", LIST},
	    {"{\"groups\":\"a\"}", LIST},
	    {"{\"groups\":{\"a\":1}}", LIST},
	    {"{\"groups\":true}", LIST},
	    {"{\"groups\":[1]}", STRINGS},
	    {"{\"groups\":[\"a\",null]}", STRINGS},
	    {"{\"groups\":[[\"a\"]]}", STRINGS},
	    {"{\"groups\":[\"\"]}", "a group's name is empty"},
	    {"{\"groups\":[\"a\\nb\"]}", "control characters"},
	    {"{\"groups\":[\"a\\u001b\"]}", "control characters"},
	    {"{\"groups\":[\"a\\u007f\"]}", "control characters"},
	    {"{\"groups\":[],\"email\":1}", "\"email\" " CONTROL},
	    {"{\"groups\":[],\"email\":null}", "\"email\" " CONTROL},
	    {"{\"groups\":[],\"email\":\"a\\n\"}", "\"email\" " CONTROL},
	    {"{\"groups\":[],\"namespace\":[]}", "\"namespace\" " CONTROL},
	    {"{\"groups\":[],\"namespace\":\"\\t\"}", "\"namespace\" " CONTROL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_refused(rows[i][0], strlen(rows[i][0]), rows[i][1]);
}

/* An answer with a member of so many bytes. */
static void
long_member(struct buffer *b, const char *before, int length, const char *after)
{
	buffer_free(b);
	assert_int_equal(buffer_printf(b, "%s%*s%s", before, length, "x", after), 0);
}

static void
members_are_never_cut(void **state)
{
	static const struct {
		const char *before, *after, *reason;
		int most;
	} rows[] = {
	    {"{\"groups\":[\"", "\"]}", "a group's name is empty or longer than 255 bytes",
		255},
	    {"{\"groups\":[],\"email\":\"", "\"}", "\"email\" is longer than 254 bytes", 254},
	    {"{\"groups\":[],\"namespace\":\"", "\"}", "\"namespace\" is longer than 128 bytes",
		128},
	};
	struct buffer text;

	(void)state;
	buffer_init(&text, LIMIT_REPLY);
	for (size_t i = 0; i < COUNT(rows); i++) {
		long_member(&text, rows[i].before, rows[i].most, rows[i].after);
		(void)read_reply(text.data);
		long_member(&text, rows[i].before, rows[i].most + 1, rows[i].after);
		assert_refused(text.data, text.length, rows[i].reason);
	}
	buffer_free(&text);
}

static void
more_groups_than_fit_are_refused(void **state)
{
	struct buffer text;

	(void)state;
	buffer_init(&text, LIMIT_REPLY);
	assert_int_equal(buffer_printf(&text, "{\"groups\":[\"x\""), 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(buffer_printf(&text, ",\"%04d\"", i), 0);
	assert_int_equal(buffer_printf(&text, "]}"), 0);
	assert_refused(text.data, text.length, "more groups than 8191 bytes hold");
	buffer_free(&text);
}

static void
closing_no_source_is_nothing(void **state)
{
	(void)state;
	source_close(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(groups_are_those_of_the_answer),
	    cmocka_unit_test(email_and_namespace_are_taken),
	    cmocka_unit_test(what_is_no_json_is_refused),
	    cmocka_unit_test(deep_nesting_is_refused),
	    cmocka_unit_test(members_that_stand_twice_are_refused),
	    cmocka_unit_test(other_shapes_are_refused),
	    cmocka_unit_test(members_are_never_cut),
	    cmocka_unit_test(more_groups_than_fit_are_refused),
	    cmocka_unit_test(closing_no_source_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
