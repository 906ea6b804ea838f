/* store: what the files of the state directory say, and what is no such file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "store/refresh_record.h"
#include "store/revocation_entry.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define DUE "0000000001700000000"
#define DIGEST "0123456789012345678901234567890123456789012"

static struct buffer
bytes_of(const char *text)
{
	return (struct buffer){.data = (char *)(uintptr_t)text, .length = strlen(text)};
}

static void
the_head_of_a_family_is_of_one_form(void **state)
{
	static const struct {
		const char *text;
		bool good, confirmed;
	} rows[] = {
	    {"0 " DUE "\n", true, false},
	    {"1 " DUE "\n", true, true},
	    {"1 " DUE "\n{}", true, true},
	    {"", false, false},
	    {"1", false, false},
	    {"1 " DUE, false, false},
	    {"2 " DUE "\n", false, false},
	    {"/ " DUE "\n", false, false},
	    {"1\t" DUE "\n", false, false},
	    {"1 " DUE " ", false, false},
	    {"1 000000000170000000x\n", false, false},
	    {"1 -000000001700000000\n", false, false},
	    {"1 9999999999999999999\n", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer bytes = bytes_of(rows[i].text);
		struct refresh_head head = {0};

		if ((refresh_head_read(&head, &bytes) == 0) != rows[i].good)
			fail_msg("'%s'", rows[i].text);
		assert_int_equal(head.confirmed, rows[i].confirmed);
		assert_int_equal(head.due, rows[i].good ? 1700000000 : 0);
	}
}

static void
a_revocation_is_of_one_form(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
	    {DUE " " DUE "\n", true},
	    {"", false},
	    {DUE " " DUE, false},
	    {DUE " " DUE "\n\n", false},
	    {DUE "\t" DUE "\n", false},
	    {DUE " " DUE " ", false},
	    {"x000000001700000000 " DUE "\n", false},
	    {DUE " x000000001700000000\n", false},
	    {"9999999999999999999 " DUE "\n", false},
	    {DUE " 9999999999999999999\n", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer bytes = bytes_of(rows[i].text);
		struct revocation_entry entry = {0};

		if ((revocation_entry_read(&entry, &bytes) == 0) != rows[i].good)
			fail_msg("'%s'", rows[i].text);
		assert_int_equal(entry.expires, rows[i].good ? 1700000000 : 0);
		assert_int_equal(entry.before, entry.expires);
	}
}

/* --- families --------------------------------------------------------------------------- */

static const struct refresh_record record = {.confirmed = true,
    .proof = DIGEST,
    .current = DIGEST,
    .previous = DIGEST,
    .used = 1700000100,
    .limits = {.lifetime = 3600, .idle = 60},
    .family = {.caller = "foo",
	.scheme = "Basic",
	.subject = "jane",
	.profile = "aws",
	.audience = "okera",
	.lifetime = 900,
	.client = "frontend",
	.created = 1700000000}};

/* The record as it is written, with a member that is another one; NULL: without it. */
static int
read_with(const char *member, json_t *value, struct refresh_record *r)
{
	struct buffer bytes, changed;
	struct error e;
	json_t *object;
	char *text;
	int rc;

	buffer_init(&bytes, REFRESH_RECORD);
	buffer_init(&changed, 4 * REFRESH_RECORD);
	assert_int_equal(refresh_record_write(&record, &bytes, &e), 0);
	object = json_loadb(bytes.data + REFRESH_HEAD, bytes.length - REFRESH_HEAD, 0, NULL);
	assert_non_null(object);
	if (value != NULL)
		assert_int_equal(json_object_set_new(object, member, value), 0);
	else if (*member != '\0')
		assert_int_equal(json_object_del(object, member), 0);
	text = json_dumps(object, JSON_COMPACT);
	assert_int_equal(buffer_append(&changed, bytes.data, REFRESH_HEAD), 0);
	assert_int_equal(buffer_append(&changed, text, strlen(text)), 0);
	rc = refresh_record_read(r, &changed);
	free(text);
	json_decref(object);
	buffer_free(&changed);
	buffer_free(&bytes);
	return rc;
}

static void
a_family_is_read_as_it_was_written(void **state)
{
	struct refresh_record r;

	(void)state;
	assert_int_equal(read_with("", NULL, &r), 0);
	assert_memory_equal(&r, &record, sizeof(r));
	/* Of a family that is new. */
	assert_int_equal(read_with("previous", json_string(""), &r), 0);
	assert_string_equal(r.previous, "");
}

static void
assert_nothing_read(const char *member, int rc, const struct refresh_record *r)
{
	const struct refresh_record nothing = {.confirmed = true};

	if (rc != -1)
		fail_msg("%s was accepted", member);
	assert_memory_equal(r, &nothing, sizeof(*r));
}

static void
a_family_with_a_member_that_is_wrong_is_none(void **state)
{
	static const char *const texts[] = {"proof", "current", "previous", "caller", "scheme",
	    "subject", "profile", "audience", "client"};
	static const char *const numbers[] = {"created", "used", "lifetime", "idle", "ttl"};
	static const json_int_t wrong[] = {-1, INT64_MIN, INT64_MAX, 1001LL * 366 * 86400};
	char longest[2048];
	struct refresh_record r;

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_nothing_read(texts[i], read_with(texts[i], NULL, &r), &r);
		assert_nothing_read(texts[i], read_with(texts[i], json_integer(1), &r), &r);
		assert_nothing_read(
		    texts[i], read_with(texts[i], json_string(longest), &r), &r);
	}
	for (size_t i = 0; i < COUNT(numbers); i++) {
		assert_nothing_read(numbers[i], read_with(numbers[i], NULL, &r), &r);
		assert_nothing_read(
		    numbers[i], read_with(numbers[i], json_string("1"), &r), &r);
		for (size_t j = 0; j < COUNT(wrong); j++)
			assert_nothing_read(
			    numbers[i], read_with(numbers[i], json_integer(wrong[j]), &r), &r);
	}
	assert_nothing_read("more", read_with("more", json_true(), &r), &r);
}

static void
a_family_that_is_no_object_is_none(void **state)
{
	static const char *const texts[] = {"", "[]", "null", "{", "{} ", "{\"a\":1,\"a\":1}"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		char text[128];
		struct buffer bytes;
		struct refresh_record r;

		(void)snprintf(text, sizeof(text), "1 " DUE "\n%s", texts[i]);
		bytes = bytes_of(text);
		assert_nothing_read(texts[i], refresh_record_read(&r, &bytes), &r);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_head_of_a_family_is_of_one_form),
	    cmocka_unit_test(a_revocation_is_of_one_form),
	    cmocka_unit_test(a_family_is_read_as_it_was_written),
	    cmocka_unit_test(a_family_with_a_member_that_is_wrong_is_none),
	    cmocka_unit_test(a_family_that_is_no_object_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
