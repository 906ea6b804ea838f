/* signer: its messages, what it signs, and the signer in process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64url.h"
#include "signer/message.h"
#include "signer/signer_local.h"
#include "signer/signing.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct query
ask(const char *caller, const char *subject, const char *audience, int64_t lifetime)
{
	struct query q = {.lifetime = lifetime};

	(void)snprintf(q.caller.name, sizeof(q.caller.name), "%s", caller);
	(void)snprintf(q.caller.scheme, sizeof(q.caller.scheme), "Basic");
	(void)snprintf(q.subject, sizeof(q.subject), "%s", subject);
	(void)snprintf(q.audience, sizeof(q.audience), "%s", audience);
	return q;
}

/* --- messages --- */

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
		struct query q = ask("alice", "bob", "okera", 60);
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
		struct query q = ask("alice", "alice", "", 0);
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
	struct query q = ask("alice", "alice", "", 0);
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
	struct query q = ask("alice", "alice", "", 0);
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

/* --- signing --- */

static int64_t
fixed_time(void *state)
{
	(void)state;
	return 1668181593 * NANOSECONDS + 999999999;
}

/* Bytes 0, 1, 2, ...; or none at all when state is not NULL. */
static int
fixed_bytes(void *state, void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		((unsigned char *)bytes)[i] = (unsigned char)i;
	errno = EIO;
	return state == NULL ? 0 : -1;
}

static const struct clock fixed_clock = {.realtime = fixed_time, .monotonic = fixed_time};
static const struct entropy fixed_entropy = {.fill = fixed_bytes};

struct fixture {
	struct config config;
	struct policy *policy;
	struct signing signing;
};

static struct fixture fixture;

/* The key of RFC 8037, A.1. */
static int
load_key(void **state)
{
	static const char pem[] =
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	    "-----END PRIVATE KEY-----\n";
	char path[] = "/tmp/test_signer.XXXXXX";
	struct error e = {0};
	int fd;
	int rc = -1;

	umask(077);
	fd = mkstemp(path);
	if (fd == -1)
		return -1;
	fixture.config = (struct config){.private_key = path,
	    .algorithm = (char[]){"EdDSA"},
	    .kid = KID_THUMBPRINT,
	    .issuer = (char[]){"192.0.2.7"},
	    .lifetime = 3600};
	if (write(fd, pem, sizeof(pem) - 1) == sizeof(pem) - 1)
		rc = signing_open(
		    &fixture.signing, &fixture.config, NULL, &fixed_clock, &fixed_entropy, &e);
	close(fd);
	unlink(path);
	fixture.signing.issuer = "192.0.2.7"; /* the literal above is gone with this block */
	*state = &fixture;
	return rc;
}

static int
free_key(void **state)
{
	struct fixture *f = *state;

	signing_close(&f->signing);
	policy_free(f->policy);
	return 0;
}

/* Signs by these rules, or by the built-in ones. */
static int
use_policy(struct fixture *f, const char *rules)
{
	struct error e;
	int rc;

	policy_free(f->policy);
	rc = rules == NULL ? policy_builtin(&f->policy, &e)
			   : policy_parse(&f->policy, rules, strlen(rules), "rules", &e);
	if (rc == -1)
		return -1;
	policy_set_limits(f->policy, 3600, NULL);
	f->signing.policy = f->policy;
	return 0;
}

static int
setup(void **state)
{
	struct fixture *f = *state;

	f->signing.shapes[0].kid = true;
	f->signing.entropy = &fixed_entropy;
	return use_policy(f, NULL);
}

/* EdDSA is deterministic, so that a token is known to its last byte. */
static void
assert_token(
    const struct fixture *f, const struct buffer *token, const char *header, const char *claims)
{
	struct buffer want, signature;
	struct error e = {0};

	buffer_init(&want, LIMIT_TOKEN);
	buffer_init(&signature, 64);
	assert_int_equal(base64url_append(&want, header, strlen(header)), 0);
	assert_int_equal(buffer_append(&want, ".", 1), 0);
	assert_int_equal(base64url_append(&want, claims, strlen(claims)), 0);
	assert_int_equal(key_sign(keyring_get(f->signing.ring, 0, 0).key, want.data,
			     want.length, &signature, &e),
	    0);
	assert_int_equal(buffer_append(&want, ".", 1), 0);
	assert_int_equal(base64url_append(&want, signature.data, signature.length), 0);
	assert_string_equal(token->data, want.data);
	buffer_free(&want);
	buffer_free(&signature);
}

static const char header_with_kid[] = "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":"
				      "\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\"}";

static void
token_has_exactly_these_claims_in_this_order(void **state)
{
	static const struct {
		const char *caller;
		const char *subject;
		const char *audience;
		int64_t lifetime;
		int64_t expires;
		const char *claims;
	} rows[] = {
	    {"alice", "alice", "", 0, 1668185193,
		"{\"sub\":\"alice\",\"iss\":\"192.0.2.7\",\"iat\":1668181593,"
		"\"exp\":1668185193,\"jti\":\"AAECAwQFBgcICQoLDA0ODw\"}"},
	    {"alice", "alice", "okera", 60, 1668181653,
		"{\"sub\":\"alice\",\"iss\":\"192.0.2.7\",\"iat\":1668181593,"
		"\"exp\":1668181653,\"jti\":\"AAECAwQFBgcICQoLDA0ODw\",\"aud\":\"okera\"}"},
	    {"alice", "bob", "", 60, 1668181653,
		"{\"sub\":\"bob\",\"iss\":\"192.0.2.7\",\"iat\":1668181593,"
		"\"exp\":1668181653,\"jti\":\"AAECAwQFBgcICQoLDA0ODw\","
		"\"act\":{\"sub\":\"alice\"}}"},
	    {"a\"\\", "b\xc3\xb6", "x\",\"sub\":\"root", 60, 1668181653,
		"{\"sub\":\"b\xc3\xb6\",\"iss\":\"192.0.2.7\",\"iat\":1668181593,"
		"\"exp\":1668181653,\"jti\":\"AAECAwQFBgcICQoLDA0ODw\","
		"\"aud\":\"x\\\",\\\"sub\\\":\\\"root\",\"act\":{\"sub\":\"a\\\"\\\\\"}}"},
	};
	struct fixture *f = *state;

	assert_int_equal(use_policy(f, "permit any as *"), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct query q =
		    ask(rows[i].caller, rows[i].subject, rows[i].audience, rows[i].lifetime);
		struct buffer token;
		struct error e = {0};
		struct signature made;

		buffer_init(&token, LIMIT_TOKEN);
		if (signing_mint(&f->signing, &q, &token, &made, &e) == -1)
			fail_msg("%s", e.text);
		assert_int_equal(made.expires, rows[i].expires);
		assert_string_equal(made.jti, "AAECAwQFBgcICQoLDA0ODw");
		assert_string_equal(made.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
		assert_token(f, &token, header_with_kid, rows[i].claims);
		buffer_free(&token);
	}
}

/* What an operator answers for: policy, here the built-in one, is not asked. */
static void
order_is_signed_with_its_groups_whatever_policy_says(void **state)
{
	static const struct {
		const char *groups;
		const char *claim;
	} rows[] = {
	    {NULL, ""},
	    {"", ",\"groups\":[]"},
	    {"root\n", ",\"groups\":[\"root\"]"},
	    {"a b\nc\"\n", ",\"groups\":[\"a b\",\"c\\\"\"]"},
	};
	const struct grant g = {.subject = "okera", .actor = "alice", .lifetime = 60};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct signing_order order = {
		    .grant = &g, .caller = "alice", .groups = rows[i].groups};
		struct signature made;
		struct buffer token;
		struct error e = {0};
		char claims[512];

		(void)snprintf(claims, sizeof(claims),
		    "{\"sub\":\"okera\",\"iss\":\"192.0.2.7\",\"iat\":1668181593,"
		    "\"exp\":1668181653,\"jti\":\"AAECAwQFBgcICQoLDA0ODw\","
		    "\"act\":{\"sub\":\"alice\"}%s}",
		    rows[i].claim);
		buffer_init(&token, LIMIT_TOKEN);
		if (signing_sign(&f->signing, &order, &token, &made, &e) == -1)
			fail_msg("%s", e.text);
		assert_int_equal(made.expires, 1668181653);
		assert_token(f, &token, header_with_kid, claims);
		buffer_free(&token);
	}
}

static void
header_is_without_kid_when_it_is_switched_off(void **state)
{
	struct fixture *f = *state;
	struct query q = ask("alice", "alice", "", 0);
	struct buffer token;
	struct error e = {0};
	struct signature made;

	f->signing.shapes[0].kid = false;
	buffer_init(&token, LIMIT_TOKEN);
	assert_int_equal(signing_mint(&f->signing, &q, &token, &made, &e), 0);
	assert_token(f, &token, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}",
	    "{\"sub\":\"alice\",\"iss\":\"192.0.2.7\",\"iat\":1668181593,\"exp\":1668185193,"
	    "\"jti\":\"AAECAwQFBgcICQoLDA0ODw\"}");
	buffer_free(&token);
}

/* The worker's word is not enough: policy is asked again where the key is. */
static void
signer_refuses_what_policy_refuses(void **state)
{
	static const struct {
		const char *subject;
		int64_t lifetime;
	} rows[] = {{"bob", 0}, {"root", 0}, {"alice", 3601}};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct query q = ask("alice", rows[i].subject, "", rows[i].lifetime);
		struct buffer token;
		struct error e = {0};
		struct signature made;

		buffer_init(&token, LIMIT_TOKEN);
		assert_int_equal(signing_mint(&f->signing, &q, &token, &made, &e), -1);
		assert_int_equal(e.code, ERROR_DENIED);
		assert_int_equal(token.length, 0);
		buffer_free(&token);
	}
}

static void
nothing_is_signed_without_random_bytes(void **state)
{
	struct fixture *f = *state;
	struct entropy none = {.fill = fixed_bytes, .state = f};
	struct query q = ask("alice", "alice", "", 0);
	struct buffer token;
	struct error e = {0};
	struct signature made;

	f->signing.entropy = &none;
	buffer_init(&token, LIMIT_TOKEN);
	assert_int_equal(signing_mint(&f->signing, &q, &token, &made, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_int_equal(token.length, 0);
	buffer_free(&token);
}

static void
token_that_does_not_fit_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct query q = ask("alice", "alice", "", 0);
	struct signature made;
	size_t fits = 0;

	for (size_t limit = 0; limit < 512 && fits == 0; limit++) {
		struct buffer token;
		struct error e = {0};

		buffer_init(&token, limit);
		if (signing_mint(&f->signing, &q, &token, &made, &e) == 0)
			fits = token.length;
		else
			assert_int_equal(e.code, ERROR_UNAVAILABLE);
		assert_in_range(token.length, 0, limit);
		buffer_free(&token);
	}
	assert_in_range(fits, 300, 511);
}

/* --- the signer in process --- */

struct outcome {
	int calls;
	char token[LIMIT_TOKEN];
	int64_t expires;
	struct error e;
};

static void
keep_outcome(void *context, const struct signature *s, const struct error *e)
{
	struct outcome *o = context;

	o->calls++;
	o->e = *e;
	if (s == NULL)
		return;
	assert_int_equal(strlen(s->token), s->length);
	(void)snprintf(o->token, sizeof(o->token), "%s", s->token);
	o->expires = s->expires;
}

static void
local_signer_answers_before_it_returns(void **state)
{
	static struct outcome o;
	struct fixture *f = *state;
	struct query q = ask("alice", "alice", "", 60);
	struct signer_local local;
	struct error e = {0};

	signer_local_init(&local, &f->signing);
	assert_int_equal(signer_submit(&local.signer, &q, keep_outcome, &o, &e), 0);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.expires, 1668181653);
	assert_memory_equal(o.token, "eyJ", 3);
	o = (struct outcome){0};
	q = ask("alice", "bob", "", 60);
	assert_int_equal(signer_submit(&local.signer, &q, keep_outcome, &o, &e), 0);
	assert_int_equal(o.calls, 1);
	assert_string_equal(o.token, "");
	assert_int_equal(o.e.code, ERROR_DENIED);
	assert_string_equal(o.e.text, "alice may not have a token for bob");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

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
	    TEST(token_has_exactly_these_claims_in_this_order),
	    TEST(order_is_signed_with_its_groups_whatever_policy_says),
	    TEST(header_is_without_kid_when_it_is_switched_off),
	    TEST(signer_refuses_what_policy_refuses),
	    TEST(nothing_is_signed_without_random_bytes),
	    TEST(token_that_does_not_fit_is_an_error),
	    TEST(local_signer_answers_before_it_returns),
	};

	return cmocka_run_group_tests(tests, load_key, free_key);
}
