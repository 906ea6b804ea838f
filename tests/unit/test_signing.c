/* signer: tokens by profiles and by the keys of a directory, and the keys that are published.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "signer/message.h"
#include "signer/signing.h"
#include "tests/unit/keys.h"

/* 20261122T000000Z, and when the second key of RS512 starts */
static const int64_t T0 = 1795305600, T1 = 1795309200;

static int64_t now;

static int64_t
tell_time(void *state)
{
	(void)state;
	return now * NANOSECONDS + 999999999;
}

static const struct clock test_clock = {.realtime = tell_time, .monotonic = tell_time};

static const char profiles[] =
    "issuer = \"192.0.2.7\"\n"
    "lifetime = 1h\n"
    "profile access {\n type = \"at+jwt\"\n algorithm = ES256\n audience = okera\n}\n"
    "profile bare {\n kid = none\n lifetime = 1m\n"
    " claims = \"{ \\\"email\\\": \\\"${email}\\\", \\\"namespace\\\": \\\"${namespace}\\\" "
    "}\"\n"
    "}\n";

struct service {
	struct config config;
	struct policy *policy;
	struct signing signing;
};

/* Reads the profiles and what is behind them; the keys are those of the test's directory. */
static void
configure(const struct keys_fixture *f, struct service *s, const char *more)
{
	static const char attributes[] =
	    "{\"alice\":{\"email\":\"a@b.c\",\"namespace\":\"ns\"}}";
	char path[256];
	struct error e = {0};

	*s = (struct service){0};
	now = T0 + 60;
	keys_path(f, "attributes", path);
	keys_write_bytes(path, attributes, sizeof(attributes) - 1);
	assert_int_equal(config_init(&s->config, &e), 0);
	assert_int_equal(config_set(&s->config, "private-key", f->directory, "test", &e), 0);
	assert_int_equal(config_set(&s->config, "attributes", path, "test", &e), 0);
	if (config_parse(&s->config, profiles, sizeof(profiles) - 1, "t.conf", &e) == -1 ||
	    config_parse(&s->config, more, strlen(more), "more.conf", &e) == -1 ||
	    policy_open(&s->policy, &s->config, &e) == -1)
		fail_msg("%s", e.text);
}

static void
start_with(const struct keys_fixture *f, struct service *s, const char *more)
{
	struct error e = {0};

	keys_put(f, "20261122T000000Z.RS512.pem", RSA_KEY);
	keys_put(f, "20261122T010000Z.RS512.pem", RSA_KEY);
	keys_put(f, "20261122T000000Z.ES256.pem", P256);
	configure(f, s, more);
	if (signing_open(
		&s->signing, &s->config, s->policy, &test_clock, &entropy_system, &e) == -1)
		fail_msg("%s", e.text);
}

static void
start(const struct keys_fixture *f, struct service *s)
{
	start_with(f, s, "");
}

static void
stop(struct service *s)
{
	signing_close(&s->signing);
	policy_free(s->policy);
	config_free(&s->config);
}

/* The JSON of the i-th part of a token. */
static json_t *
part(const char *token, int i)
{
	char text[4096] = "";
	unsigned char bytes[4096];
	const char *end;
	size_t length;
	int n;

	for (; i > 0; i--)
		token = strchr(token, '.') + 1;
	end = strchr(token, '.');
	length = end != NULL ? (size_t)(end - token) : strlen(token);
	assert_in_range(length, 1, sizeof(text) - 4);
	memcpy(text, token, length);
	for (size_t j = 0; j < length; j++)
		text[j] = text[j] == '-' ? '+' : text[j] == '_' ? '/' : text[j];
	while (length % 4 != 0)
		text[length++] = '=';
	n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
	assert_in_range(n, 2, sizeof(bytes));
	n -= (int)(strlen(text) - strcspn(text, "="));
	return json_loadb((const char *)bytes, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
}

static struct query
ask(const char *profile)
{
	struct query q = {.caller = {.name = "alice", .scheme = "Basic"}, .subject = "alice"};

	(void)snprintf(q.profile, sizeof(q.profile), "%s", profile);
	return q;
}

/* Mints what is asked for; asserts the header. Returns the claims. */
static json_t *
mint_query(struct service *s, const struct query *q, const char *header, struct signature *made)
{
	struct buffer token;
	struct error e = {0};
	json_t *want = json_loads(header, 0, NULL);
	json_t *got, *claims;

	buffer_init(&token, LIMIT_TOKEN);
	if (signing_mint(&s->signing, q, &token, made, &e) == -1)
		fail_msg("%s", e.text);
	got = part(token.data, 0);
	claims = part(token.data, 1);
	if (strstr(header, "kid") != NULL)
		json_object_set_new(want, "kid", json_string(made->kid));
	if (!json_equal(got, want))
		fail_msg("%s", token.data);
	json_decref(got);
	json_decref(want);
	buffer_free(&token);
	return claims;
}

static json_t *
mint(struct service *s, const char *profile, const char *header, struct signature *made)
{
	const struct query q = ask(profile);

	return mint_query(s, &q, header, made);
}

static void
assert_not_minted(
    struct service *s, const struct query *q, enum error_code code, const char *text)
{
	struct signature made;
	struct buffer token;
	struct error e = {0};

	buffer_init(&token, LIMIT_TOKEN);
	assert_int_equal(signing_mint(&s->signing, q, &token, &made, &e), -1);
	assert_int_equal(e.code, code);
	assert_string_equal(e.text, text);
	assert_int_equal(token.length, 0);
	buffer_free(&token);
}

static const char *
text_of(const json_t *claims, const char *name)
{
	return json_string_value(json_object_get(claims, name));
}

static void
profile_signs_with_the_key_of_its_algorithm(void **state)
{
	struct service s;
	struct signature made, other;
	json_t *claims;

	start(*state, &s);
	claims = mint(&s, "", "{\"alg\":\"RS512\",\"typ\":\"JWT\",\"kid\":\"\"}", &made);
	json_decref(claims);
	claims =
	    mint(&s, "access", "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"\"}", &other);
	assert_string_equal(text_of(claims, "aud"), "okera");
	assert_string_equal(text_of(claims, "client_id"), "alice");
	assert_string_not_equal(made.kid, other.kid);
	json_decref(claims);
	stop(&s);
}

static void
profile_without_a_kid_has_its_claims_and_its_lifetime(void **state)
{
	struct service s;
	struct signature made;
	json_t *claims;

	start(*state, &s);
	claims = mint(&s, "bare", "{\"alg\":\"RS512\",\"typ\":\"JWT\"}", &made);
	assert_string_equal(text_of(claims, "email"), "a@b.c");
	assert_string_equal(text_of(claims, "namespace"), "ns");
	assert_int_equal(json_integer_value(json_object_get(claims, "exp")), now + 60);
	assert_int_equal(made.expires, now + 60);
	/* The log tells of the key all the same. */
	assert_int_equal(strlen(made.kid), 43);
	json_decref(claims);
	stop(&s);
}

static void
next_key_signs_from_its_second_on(void **state)
{
	const struct keys_fixture *f = *state;
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	struct service s;
	struct signature before, after;
	struct error e = {0};
	char path[256];

	start(f, &s);
	signing_close(&s.signing);
	keys_path(f, "20261122T010000Z.RS512.pem", path);
	keys_write(path, other);
	EVP_PKEY_free(other);
	assert_int_equal(
	    signing_open(&s.signing, &s.config, s.policy, &test_clock, &entropy_system, &e), 0);
	now = T1 - 1;
	json_decref(mint(&s, "", "{\"alg\":\"RS512\",\"typ\":\"JWT\",\"kid\":\"\"}", &before));
	now = T1;
	json_decref(mint(&s, "", "{\"alg\":\"RS512\",\"typ\":\"JWT\",\"kid\":\"\"}", &after));
	assert_string_equal(before.kid, key_id(keyring_get(s.signing.ring, 1, 0).key));
	assert_string_equal(after.kid, key_id(keyring_get(s.signing.ring, 2, 0).key));
	assert_string_not_equal(after.kid, before.kid);
	stop(&s);
}

static void
nothing_is_signed_before_the_first_activation(void **state)
{
	struct service s;
	struct query q = ask("");
	struct buffer token;
	struct signature made;
	struct error e = {0};

	start(*state, &s);
	now = T0 - 1;
	buffer_init(&token, LIMIT_TOKEN);
	assert_int_equal(signing_mint(&s.signing, &q, &token, &made, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "no key signs with RS512 now");
	assert_int_equal(token.length, 0);
	buffer_free(&token);
	stop(&s);
}

/* Each of its requests would fail: told at the start, with the line. */
static void
profile_whose_algorithm_has_no_key_does_not_open(void **state)
{
	const struct keys_fixture *f = *state;
	struct service s;
	struct error e = {0};

	keys_put(f, "20261122T000000Z.RS512.pem", RSA_KEY);
	keys_put(f, "20261122T010000Z.ES256.pem", P256); /* not yet */
	configure(f, &s, "");
	assert_int_equal(
	    signing_open(&s.signing, &s.config, s.policy, &test_clock, &entropy_system, &e),
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
	struct service s;
	struct error e = {0};
	char want[LIMIT_ERROR_TEXT];

	keys_put(f, "20261122T000000Z.ES256.pem", P256);
	configure(f, &s, "algorithm = EdDSA\n");
	assert_int_equal(
	    signing_open(&s.signing, &s.config, s.policy, &test_clock, &entropy_system, &e),
	    -1);
	(void)snprintf(want, sizeof(want),
	    "%s: no key in it signs with EdDSA now: set algorithm, or add one", f->directory);
	assert_string_equal(e.text, want);
	policy_free(s.policy);
	config_free(&s.config);
}

/* What needs no key is found wrong without one, by authserverctl check. */
static void
wrong_claims_of_a_profile_are_found_without_a_key(void **state)
{
	struct service s;
	struct error e = {0};

	configure(*state, &s, "profile x {\n claims = \"{ \\\"exp\\\": 0 }\"\n}\n");
	assert_int_equal(signing_check(&s.config, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(e.text, "more.conf:2: claims: 'exp' is set by authserver itself");
	policy_free(s.policy);
	config_free(&s.config);
}

static void
published_keys_are_those_of_the_ring_until_it_changes(void **state)
{
	struct service s;
	struct buffer json;
	struct signature made;
	struct error e = {0};
	json_t *set;

	start(*state, &s);
	now = T1 - 100;
	buffer_init(&json, LIMIT_JWK_SET);
	assert_int_equal(signing_publish(&s.signing, &json, &made, &e), 0);
	assert_ptr_equal(made.token, json.data);
	assert_int_equal(made.length, json.length);
	assert_int_equal(made.expires, T1);
	assert_string_not_equal(made.kid, "");
	set = json_loadb(json.data, json.length, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_array_size(json_object_get(set, "keys")), 3);
	json_decref(set);
	buffer_free(&json);
	stop(&s);
}

/* --- what is known of the subject --- */

static const char crew[] = "profile crew {\n groups = true\n algorithm = ES256\n}\n";
static const char crew_header[] = "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"\"}";
static const char bare_header[] = "{\"alg\":\"RS512\",\"typ\":\"JWT\"}";

static void
assert_groups(struct service *s, const char *groups, const char *want)
{
	struct query q = ask("crew");
	struct signature made;
	json_t *list = json_loads(want, 0, NULL);
	json_t *claims;

	q.subject_groups = groups;
	claims = mint_query(s, &q, crew_header, &made);
	assert_true(json_equal(json_object_get(claims, "groups"), list));
	json_decref(claims);
	json_decref(list);
}

static void
profile_with_groups_has_those_of_the_subject(void **state)
{
	struct service s;

	start_with(*state, &s, crew);
	assert_groups(&s, "etl\na b\n", "[\"etl\",\"a b\"]");
	assert_groups(&s, "", "[]");
	stop(&s);
}

/* Nobody is to be taken for somebody in no group. */
static void
profile_with_groups_is_not_signed_without_them(void **state)
{
	struct query q = ask("crew");
	struct service s;

	start_with(*state, &s, crew);
	q.caller_groups = "etl\n"; /* are not the subject's */
	assert_not_minted(&s, &q, ERROR_UNAVAILABLE,
	    "a token of this profile has groups, and none are given");
	stop(&s);
}

static void
profile_without_groups_tells_none(void **state)
{
	struct query q = ask("bare");
	struct signature made;
	struct service s;
	json_t *claims;

	start_with(*state, &s, crew);
	q.subject_groups = "etl\n";
	claims = mint_query(&s, &q, bare_header, &made);
	assert_null(json_object_get(claims, "groups"));
	json_decref(claims);
	stop(&s);
}

static void
token_without_a_profile_has_groups_where_they_are_its_claim(void **state)
{
	struct query q = ask("");
	struct signature made;
	struct service s;
	json_t *claims;

	start_with(*state, &s, "groups {\n claim = true\n}\n");
	assert_not_minted(&s, &q, ERROR_UNAVAILABLE,
	    "a token of this profile has groups, and none are given");
	q.subject_groups = "etl\n";
	claims = mint_query(&s, &q, "{\"alg\":\"RS512\",\"typ\":\"JWT\",\"kid\":\"\"}", &made);
	assert_int_equal(json_array_size(json_object_get(claims, "groups")), 1);
	json_decref(claims);
	stop(&s);
}

/* The file of attributes has an entry for alice, and none for bob. */
static void
attributes_of_a_source_are_those_that_nobody_wrote_down(void **state)
{
	static const struct {
		const char *caller;
		const char *email;
		const char *space;
		const char *want_email;
		const char *want_space;
	} rows[] = {
	    {"alice", "source@b.c", "of-source", "a@b.c", "ns"},
	    {"bob", "source@b.c", "of-source", "source@b.c", "of-source"},
	    {"alice", "", "", "a@b.c", "ns"},
	    {"alice", NULL, NULL, "a@b.c", "ns"},
	};
	struct service s;

	start(*state, &s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct query q = ask("bare");
		struct signature made;
		json_t *claims;

		(void)snprintf(q.caller.name, sizeof(q.caller.name), "%s", rows[i].caller);
		(void)snprintf(q.subject, sizeof(q.subject), "%s", rows[i].caller);
		q.email = rows[i].email;
		q.space = rows[i].space;
		claims = mint_query(&s, &q, bare_header, &made);
		assert_string_equal(text_of(claims, "email"), rows[i].want_email);
		assert_string_equal(text_of(claims, "namespace"), rows[i].want_space);
		json_decref(claims);
	}
	stop(&s);
}

/* The worker's word is not enough: it is asked again where the key is. */
static void
subject_without_a_required_group_gets_no_signature(void **state)
{
	static const char *const refused[] = {NULL, "", "users\n", "staff2\n"};
	struct query q = ask("bare");
	struct signature made;
	struct service s;

	start_with(*state, &s, "groups {\n required = {\"staff\", \"etl\"}\n}\n");
	for (size_t i = 0; i < 4; i++) {
		q.subject_groups = refused[i];
		assert_not_minted(
		    &s, &q, ERROR_DENIED, "alice is in none of the groups that are required");
	}
	q.subject_groups = NULL;
	q.caller_groups = "staff\n"; /* are not the subject's */
	assert_not_minted(
	    &s, &q, ERROR_DENIED, "alice is in none of the groups that are required");
	q.subject_groups = "users\netl\n";
	json_decref(mint_query(&s, &q, bare_header, &made));
	stop(&s);
}

static void
subject_that_is_exempt_is_signed_for_without_a_group(void **state)
{
	struct query q = ask("bare");
	struct signature made;
	struct service s;

	start_with(*state, &s, "groups {\n required = {\"staff\"}\n exempt = {\"alice\"}\n}\n");
	json_decref(mint_query(&s, &q, bare_header, &made));
	stop(&s);
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
	    TEST(next_key_signs_from_its_second_on),
	    TEST(nothing_is_signed_before_the_first_activation),
	    TEST(profile_whose_algorithm_has_no_key_does_not_open),
	    TEST(configuration_whose_algorithm_has_no_key_does_not_open),
	    TEST(wrong_claims_of_a_profile_are_found_without_a_key),
	    TEST(published_keys_are_those_of_the_ring_until_it_changes),
	    TEST(profile_with_groups_has_those_of_the_subject),
	    TEST(profile_with_groups_is_not_signed_without_them),
	    TEST(profile_without_groups_tells_none),
	    TEST(token_without_a_profile_has_groups_where_they_are_its_claim),
	    TEST(attributes_of_a_source_are_those_that_nobody_wrote_down),
	    TEST(subject_without_a_required_group_gets_no_signature),
	    TEST(subject_that_is_exempt_is_signed_for_without_a_group),
	    cmocka_unit_test(wish_for_the_keys_is_a_message),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
