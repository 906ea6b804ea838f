/* store: the queue of the watch mode. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "store/due.h"
#include "store/token_name.h"

#define T0 1700000000000000000LL

static void
a_queue_gives_names_back_in_the_order_in_which_they_are_due(void **state)
{
	enum { COUNT = 20000 }; /* more than a chunk holds */
	struct due_queue *q = due_new();
	char name[LIMIT_FILE_NAME];
	int64_t due, before = 0;

	(void)state;
	assert_non_null(q);
	for (int64_t i = 0; i < COUNT; i++) {
		assert_int_equal(token_name_format(name, "John Doe", T0 + i), 0);
		assert_int_equal(due_add(q, name, i * 7919 % COUNT), 0);
	}
	assert_int_equal(due_add(q, ".tmp-0123456789abcdef0123456789abcdef", COUNT), 0);
	assert_int_equal(due_count(q), COUNT + 1);
	for (int64_t i = 0; i < COUNT; i++) {
		int64_t time;

		assert_int_equal(due_first(q, name, &due), 1);
		assert_true(due >= before);
		before = due;
		assert_int_equal(token_name_parse(name, &time), 0);
		assert_int_equal((time - T0) * 7919 % COUNT, due);
		assert_int_equal(strncmp(name, "John%20Doe.", 11), 0);
		due_drop(q);
	}
	assert_int_equal(due_first(q, name, &due), 1);
	assert_string_equal(name, ".tmp-0123456789abcdef0123456789abcdef");
	due_drop(q);
	assert_int_equal(due_first(q, name, &due), 0);
	assert_int_equal(due_add(q, name, 1), 0);
	assert_int_equal(due_first(q, name, &due), 1);
	due_free(q);
}

static void
an_index_knows_the_names_that_were_added_before_it(void **state)
{
	struct due_queue *q = due_new();
	char name[LIMIT_FILE_NAME];
	struct due_index *known;

	(void)state;
	for (int64_t i = 0; i < 5000; i++) {
		assert_int_equal(token_name_format(name, i % 2 ? "foo" : "bar", T0 + i), 0);
		assert_int_equal(due_add(q, name, i), 0);
	}
	assert_int_equal(due_add(q, ".tmp-0123456789abcdef0123456789abcdef", 1), 0);
	due_drop(q); /* bar.1700000000000000000.token */
	known = due_index_new(q);
	assert_non_null(known);
	assert_int_equal(due_add(q, "new.1700000000000000000.token", 6000), 0);
	assert_true(due_index_has(known, "foo.1700000000000000001.token"));
	assert_true(due_index_has(known, "bar.1700000000000004998.token"));
	assert_true(due_index_has(known, ".tmp-0123456789abcdef0123456789abcdef"));
	assert_false(due_index_has(known, "bar.1700000000000000000.token"));
	assert_false(due_index_has(known, "bar.1700000000000000001.token"));
	assert_false(due_index_has(known, "fo.1700000000000000001.token"));
	assert_false(due_index_has(known, "new.1700000000000000000.token"));
	due_index_free(known);
	due_free(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_queue_gives_names_back_in_the_order_in_which_they_are_due),
	    cmocka_unit_test(an_index_knows_the_names_that_were_added_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
