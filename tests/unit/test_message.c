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
static void
put_groups(struct query *q, size_t length)
{
	assert_true(length < sizeof(q->groups));
	memset(q->groups, 'g', length);
	for (size_t i = 15; i < length; i += 16)
		q->groups[i] = '\n';
	if (length > 0)
		q->groups[length - 1] = '\n';
	q->groups[length] = '\0';
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
request_arrives_as_it_was_sent(void **state)
{
	const size_t fixed = offsetof(struct message_request, query.groups);

	(void)state;
	for (size_t i = 0; i < COUNT(group_lengths); i++) {
		struct query q = signers_ask("alice", "bob", "okera", 60);
		struct message_request m, there;

		put_groups(&q, group_lengths[i]);
		memset(&m, 0xff, sizeof(m));
		message_request_init(&m, 0x123456789abcdef0, &q);
		assert_int_equal(message_request_size(&m), fixed + group_lengths[i] + 1);
		there = sent(&m, message_request_size(&m), 0xff);
		assert_int_equal(message_request_check(&there, message_request_size(&m)), 0);
		assert_int_equal(there.id, 0x123456789abcdef0);
		assert_string_equal(there.query.caller.name, "alice");
		assert_string_equal(there.query.caller.scheme, "Basic");
		assert_string_equal(there.query.subject, "bob");
		assert_string_equal(there.query.audience, "okera");
		assert_int_equal(there.query.lifetime, 60);
		assert_string_equal(there.query.groups, q.groups);
	}
}

/* Cut anywhere or too long, whatever the bytes behind the message were before. */
static void
request_of_another_size_is_none(void **state)
{
	static const int before[] = {0, 'g', 0xff};

	(void)state;
	for (size_t i = 0; i < COUNT(group_lengths) * COUNT(before); i++) {
		struct query q = signers_ask("alice", "alice", "", 0);
		struct message_request m, there;
		size_t whole;

		put_groups(&q, group_lengths[i / COUNT(before)]);
		message_request_init(&m, 1, &q);
		whole = message_request_size(&m);
		for (size_t size = 0; size <= sizeof(m) + 8; size++) {
			/* The bytes that count differ only up to the whole. */
			if (size <= whole)
				there = sent(&m, size, before[i % COUNT(before)]);
			assert_int_equal(
			    message_request_check(&there, size), size == whole ? 0 : -1);
		}
	}
}

/* One behind the end of the groups could hide what another reader sees. */
static void
request_with_bytes_behind_its_groups_is_none(void **state)
{
	struct query q = signers_ask("alice", "alice", "", 0);
	struct message_request m;
	size_t whole;

	(void)state;
	put_groups(&q, 16);
	memset(&m, 0, sizeof(m));
	message_request_init(&m, 1, &q);
	whole = message_request_size(&m);
	memcpy(m.query.groups + 17, "root\n", 6);
	assert_int_equal(message_request_check(&m, whole), 0);
	assert_int_equal(message_request_check(&m, whole + 6), -1);
}

static void
request_with_a_wrong_field_is_none(void **state)
{
	struct query q = signers_ask("alice", "alice", "", 0);
	struct message_request good, m;
	size_t size;

	(void)state;
	memset(&good, 0, sizeof(good));
	message_request_init(&good, 1, &q);
	size = message_request_size(&good);
#define REFUSED(change)                                                \
	do {                                                           \
		m = good;                                              \
		change;                                                \
		assert_int_equal(message_request_check(&m, size), -1); \
	} while (0)
#define UNTERMINATED(field) REFUSED(memset(m.query.field, 'x', sizeof(m.query.field)))
	REFUSED(m.magic ^= 1);
	REFUSED(m.magic = 0);
	REFUSED(m.kind = MESSAGE_KEYS + 1);
	REFUSED(m.kind = UINT32_MAX);
	REFUSED(m.query.lifetime = -1);
	REFUSED(m.query.lifetime = INT64_MIN);
	UNTERMINATED(caller.name);
	UNTERMINATED(caller.scheme);
	UNTERMINATED(subject);
	UNTERMINATED(audience);
	UNTERMINATED(profile);
	UNTERMINATED(groups);
	m = good;
	memset(m.query.subject, 'x', sizeof(m.query.subject) - 1);
	assert_int_equal(message_request_check(&m, size), 0);
	size = sizeof(m);
	UNTERMINATED(groups);
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
	assert_int_equal(m.kind, MESSAGE_MADE);
	assert_int_equal(m.id, 7);
	assert_int_equal(m.expires, 4711);
	assert_string_equal(m.text, "a.b.c");
	assert_string_equal(m.jti, "j");
	assert_string_equal(m.kid, "k");
	error_set(&e, ERROR_DENIED, "no");
	message_answer_init(&m, 8, NULL, &e);
	memset(m.text + 2, 0xff, sizeof(m.text) - 2);
	assert_int_equal(message_answer_check(&m, message_answer_size(&m)), 0);
	assert_int_equal(m.kind, MESSAGE_REFUSED);
	assert_int_equal(m.id, 8);
	assert_int_equal(m.expires, 0);
	assert_int_equal(m.code, ERROR_DENIED);
	assert_string_equal(m.text, "no");
	message_hello(&m);
	assert_int_equal(message_answer_check(&m, message_answer_size(&m)), 0);
	assert_int_equal(m.kind, MESSAGE_HELLO);
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
	REFUSED(m.magic ^= 1);
	REFUSED(m.kind = MESSAGE_REFUSED + 1);
	REFUSED(m.kind = UINT32_MAX);
	REFUSED(m.length = LIMIT_ERROR_TEXT);
	REFUSED(m.kind = MESSAGE_MADE; m.length = LIMIT_JWK_SET);
	REFUSED(m.kind = MESSAGE_MADE; m.length = UINT32_MAX);
	REFUSED(m.code = ERROR_NONE);
	REFUSED(m.code = ERROR_NO_PERMISSION + 1);
	REFUSED(m.code = UINT32_MAX);
	REFUSED(memset(m.jti, 'x', sizeof(m.jti)));
	REFUSED(memset(m.kid, 'x', sizeof(m.kid)));
#undef REFUSED
	m = good;
	m.length = LIMIT_ERROR_TEXT - 1;
	assert_int_equal(message_answer_check(&m, message_answer_size(&m)), 0);
	m.kind = MESSAGE_MADE;
	m.length = LIMIT_JWK_SET - 1;
	assert_int_equal(message_answer_check(&m, message_answer_size(&m)), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_arrives_as_it_was_sent),
	    cmocka_unit_test(request_of_another_size_is_none),
	    cmocka_unit_test(request_with_bytes_behind_its_groups_is_none),
	    cmocka_unit_test(request_with_a_wrong_field_is_none),
	    cmocka_unit_test(answer_carries_a_token_or_a_reason),
	    cmocka_unit_test(answer_of_another_size_is_none),
	    cmocka_unit_test(answer_with_a_wrong_field_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
