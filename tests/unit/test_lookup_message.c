/* identity: what a process and the resolver say to each other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "identity/lookup_message.h"

static const struct error none;

static struct membership
make_membership(const char *groups)
{
	struct membership m = {.known = true, .email = "a@b.c", .space = "ns"};

	memcpy(m.groups, groups, strlen(groups) + 1);
	return m;
}

/* A copy in as many bytes as it has, so that a build with SAN sees who reads behind it. */
static int
check_request(const struct lookup_request *q, size_t size)
{
	void *copy = malloc(size);
	int rc;

	assert_non_null(copy);
	memcpy(copy, q, size);
	rc = lookup_request_check(copy, size);
	free(copy);
	return rc;
}

static int
check_answer(const struct lookup_answer *a, size_t size)
{
	void *copy = malloc(size);
	int rc;

	assert_non_null(copy);
	memcpy(copy, a, size);
	rc = lookup_answer_check(copy, size);
	free(copy);
	return rc;
}

/* --- requests --- */

static void
request_ends_with_the_name_of_the_user(void **state)
{
	struct lookup_request q;
	struct error e;

	(void)state;
	memset(&q, 0xff, sizeof(q));
	assert_int_equal(lookup_request_init(&q, LOOKUP_USER, "janedoe", &e), 0);
	assert_int_equal(q.head.magic, LOOKUP_REQUEST_MAGIC);
	assert_string_equal(q.name, "janedoe");
	assert_int_equal(lookup_request_size(&q), sizeof(struct courier_head) + 8);
	assert_int_equal(check_request(&q, lookup_request_size(&q)), 0);
}

static void
longest_name_is_a_request_and_a_longer_one_is_none(void **state)
{
	char user[LIMIT_PRINCIPAL + 1];
	struct lookup_request q;
	struct error e = {0};

	(void)state;
	memset(user, 'u', sizeof(user));
	user[LIMIT_PRINCIPAL - 1] = '\0';
	assert_int_equal(lookup_request_init(&q, LOOKUP_USER, user, &e), 0);
	assert_int_equal(
	    lookup_request_size(&q), offsetof(struct lookup_request, name) + LIMIT_PRINCIPAL);
	assert_int_equal(check_request(&q, lookup_request_size(&q)), 0);
	user[LIMIT_PRINCIPAL - 1] = 'u';
	user[LIMIT_PRINCIPAL] = '\0';
	assert_int_equal(lookup_request_init(&q, LOOKUP_USER, user, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "the user's name is too long");
}

static void
request_that_is_cut_anywhere_is_none(void **state)
{
	struct lookup_request q;
	struct error e;

	(void)state;
	assert_int_equal(lookup_request_init(&q, LOOKUP_USER, "janedoe", &e), 0);
	for (size_t size = 0; size < lookup_request_size(&q); size++)
		assert_int_equal(check_request(&q, size), -1);
}

static void
request_with_bytes_behind_it_is_none(void **state)
{
	_Alignas(struct lookup_request) char bytes[sizeof(struct lookup_request) + 1] = "";
	struct lookup_request q = {0};
	struct error e;

	(void)state;
	assert_int_equal(lookup_request_init(&q, LOOKUP_USER, "janedoe", &e), 0);
	for (size_t size = lookup_request_size(&q) + 1; size <= sizeof(q); size++)
		assert_int_equal(check_request(&q, size), -1);
	memset(q.name, 'u', sizeof(q.name));
	memcpy(bytes, &q, sizeof(q));
	assert_int_equal(lookup_request_check((const void *)bytes, sizeof(bytes)), -1);
}

static void
request_whose_name_does_not_end_is_none(void **state)
{
	const size_t longest = offsetof(struct lookup_request, name) + LIMIT_PRINCIPAL;
	struct lookup_request q = {
	    .head = {.magic = LOOKUP_REQUEST_MAGIC, .kind = LOOKUP_USER}};

	(void)state;
	memset(q.question, 'u', sizeof(q.question));
	for (size_t size = 0; size <= sizeof(q); size++)
		assert_int_equal(check_request(&q, size), -1);
	/* One that ends too late is no better. */
	q.name[LIMIT_PRINCIPAL - 1] = '\0';
	assert_int_equal(check_request(&q, longest), 0);
	q.name[LIMIT_PRINCIPAL - 1] = 'u';
	q.question[LIMIT_PRINCIPAL] = '\0';
	assert_int_equal(check_request(&q, longest + 1), -1);
}

static void
request_without_a_name_is_none(void **state)
{
	struct lookup_request q;
	struct error e;

	(void)state;
	assert_int_equal(lookup_request_init(&q, LOOKUP_USER, "", &e), 0);
	assert_int_equal(check_request(&q, lookup_request_size(&q)), -1);
}

static void
request_of_another_magic_is_none(void **state)
{
	struct lookup_request q;
	struct error e;

	(void)state;
	assert_int_equal(lookup_request_init(&q, LOOKUP_USER, "janedoe", &e), 0);
	q.head.magic = LOOKUP_ANSWER_MAGIC;
	assert_int_equal(check_request(&q, lookup_request_size(&q)), -1);
}

static void
request_says_what_is_asked_for(void **state)
{
	static const struct {
		uint32_t kind;
		int rc;
	} rows[] = {{0, -1}, {LOOKUP_USER, 0}, {LOOKUP_KEYS, 0}, {LOOKUP_KEYS_ANEW, 0},
	    {LOOKUP_PASSWORD, 0}, {LOOKUP_PASSWORD + 1, -1}, {UINT32_MAX, -1}};
	struct lookup_request q;
	struct error e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(lookup_request_init(&q, LOOKUP_KEYS, "idp", &e), 0);
		assert_int_equal(q.head.kind, LOOKUP_KEYS);
		q.head.kind = rows[i].kind;
		assert_int_equal(check_request(&q, lookup_request_size(&q)), rows[i].rc);
	}
}

/* --- answers --- */

static void
answer_has_the_membership_and_how_long_it_is_good(void **state)
{
	static struct lookup_answer a;
	const struct membership m = make_membership("etl\na b\n");

	(void)state;
	memset(&a, 0xff, sizeof(a));
	lookup_answer_init(&a, 0x123456789abcdef0, &m, 4711, &none);
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), 0);
	assert_int_equal(a.head.id, 0x123456789abcdef0);
	assert_int_equal(a.head.kind, LOOKUP_FOUND);
	assert_int_equal(a.keep, 4711);
	assert_true(a.m.known);
	assert_string_equal(a.m.email, "a@b.c");
	assert_string_equal(a.m.space, "ns");
	assert_string_equal(a.m.groups, "etl\na b\n");
	assert_int_equal(lookup_answer_size(&a), offsetof(struct lookup_answer, m.groups) + 9);
}

static void
user_whom_nobody_knows_is_an_answer(void **state)
{
	static struct lookup_answer a;
	const struct membership nobody = {0};

	(void)state;
	lookup_answer_init(&a, 1, &nobody, 0, &none);
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), 0);
	assert_int_equal(a.head.kind, LOOKUP_FOUND);
	assert_false(a.m.known);
	assert_int_equal(lookup_answer_size(&a), offsetof(struct lookup_answer, m.groups) + 1);
}

static void
failure_has_its_reason_and_nothing_else(void **state)
{
	static struct lookup_answer a;
	struct error e;

	(void)state;
	memset(&a, 0xff, sizeof(a));
	error_set(&e, ERROR_UNAVAILABLE, "the directory is away");
	lookup_answer_init(&a, 7, NULL, 4711, &e);
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), 0);
	assert_int_equal(a.head.kind, LOOKUP_FAILED);
	assert_int_equal(a.keep, 0);
	assert_string_equal(a.reason, "the directory is away");
	assert_int_equal(lookup_answer_size(&a), offsetof(struct lookup_answer, reason) + 22);
}

static void
failure_that_is_cut_or_goes_on_is_none(void **state)
{
	static struct lookup_answer a;
	struct error e;

	(void)state;
	error_set(&e, ERROR_UNAVAILABLE, "away");
	lookup_answer_init(&a, 7, NULL, 0, &e);
	for (size_t size = 0; size < lookup_answer_size(&a); size++)
		assert_int_equal(check_answer(&a, size), -1);
	for (size_t more = 1; more < 16; more++)
		assert_int_equal(check_answer(&a, lookup_answer_size(&a) + more), -1);
	assert_int_equal(check_answer(&a, sizeof(a)), -1);
	memset(&a.m, 'x', sizeof(a.m));
	assert_int_equal(check_answer(&a, sizeof(a)), -1);
	((char *)&a.m)[sizeof(a.reason)] = '\0'; /* one byte too many */
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), -1);
}

/* Nobody is to believe a failure for a while. */
static void
failure_that_is_to_be_kept_is_none(void **state)
{
	static struct lookup_answer a;
	struct error e;

	(void)state;
	error_set(&e, ERROR_UNAVAILABLE, "away");
	lookup_answer_init(&a, 7, NULL, 0, &e);
	a.keep = 1;
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), -1);
}

static void
longest_reason_fits(void **state)
{
	static struct lookup_answer a;
	struct error e = {.code = ERROR_UNAVAILABLE};

	(void)state;
	memset(e.text, 'r', sizeof(e.text) - 1);
	lookup_answer_init(&a, 7, NULL, 0, &e);
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), 0);
	assert_string_equal(a.reason, e.text);
}

static void
as_many_groups_as_there_may_be_fit(void **state)
{
	static struct lookup_answer a;
	static struct membership m;

	(void)state;
	m.known = true;
	memset(m.groups, 'g', sizeof(m.groups) - 1);
	m.groups[sizeof(m.groups) - 2] = '\n';
	lookup_answer_init(&a, 7, &m, 0, &none);
	assert_int_equal(lookup_answer_size(&a),
	    offsetof(struct lookup_answer, m.groups) + sizeof(m.groups));
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), 0);
	assert_string_equal(a.m.groups, m.groups);
}

static void
answer_that_is_cut_anywhere_is_none(void **state)
{
	static struct lookup_answer a;
	const struct membership m = make_membership("etl\na b\n");

	(void)state;
	lookup_answer_init(&a, 1, &m, 0, &none);
	for (size_t size = 0; size < lookup_answer_size(&a); size++)
		assert_int_equal(check_answer(&a, size), -1);
}

static void
answer_with_bytes_behind_it_is_none(void **state)
{
	static struct lookup_answer a;
	static _Alignas(struct lookup_answer) char bytes[sizeof(struct lookup_answer) + 1];
	const struct membership m = make_membership("etl\n");

	(void)state;
	lookup_answer_init(&a, 1, &m, 0, &none);
	for (size_t more = 1; more < 16; more++)
		assert_int_equal(check_answer(&a, lookup_answer_size(&a) + more), -1);
	assert_int_equal(check_answer(&a, sizeof(a)), -1);
	memcpy(a.m.groups, "etl\n\0x\n", 8);
	assert_int_equal(check_answer(&a, offsetof(struct lookup_answer, m.groups) + 8), -1);
	memcpy(bytes, &a, sizeof(a));
	assert_int_equal(lookup_answer_check((const void *)bytes, sizeof(bytes)), -1);
}

/* Asserts that it is none once field, of size bytes, has no end. */
static void
assert_ends(struct lookup_answer *a, char *field, size_t size)
{
	char whole[LIMIT_EMAIL];

	memcpy(whole, field, size);
	memset(field, 'x', size);
	assert_int_equal(check_answer(a, lookup_answer_size(a)), -1);
	field[size - 1] = '\0';
	assert_int_equal(check_answer(a, lookup_answer_size(a)), 0);
	memcpy(field, whole, size);
}

static void
answer_with_a_text_that_does_not_end_is_none(void **state)
{
	static struct lookup_answer a;
	const struct membership m = make_membership("etl\n");

	(void)state;
	lookup_answer_init(&a, 1, &m, 0, &none);
	assert_ends(&a, a.m.email, sizeof(a.m.email));
	assert_ends(&a, a.m.space, sizeof(a.m.space));
	memset(a.m.groups, '\n', sizeof(a.m.groups));
	assert_int_equal(check_answer(&a, sizeof(a)), -1);
}

/* Who reads groups goes from newline to newline. */
static void
answer_whose_last_group_does_not_end_is_none(void **state)
{
	static struct lookup_answer a;
	const struct membership cut = make_membership("etl\na b");

	(void)state;
	lookup_answer_init(&a, 1, &cut, 0, &none);
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), -1);
}

/* A bool of another value would be no bool. */
static void
answer_that_neither_knows_nor_does_not_is_none(void **state)
{
	static struct lookup_answer a;
	const struct membership m = make_membership("etl\n");
	const unsigned char values[] = {2, 3, 0x80, 0xff};

	(void)state;
	lookup_answer_init(&a, 1, &m, 0, &none);
	for (size_t i = 0; i < sizeof(values); i++) {
		memcpy(&a.m.known, &values[i], 1);
		assert_int_equal(check_answer(&a, lookup_answer_size(&a)), -1);
	}
}

static void
answer_says_whether_it_is_whole_and_nothing_else(void **state)
{
	static struct lookup_answer a;
	struct membership m = make_membership("etl\n");
	const unsigned char values[] = {2, 3, 0x80, 0xff};

	(void)state;
	m.partial = true;
	lookup_answer_init(&a, 1, &m, 0, &none);
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), 0);
	assert_true(a.m.partial);
	for (size_t i = 0; i < sizeof(values); i++) {
		memcpy(&a.m.partial, &values[i], 1);
		assert_int_equal(check_answer(&a, lookup_answer_size(&a)), -1);
	}
}

static void
answer_of_another_kind_is_none(void **state)
{
	static struct lookup_answer a;
	const struct membership m = make_membership("etl\n");

	(void)state;
	lookup_answer_init(&a, 1, &m, 0, &none);
	a.head.kind = COURIER_HELLO;
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), -1);
	a.head.kind = LOOKUP_SET + 1;
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), -1);
}

/* --- answers with keys --- */

static struct key_set *
make_keys(const char *json)
{
	static struct key_set k;

	memset(&k, 0xff, sizeof(k));
	k.trusted = 8;
	memcpy(k.json, json, strlen(json) + 1);
	return &k;
}

static void
answer_has_the_keys_and_how_long_they_are_good(void **state)
{
	static struct lookup_answer a;

	(void)state;
	memset(&a, 0xff, sizeof(a));
	lookup_answer_init_keys(&a, 7, make_keys("{}"), 5, &none);
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), 0);
	assert_int_equal(a.head.kind, LOOKUP_SET);
	assert_int_equal(a.head.id, 7);
	assert_int_equal(a.keep, 5);
	assert_int_equal(a.keys.trusted, 8);
	assert_string_equal(a.keys.json, "{}");
	assert_int_equal(lookup_answer_size(&a), offsetof(struct lookup_answer, keys.json) + 3);
}

static void
keys_that_cannot_be_had_are_a_failure(void **state)
{
	static struct lookup_answer a;
	struct error e;

	(void)state;
	error_set(&e, ERROR_UNAVAILABLE, "away");
	lookup_answer_init_keys(&a, 7, NULL, 5, &e);
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), 0);
	assert_int_equal(a.head.kind, LOOKUP_FAILED);
	assert_string_equal(a.reason, "away");
}

static void
keys_of_the_wrong_size_are_none(void **state)
{
	static struct lookup_answer a;
	static _Alignas(struct lookup_answer) char bytes[sizeof(struct lookup_answer) + 1];
	const size_t fixed = offsetof(struct lookup_answer, keys.json);

	(void)state;
	lookup_answer_init_keys(&a, 7, make_keys("{}"), 0, &none);
	for (size_t size = 0; size < lookup_answer_size(&a); size++)
		assert_int_equal(check_answer(&a, size), -1);
	for (size_t more = 1; more < 16; more++)
		assert_int_equal(check_answer(&a, lookup_answer_size(&a) + more), -1);
	lookup_answer_init_keys(&a, 7, make_keys(""), 0, &none);
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), -1);
	memset(a.keys.json, 'x', sizeof(a.keys.json));
	assert_int_equal(check_answer(&a, fixed + sizeof(a.keys.json)), -1);
	a.keys.json[sizeof(a.keys.json) - 1] = '\0'; /* the longest set */
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), 0);
	memcpy(bytes, &a, sizeof(a));
	assert_int_equal(
	    lookup_answer_check((const void *)bytes, fixed + LIMIT_JWK_SET + 1), -1);
}

static void
keys_for_times_that_cannot_be_are_none(void **state)
{
	static struct lookup_answer a;

	(void)state;
	lookup_answer_init_keys(&a, 7, make_keys("{}"), 8, &none);
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), 0);
	a.keep = 9; /* good, but not to be trusted */
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), -1);
	a.keep = -1;
	assert_int_equal(check_answer(&a, lookup_answer_size(&a)), -1);
}

static void
answer_fits_what_was_asked_for(void **state)
{
	static struct lookup_answer a;
	const struct membership m = make_membership("etl\n");

	(void)state;
	lookup_answer_init(&a, 7, &m, 0, &none);
	assert_true(lookup_answer_fits(&a, LOOKUP_USER));
	assert_false(lookup_answer_fits(&a, LOOKUP_KEYS));
	lookup_answer_init_keys(&a, 7, make_keys("{}"), 0, &none);
	assert_false(lookup_answer_fits(&a, LOOKUP_USER));
	assert_true(lookup_answer_fits(&a, LOOKUP_KEYS));
	assert_true(lookup_answer_fits(&a, LOOKUP_KEYS_ANEW));
	lookup_answer_init(&a, 7, NULL, 0, &none);
	assert_true(lookup_answer_fits(&a, LOOKUP_USER));
	assert_true(lookup_answer_fits(&a, LOOKUP_KEYS));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_ends_with_the_name_of_the_user),
	    cmocka_unit_test(longest_name_is_a_request_and_a_longer_one_is_none),
	    cmocka_unit_test(request_that_is_cut_anywhere_is_none),
	    cmocka_unit_test(request_with_bytes_behind_it_is_none),
	    cmocka_unit_test(request_whose_name_does_not_end_is_none),
	    cmocka_unit_test(request_without_a_name_is_none),
	    cmocka_unit_test(request_of_another_magic_is_none),
	    cmocka_unit_test(request_says_what_is_asked_for),
	    cmocka_unit_test(answer_has_the_membership_and_how_long_it_is_good),
	    cmocka_unit_test(user_whom_nobody_knows_is_an_answer),
	    cmocka_unit_test(failure_has_its_reason_and_nothing_else),
	    cmocka_unit_test(failure_that_is_cut_or_goes_on_is_none),
	    cmocka_unit_test(failure_that_is_to_be_kept_is_none),
	    cmocka_unit_test(longest_reason_fits),
	    cmocka_unit_test(as_many_groups_as_there_may_be_fit),
	    cmocka_unit_test(answer_that_is_cut_anywhere_is_none),
	    cmocka_unit_test(answer_with_bytes_behind_it_is_none),
	    cmocka_unit_test(answer_with_a_text_that_does_not_end_is_none),
	    cmocka_unit_test(answer_whose_last_group_does_not_end_is_none),
	    cmocka_unit_test(answer_that_neither_knows_nor_does_not_is_none),
	    cmocka_unit_test(answer_says_whether_it_is_whole_and_nothing_else),
	    cmocka_unit_test(answer_of_another_kind_is_none),
	    cmocka_unit_test(answer_has_the_keys_and_how_long_they_are_good),
	    cmocka_unit_test(keys_that_cannot_be_had_are_a_failure),
	    cmocka_unit_test(keys_of_the_wrong_size_are_none),
	    cmocka_unit_test(keys_for_times_that_cannot_be_are_none),
	    cmocka_unit_test(answer_fits_what_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
