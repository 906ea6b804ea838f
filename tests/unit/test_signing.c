/* signer: tokens by profiles and by the keys of a directory, and the keys that are published.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "signer/message.h"
#include "tests/unit/signings.h"

static void
profile_signs_with_the_key_of_its_algorithm(void **state)
{
	struct signings_service s;
	struct signature made, other;
	json_t *claims;

	signings_start(*state, &s);
	claims =
	    signings_mint(&s, "", "{\"alg\":\"RS512\",\"typ\":\"JWT\",\"kid\":\"\"}", &made);
	json_decref(claims);
	claims = signings_mint(
	    &s, "access", "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"\"}", &other);
	assert_string_equal(signings_text_of(claims, "aud"), "okera");
	assert_string_equal(signings_text_of(claims, "client_id"), "alice");
	assert_string_not_equal(made.kid, other.kid);
	json_decref(claims);
	signings_stop(&s);
}

static void
profile_without_a_kid_has_its_claims_and_its_lifetime(void **state)
{
	struct signings_service s;
	struct signature made;
	json_t *claims;

	signings_start(*state, &s);
	claims = signings_mint(&s, "bare", "{\"alg\":\"RS512\",\"typ\":\"JWT\"}", &made);
	assert_string_equal(signings_text_of(claims, "email"), "a@b.c");
	assert_string_equal(signings_text_of(claims, "namespace"), "ns");
	assert_int_equal(json_integer_value(json_object_get(claims, "exp")), signings_now + 60);
	assert_int_equal(made.expires, signings_now + 60);
	/* The log tells of the key all the same. */
	assert_int_equal(strlen(made.kid), 43);
	json_decref(claims);
	signings_stop(&s);
}

/* Of a token that was exchanged for another: it ends with that, or before. */
static void
token_ends_by_the_bound_of_its_query(void **state)
{
	static const struct {
		int64_t bound, end; /* seconds from now; 0: no bound, no token */
	} cases[] = {{0, 60}, {61, 60}, {60, 60}, {59, 59}, {1, 1}};
	const char *header = "{\"alg\":\"RS512\",\"typ\":\"JWT\"}";
	struct signings_service s;
	struct signature made;
	struct buffer token;
	struct error e = {0};
	struct query q;

	signings_start(*state, &s);
	q = signings_ask("bare");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *claims;

		q.not_after = cases[i].bound == 0 ? 0 : signings_now + cases[i].bound;
		claims = signings_mint_query(&s, &q, header, &made);
		assert_int_equal(json_integer_value(json_object_get(claims, "exp")),
		    signings_now + cases[i].end);
		assert_int_equal(made.expires, signings_now + cases[i].end);
		json_decref(claims);
	}
	buffer_init(&token, LIMIT_TOKEN);
	for (q.not_after = signings_now - 1; q.not_after <= signings_now; q.not_after++) {
		assert_int_equal(signing_mint(&s.signing, &q, &token, &made, &e), -1);
		assert_int_equal(e.code, ERROR_GRANT);
		assert_int_equal(token.length, 0);
	}
	buffer_free(&token);
	signings_stop(&s);
}

static void
next_key_signs_from_its_second_on(void **state)
{
	const struct keys_fixture *f = *state;
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	struct signings_service s;
	struct signature before, after;
	struct error e = {0};
	char path[256];

	signings_start(f, &s);
	signing_close(&s.signing);
	keys_path(f, "20261122T010000Z.RS512.pem", path);
	keys_write(path, other);
	EVP_PKEY_free(other);
	assert_int_equal(
	    signing_open(&s.signing, &s.config, s.policy, &signings_clock, &entropy_system, &e),
	    0);
	signings_now = SIGNINGS_T1 - 1;
	json_decref(
	    signings_mint(&s, "", "{\"alg\":\"RS512\",\"typ\":\"JWT\",\"kid\":\"\"}", &before));
	signings_now = SIGNINGS_T1;
	json_decref(
	    signings_mint(&s, "", "{\"alg\":\"RS512\",\"typ\":\"JWT\",\"kid\":\"\"}", &after));
	assert_string_equal(before.kid, key_id(keyring_get(s.signing.ring, 1, 0).key));
	assert_string_equal(after.kid, key_id(keyring_get(s.signing.ring, 2, 0).key));
	assert_string_not_equal(after.kid, before.kid);
	signings_stop(&s);
}

static void
nothing_is_signed_before_the_first_activation(void **state)
{
	struct signings_service s;
	struct query q = signings_ask("");
	struct buffer token;
	struct signature made;
	struct error e = {0};

	signings_start(*state, &s);
	signings_now = SIGNINGS_T0 - 1;
	buffer_init(&token, LIMIT_TOKEN);
	assert_int_equal(signing_mint(&s.signing, &q, &token, &made, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "no key signs with RS512 now");
	assert_int_equal(token.length, 0);
	buffer_free(&token);
	signings_stop(&s);
}

/* Each of its requests would fail: told at the start, with the line. */
static void
profile_whose_algorithm_has_no_key_does_not_open(void **state)
{
	const struct keys_fixture *f = *state;
	struct signings_service s;
	struct error e = {0};

	keys_put(f, "20261122T000000Z.RS512.pem", RSA_KEY);
	keys_put(f, "20261122T010000Z.ES256.pem", P256); /* not yet */
	signings_configure(f, &s, "");
	assert_int_equal(
	    signing_open(&s.signing, &s.config, s.policy, &signings_clock, &entropy_system, &e),
	    -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(e.text,
	    "t.conf:7: profile 'access': no key signs with ES256 now: private-key can be a "
	    "directory with one key an algorithm");
	policy_free(s.policy);
	config_free(&s.config);
}

/* Nor is a profile without an algorithm of its own blamed for it. */
static void
configuration_whose_algorithm_has_no_key_does_not_open(void **state)
{
	const struct keys_fixture *f = *state;
	struct signings_service s;
	struct error e = {0};
	char want[LIMIT_ERROR_TEXT];

	keys_put(f, "20261122T000000Z.ES256.pem", P256);
	signings_configure(f, &s, "algorithm = EdDSA\n");
	assert_int_equal(
	    signing_open(&s.signing, &s.config, s.policy, &signings_clock, &entropy_system, &e),
	    -1);
	(void)snprintf(want, sizeof(want),
	    "%s: no key in it signs with EdDSA now: set algorithm, or add one", f->directory);
	assert_string_equal(e.text, want);
	policy_free(s.policy);
	config_free(&s.config);
}

/* What needs no key is found wrong without one, by authserverctl check. */
static void
count_told(void *context, const struct error *e)
{
	assert_non_null(strstr(e->text, "issuer: "));
	++*(int *)context;
}

static void
issuer_that_is_no_text_for_a_token_is_refused(void **state)
{
	static char longest[LIMIT_ISSUER + 1], broken[] = "https://a\x01", latin[] = "\xff";
	static char key[] = "/dev/null";
	char *const issuers[] = {longest, broken, latin};

	(void)state;
	memset(longest, 'a', LIMIT_ISSUER);
	for (size_t i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++) {
		char algorithm[] = "RS512";
		const struct config c = {
		    .issuer = issuers[i], .private_key = key, .algorithm = algorithm};
		struct error e = {0};
		int told = 0;

		assert_int_equal(signing_check(&c, &e), -1);
		assert_int_equal(e.code, ERROR_CONFIG);
		signing_lint(&c, NULL, 0, count_told, &told);
		assert_int_equal(told, 1);
	}
	/* One byte less will do. */
	longest[LIMIT_ISSUER - 1] = '\0';
	assert_int_equal(signing_check(&(struct config){.issuer = longest,
					   .private_key = key,
					   .algorithm = (char[]){"RS512"}},
			     &(struct error){0}),
	    0);
}

static void
wrong_claims_of_a_profile_are_found_without_a_key(void **state)
{
	struct signings_service s;
	struct error e = {0};

	signings_configure(*state, &s, "profile x {\n claims = \"{ \\\"exp\\\": 0 }\"\n}\n");
	assert_int_equal(signing_check(&s.config, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(e.text, "more.conf:2: claims: 'exp' is set by authserver itself");
	policy_free(s.policy);
	config_free(&s.config);
}

static void
published_keys_are_those_of_the_ring_until_it_changes(void **state)
{
	struct signings_service s;
	struct buffer json;
	struct signature made;
	struct error e = {0};
	json_t *set;

	signings_start(*state, &s);
	signings_now = SIGNINGS_T1 - 100;
	buffer_init(&json, LIMIT_JWK_SET);
	assert_int_equal(signing_publish(&s.signing, &json, &made, &e), 0);
	assert_ptr_equal(made.token, json.data);
	assert_int_equal(made.length, json.length);
	assert_int_equal(made.expires, SIGNINGS_T1);
	assert_string_not_equal(made.kid, "");
	set = json_loadb(json.data, json.length, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_array_size(json_object_get(set, "keys")), 3);
	json_decref(set);
	buffer_free(&json);
	signings_stop(&s);
}

/* The wish for the public keys has no query: it is a message of its own kind, and a whole one.
 */
static void
wish_for_the_keys_is_a_message(void **state)
{
	struct message_request m;
	struct query q;
	size_t size;

	(void)state;
	memset(&m, 0xff, sizeof(m));
	message_request_init(&m, NULL);
	size = message_request_size(&m);
	assert_int_equal(size, offsetof(struct message_request, texts));
	assert_int_equal(message_request_read(&m, size, &q), 0);
	assert_int_equal(m.head.kind, MESSAGE_KEYS);
	assert_string_equal(q.subject, "");
	assert_null(q.caller_groups);
	m.head.kind = MESSAGE_KEYS + 1;
	assert_int_equal(message_request_read(&m, size, &q), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(profile_signs_with_the_key_of_its_algorithm),
	    TEST(profile_without_a_kid_has_its_claims_and_its_lifetime),
	    TEST(token_ends_by_the_bound_of_its_query),
	    TEST(next_key_signs_from_its_second_on),
	    TEST(nothing_is_signed_before_the_first_activation),
	    TEST(profile_whose_algorithm_has_no_key_does_not_open),
	    TEST(configuration_whose_algorithm_has_no_key_does_not_open),
	    cmocka_unit_test(issuer_that_is_no_text_for_a_token_is_refused),
	    TEST(wrong_claims_of_a_profile_are_found_without_a_key),
	    TEST(published_keys_are_those_of_the_ring_until_it_changes),
	    cmocka_unit_test(wish_for_the_keys_is_a_message),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
