/* signer: what it signs, and the signer in process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "signer/signer_local.h"
#include "tests/unit/signers.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
	struct policy *policy;
	struct signing signing;
};

static struct fixture fixture;

static int
load_key(void **state)
{
	*state = &fixture;
	return signers_open(&fixture.signing, NULL, &fixed_clock, &fixed_entropy);
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
		struct query q = signers_ask(
		    rows[i].caller, rows[i].subject, rows[i].audience, rows[i].lifetime);
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
	struct query q = signers_ask("alice", "alice", "", 0);
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
		struct query q = signers_ask("alice", rows[i].subject, "", rows[i].lifetime);
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
	struct query q = signers_ask("alice", "alice", "", 0);
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
	struct query q = signers_ask("alice", "alice", "", 0);
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
	struct query q = signers_ask("alice", "alice", "", 60);
	struct signer_local local;
	struct error e = {0};

	signer_local_init(&local, &f->signing);
	assert_int_equal(signer_submit(&local.signer, &q, keep_outcome, &o, &e), 0);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.expires, 1668181653);
	assert_memory_equal(o.token, "eyJ", 3);
	o = (struct outcome){0};
	q = signers_ask("alice", "bob", "", 60);
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
