/* service: the fields of a body, be it a form or an object. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "service/fields.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FORM "application/x-www-form-urlencoded"
#define JSON "application/json"

static const char *const names[] = {"user", "word", NULL};

static const struct {
	const char *type, *body;
	int code;                /* 0: it is read */
	const char *user, *word; /* NULL: not there */
} cases[] = {
    {FORM, "user=a&word=b", 0, "a", "b"},
    {FORM, "word=b%20c+d&user=%C3%A9", 0, "\xc3\xa9", "b c d"},
    {FORM "; charset=utf-8", "user=a", 0, "a", NULL},
    {"APPLICATION/X-WWW-FORM-URLENCODED", "user=a", 0, "a", NULL},
    {FORM, "user=&word", 0, NULL, NULL},
    {FORM, "other=a&other=b", 0, NULL, NULL},
    {FORM, "", 0, NULL, NULL},
    {FORM, "user=a&user=a", ERROR_MALFORMED, NULL, NULL},
    {FORM, "user=%0a", ERROR_MALFORMED, NULL, NULL},
    {FORM, "user=%", ERROR_MALFORMED, NULL, NULL},
    {JSON, "{\"user\":\"a\",\"word\":\"b\"}", 0, "a", "b"},
    {JSON "; charset=utf-8", " {\"user\": \"\\u00e9\", \"x\": [1]} ", 0, "\xc3\xa9", NULL},
    {JSON, "{\"user\":\"\"}", 0, NULL, NULL},
    {JSON, "{\"user\":\"a\",\"user\":\"b\"}", ERROR_MALFORMED, NULL, NULL},
    {JSON, "{\"user\":1}", ERROR_MALFORMED, NULL, NULL},
    {JSON, "{\"user\":null}", ERROR_MALFORMED, NULL, NULL},
    {JSON, "{\"user\":\"a\\u0000b\"}", ERROR_MALFORMED, NULL, NULL},
    {JSON, "[\"user\"]", ERROR_MALFORMED, NULL, NULL},
    {JSON, "{\"user\":\"a\"", ERROR_MALFORMED, NULL, NULL},
    {JSON, "{\"user\":\"a\"}x", ERROR_MALFORMED, NULL, NULL},
    {JSON, "{\"user\":\"\xff\"}", ERROR_MALFORMED, NULL, NULL},
    {"text/plain", "user=a", ERROR_MEDIA_TYPE, NULL, NULL},
    {"application/jsonp", "{}", ERROR_MEDIA_TYPE, NULL, NULL},
    {NULL, "user=a", ERROR_MEDIA_TYPE, NULL, NULL},
    {NULL, NULL, 0, NULL, NULL},
};

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The body without a NUL behind it, so that a sanitizer sees who reads on. */
static char *
make(struct request *r, const char *type, const char *body)
{
	size_t length = body == NULL ? 0 : strlen(body);
	char *copy = malloc(length + (length == 0));

	assert_non_null(copy);
	memcpy(copy, body == NULL ? "" : body, length);
	*r = (struct request){
	    .content_type = type, .body = body == NULL ? NULL : copy, .received = length};
	return copy;
}

static void
body_has_each_field_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct request r;
		char *body = make(&r, cases[i].type, cases[i].body);
		struct error e = {0};
		struct fields f;
		int rc = fields_read(&f, names, &r, true, &e);

		if (rc != (cases[i].code == 0 ? 0 : -1) || (int)e.code != cases[i].code ||
		    !same(f.values[0], cases[i].user) || !same(f.values[1], cases[i].word))
			fail_msg("case %zu: %d %s", i, rc, e.text);
		fields_free(&f);
		free(body);
	}
}

static void
object_is_taken_where_it_may_come(void **state)
{
	struct request r;
	struct error e = {0};
	struct fields f;
	char *body = make(&r, JSON, "{\"user\":\"a\"}");

	(void)state;
	assert_int_equal(fields_read(&f, names, &r, false, &e), -1);
	assert_int_equal(e.code, ERROR_MEDIA_TYPE);
	free(body);
}

static void
value_has_a_bound(void **state)
{
	const size_t sizes[] = {LIMIT_TOKEN, LIMIT_TOKEN + 1};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char *body = malloc(sizes[i] + 6);
		struct request r = {
		    .content_type = FORM, .body = body, .received = sizes[i] + 5};
		struct error e = {0};
		struct fields f;

		memcpy(body, "user=", 5);
		memset(body + 5, 'x', sizes[i]);
		assert_int_equal(fields_read(&f, names, &r, true, &e), i == 0 ? 0 : -1);
		assert_true(i == 0 ? strlen(f.values[0]) == LIMIT_TOKEN : f.values[0] == NULL);
		fields_free(&f);
		free(body);
	}
}

static void
member_has_the_same_bound(void **state)
{
	const size_t sizes[] = {LIMIT_TOKEN, LIMIT_TOKEN + 1};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char *body = malloc(sizes[i] + 12);
		struct request r = {
		    .content_type = JSON, .body = body, .received = sizes[i] + 11};
		struct error e = {0};
		struct fields f;

		memcpy(body, "{\"user\":\"", 9);
		memset(body + 9, 'x', sizes[i]);
		memcpy(body + 9 + sizes[i], "\"}", 2);
		assert_int_equal(fields_read(&f, names, &r, true, &e), i == 0 ? 0 : -1);
		assert_true(i == 0 ? strlen(f.values[0]) == LIMIT_TOKEN : f.values[0] == NULL);
		fields_free(&f);
		free(body);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(body_has_each_field_once),
	    cmocka_unit_test(object_is_taken_where_it_may_come),
	    cmocka_unit_test(value_has_a_bound),
	    cmocka_unit_test(member_has_the_same_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
