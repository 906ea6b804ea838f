/* service: fields of forms. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "service/form.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A copy without a NUL behind it, so that a sanitizer sees who reads on. */
static char *
bare(const char *text, size_t *size)
{
	char *copy;

	*size = strlen(text);
	copy = malloc(*size == 0 ? 1 : *size);
	assert_non_null(copy);
	memcpy(copy, text, *size);
	return copy;
}

static void
field_is_found_by_its_whole_name(void **state)
{
	static const struct {
		const char *form;
		const char *value; /* NULL: there is none */
		bool twice;
	} rows[] = {
	    {"token=x", "x", false},
	    {"token=", "", false},
	    {"a=b&token=x&c", "x", false},
	    {"a=b&token=x=y&", "x=y", false},
	    {"token=x&token=y", "y", true},
	    {"token=x&&token=x", "x", true},
	    {"", NULL, false},
	    {"&", NULL, false},
	    {"token", NULL, false},
	    {"tokens=x", NULL, false},
	    {"atoken=x", NULL, false},
	    {"TOKEN=x", NULL, false},
	    {"a=token=x", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t size, length;
		char *form = bare(rows[i].form, &size);
		bool twice;
		const char *found = form_find(form, size, "token", &length, &twice);

		assert_int_equal(twice, rows[i].twice);
		if (rows[i].value == NULL) {
			assert_null(found);
		} else {
			assert_non_null(found);
			assert_int_equal(length, strlen(rows[i].value));
			assert_memory_equal(found, rows[i].value, length);
		}
		free(form);
	}
}

static void
value_is_decoded_or_refused_whole(void **state)
{
	static const struct {
		const char *from;
		const char *to; /* NULL: refused */
	} rows[] = {
	    {"", ""},
	    {"a+b%20c%2Bd", "a b c+d"},
	    {"%c3%A4", "\xc3\xa4"},
	    {"1234567", "1234567"},
	    {"12345678", NULL},
	    {"%", NULL},
	    {"%4", NULL},
	    {"%zz", NULL},
	    {"%00", NULL},
	    {"%0a", NULL},
	    {"a\nb", NULL},
	    {"%7f", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char to[8];
		size_t size;
		char *from = bare(rows[i].from, &size);
		int length = form_decode(to, sizeof(to), from, size);

		if (rows[i].to == NULL) {
			assert_int_equal(length, -1);
		} else {
			assert_int_equal(length, strlen(rows[i].to));
			assert_string_equal(to, rows[i].to);
		}
		free(from);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(field_is_found_by_its_whole_name),
	    cmocka_unit_test(value_is_decoded_or_refused_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
