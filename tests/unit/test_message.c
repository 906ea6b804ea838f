/* signer: the messages between a worker and the signer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "signer/message.h"
#include "tests/unit/signers.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Groups of this many bytes in all: names of up to 15, a newline behind each. */
static const char *
make_groups(char groups[LIMIT_GROUPS], size_t length)
{
	assert_true(length < LIMIT_GROUPS);
	memset(groups, 'g', length);
	for (size_t i = 15; i < length; i += 16)
		groups[i] = '\n';
	if (length > 0)
		groups[length - 1] = '\n';
	groups[length] = '\0';
	return groups;
}

/* What arrives: size bytes of m, and behind them what was there before. */
static struct message_request
sent(const struct message_request *m, size_t size, int before)
{
	struct message_request there;

	memset(&there, before, sizeof(there));
	memcpy(&there, m, size);
	return there;
}

static const size_t group_lengths[] = {
    0, 1, 2, 16, 17, 4096, LIMIT_GROUPS - 2, LIMIT_GROUPS - 1};

static void
assert_same_text(const char *a, const char *b)
{
	if (b == NULL)
		assert_null(a);
	else
		assert_string_equal(a, b);
}

static void
request_arrives_as_it_was_sent(void **state)
{
	static char caller[LIMIT_GROUPS], subject[LIMIT_GROUPS];

	(void)state;
	for (size_t i = 0; i < COUNT(group_lengths) * 16; i++) {
		struct query q = signers_ask("alice", "bob", "okera", 60), r;
		struct message_request m, there;
		size_t last = COUNT(group_lengths) - 1;
		size_t n = i / 16;

		if ((i & 1) != 0)
			q.caller_groups = make_groups(caller, group_lengths[n]);
		if ((i & 2) != 0)
			q.subject_groups = make_groups(subject, group_lengths[last - n]);
		if ((i & 4) != 0)
			q.email = "bob@example.com";
		if ((i & 8) != 0)
			q.space = "";
		memset(&m, 0xff, sizeof(m));
		message_request_init(&m, &q);
		m.head.id = 0x123456789abcdef0;
		there = sent(&m, message_request_size(&m), 0xff);
		assert_int_equal(message_request_read(&there, message_request_size(&m), &r), 0);
		assert_string_equal(r.caller.name, "alice");
		assert_string_equal(r.caller.scheme, "Basic");
		assert_string_equal(r.subject, "bob");
		assert_string_equal(r.audience, "okera");
		assert_int_equal(r.lifetime, 60);
		assert_same_text(r.caller_groups, q.caller_groups);
		assert_same_text(r.subject_groups, q.subject_groups);
		assert_same_text(r.email, q.email);
		assert_same_text(r.space, q.space);
	}
}

/* The queue to the signer is short: what is the same goes once. */
static void
groups_of_caller_and_subject_travel_once_when_they_are_the_same(void **state)
{
	struct query q = signers_ask("alice", "alice", "", 0), r;
	char same[] = "etl\nstaff\n";
	struct message_request m;
	size_t size;

	(void)state;
	q.caller_groups = "etl\nstaff\n";
	message_request_init(&m, &q);
	size = message_request_size(&m);
	q.subject_groups = same;
	message_request_init(&m, &q);
	assert_int_equal(message_request_size(&m), size);
	assert_int_equal(message_request_read(&m, size, &r), 0);
	assert_string_equal(r.caller_groups, same);
	assert_string_equal(r.subject_groups, same);
	m.same = 2;
	assert_int_equal(message_request_read(&m, size, &r), -1);
	q.subject_groups = "etl\n";
	message_request_init(&m, &q);
	m.same = 1;
	assert_int_equal(message_request_read(&m, message_request_size(&m), &r), -1);
}

/* No address of a worker's memory is sent. */
static void
request_holds_no_pointers(void **state)
{
	struct query q = signers_ask("alice", "bob", "", 0);
	struct message_request m;

	(void)state;
	q.caller_groups = q.subject_groups = "g\n";
	q.email = q.space = "";
	message_request_init(&m, &q);
	assert_null(m.query.caller_groups);
	assert_null(m.query.subject_groups);
	assert_null(m.query.email);
	assert_null(m.query.space);
}

/* Cut anywhere or too long, whatever the bytes behind the message were before. */
static void
request_of_another_size_is_none(void **state)
{
	static const int before[] = {0, 'g', 0xff};
	static char groups[LIMIT_GROUPS];

	(void)state;
	for (size_t i = 0; i < COUNT(group_lengths) * COUNT(before); i++) {
		struct query q = signers_ask("alice", "alice", "", 0), r;
		struct message_request m, there;
		size_t whole;

		q.subject_groups = make_groups(groups, group_lengths[i / COUNT(before)]);
		message_request_init(&m, &q);
		whole = message_request_size(&m);
		for (size_t size = 0; size <= sizeof(m) + 8; size++) {
			/* The bytes that count differ only up to the whole. */
			if (size <= whole)
				there = sent(&m, size, before[i % COUNT(before)]);
			assert_int_equal(
			    message_request_read(&there, size, &r), size == whole ? 0 : -1);
		}
	}
}

/* One behind the end of a text could hide what another reader sees. */
static void
request_with_an_end_inside_a_text_is_none(void **state)
{
	struct query q = signers_ask("alice", "alice", "", 0), r;
	struct message_request m;
	size_t whole;

	(void)state;
	q.caller_groups = "a\nroot\n";
	q.subject_groups = "b\n";
	message_request_init(&m, &q);
	whole = message_request_size(&m);
	assert_int_equal(message_request_read(&m, whole, &r), 0);
	m.texts[2] = '\0';
	assert_int_equal(message_request_read(&m, whole, &r), -1);
	message_request_init(&m, &q);
	m.texts[m.lengths[MESSAGE_CALLER_GROUPS] - 1] = '\n';
	assert_int_equal(message_request_read(&m, whole, &r), -1);
	/* One text's end moved into the other. */
	message_request_init(&m, &q);
	m.lengths[MESSAGE_CALLER_GROUPS] -= 1;
	m.lengths[MESSAGE_SUBJECT_GROUPS] += 1;
	assert_int_equal(message_request_read(&m, whole, &r), -1);
}

static void
request_with_a_wrong_field_is_none(void **state)
{
	struct query q = signers_ask("alice", "alice", "", 0), r;
	struct message_request good, m;
	size_t size;

	(void)state;
	memset(&good, 0, sizeof(good));
	message_request_init(&good, &q);
	size = message_request_size(&good);
#define REFUSED(change)                                                   \
	do {                                                              \
		m = good;                                                 \
		change;                                                   \
		assert_int_equal(message_request_read(&m, size, &r), -1); \
	} while (0)
#define UNTERMINATED(field) REFUSED(memset(m.query.field, 'x', sizeof(m.query.field)))
	REFUSED(m.head.magic ^= 1);
	REFUSED(m.head.magic = 0);
	REFUSED(m.head.kind = MESSAGE_KEYS + 1);
	REFUSED(m.head.kind = UINT32_MAX);
	REFUSED(m.query.lifetime = -1);
	REFUSED(m.query.lifetime = INT64_MIN);
	REFUSED(m.query.not_after = -1);
	UNTERMINATED(caller.name);
	UNTERMINATED(caller.scheme);
	UNTERMINATED(subject);
	UNTERMINATED(audience);
	UNTERMINATED(profile);
	m = good;
	memset(m.query.subject, 'x', sizeof(m.query.subject) - 1);
	assert_int_equal(message_request_read(&m, size, &r), 0);
	size = sizeof(m);
	REFUSED(m.lengths[MESSAGE_CALLER_GROUPS] = LIMIT_GROUPS + 1);
	REFUSED(m.lengths[MESSAGE_EMAIL] = LIMIT_EMAIL + 1);
	REFUSED(m.lengths[MESSAGE_NAMESPACE] = UINT32_MAX);
#undef UNTERMINATED
#undef REFUSED
}

static void
answer_carries_a_token_or_a_reason(void **state)
{
	static struct message_answer m;
	struct signature s = {
	    .token = "a.b.c", .length = 5, .expires = 4711, .jti = "j", .kid = "k"};
	struct error e = {0};

	(void)state;
	message_answer_init(&m, 7, &s, &e);
	assert_int_equal(message_answer_size(&m), offsetof(struct message_answer, text) + 5);
	memset(m.text + 5, 0xff, sizeof(m.text) - 5); /* what is not sent */
	assert_int_equal(message_answer_check(&m, message_answer_size(&m)), 0);
	assert_int_equal(m.head.kind, MESSAGE_MADE);
	assert_int_equal(m.head.id, 7);
	assert_int_equal(m.expires, 4711);
	assert_string_equal(m.text, "a.b.c");
	assert_string_equal(m.jti, "j");
	assert_string_equal(m.kid, "k");
	error_set(&e, ERROR_DENIED, "no");
	message_answer_init(&m, 8, NULL, &e);
	memset(m.text + 2, 0xff, sizeof(m.text) - 2);
	assert_int_equal(message_answer_check(&m, message_answer_size(&m)), 0);
	assert_int_equal(m.head.kind, MESSAGE_REFUSED);
	assert_int_equal(m.head.id, 8);
	assert_int_equal(m.expires, 0);
	assert_int_equal(m.code, ERROR_DENIED);
	assert_string_equal(m.text, "no");
}

static void
answer_of_another_size_is_none(void **state)
{
	static struct message_answer m;
	struct signature s = {.token = "a.b.c", .length = 5, .expires = 4711};
	struct error e = {0};
	size_t whole;

	(void)state;
	message_answer_init(&m, 7, &s, &e);
	whole = message_answer_size(&m);
	for (size_t size = 0; size <= sizeof(m); size++)
		if (size != whole && message_answer_check(&m, size) != -1)
			fail_msg("%zu bytes", size);
}

static void
answer_with_a_wrong_field_is_none(void **state)
{
	static struct message_answer good, m;
	struct error e = {0};

	(void)state;
	error_set(&e, ERROR_DENIED, "no");
	message_answer_init(&good, 7, NULL, &e);
#define REFUSED(change)                                                                  \
	do {                                                                             \
		m = good;                                                                \
		change;                                                                  \
		assert_int_equal(message_answer_check(&m, message_answer_size(&m)), -1); \
	} while (0)
	REFUSED(m.head.magic ^= 1);
	REFUSED(m.head.kind = COURIER_HELLO);
	REFUSED(m.head.kind = MESSAGE_REFUSED + 1);
	REFUSED(m.head.kind = UINT32_MAX);
	REFUSED(m.length = LIMIT_ERROR_TEXT);
	REFUSED(m.head.kind = MESSAGE_MADE; m.length = LIMIT_JWK_SET);
	REFUSED(m.head.kind = MESSAGE_MADE; m.length = UINT32_MAX);
	REFUSED(m.code = ERROR_NONE);
	REFUSED(m.code = ERROR_NO_PERMISSION + 1);
	REFUSED(m.code = UINT32_MAX);
	REFUSED(memset(m.jti, 'x', sizeof(m.jti)));
	REFUSED(memset(m.kid, 'x', sizeof(m.kid)));
#undef REFUSED
	m = good;
	m.length = LIMIT_ERROR_TEXT - 1;
	assert_int_equal(message_answer_check(&m, message_answer_size(&m)), 0);
	m.head.kind = MESSAGE_MADE;
	m.length = LIMIT_JWK_SET - 1;
	assert_int_equal(message_answer_check(&m, message_answer_size(&m)), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_arrives_as_it_was_sent),
	    cmocka_unit_test(request_of_another_size_is_none),
	    cmocka_unit_test(request_with_an_end_inside_a_text_is_none),
	    cmocka_unit_test(request_holds_no_pointers),
	    cmocka_unit_test(groups_of_caller_and_subject_travel_once_when_they_are_the_same),
	    cmocka_unit_test(request_with_a_wrong_field_is_none),
	    cmocka_unit_test(answer_carries_a_token_or_a_reason),
	    cmocka_unit_test(answer_of_another_size_is_none),
	    cmocka_unit_test(answer_with_a_wrong_field_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
