/* jose: each call of OpenSSL, of jansson and for memory fails in turn. A key is whole or not
 * there, and of no token is said that it is wrong. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "jose/generate.h"
#include "jose/keychain.h"
#include "jose/keyring.h"
#include "tests/unit/keys.h"
#include "tests/unit/refusals.h"
#include "tests/unit/tokens.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One of each kind. */
static const char *const kinds[] = {"RS256", "PS384", "ES256", "EdDSA"};

/* What a work is about. */
struct subject {
	const struct tokens *tokens;
	size_t i;         /* the position of the algorithm */
	const char *text; /* what is read */
	const char *path;
	char *token;
};

static void
sweep_kinds(refusals_work *work, struct subject *s)
{
	for (size_t n = 0; n < COUNT(kinds); n++) {
		s->i = tokens_find(kinds[n]);
		refusals_sweep(work, s);
	}
}

/* --- public keys --- */

static int
read_pem(void *context, struct error *e)
{
	const struct subject *s = context;
	const char *algorithm = tokens_algorithms[s->i];
	char path[256], pem[8192];
	struct public_key *k;
	size_t length;
	int rc;

	(void)snprintf(path, sizeof(path), "%s/%s.pub", s->tokens->directory, algorithm);
	length = keys_read_bytes(path, pem, sizeof(pem));
	refusals_on();
	rc = public_key_from_pem(&k, pem, length, algorithm, "key.pub", e);
	refusals_off();
	assert_int_equal(k == NULL, rc == -1);
	public_key_free(k);
	return rc;
}

static void
public_key_in_pem_is_whole_or_not_there(void **state)
{
	struct subject s = {.tokens = *state};

	sweep_kinds(read_pem, &s);
}

static json_t *
to_jwk(const struct subject *s)
{
	struct buffer text;
	struct error e = {0};
	json_t *jwk;

	buffer_init(&text, LIMIT_JWK_SET);
	assert_int_equal(key_jwk(s->tokens->keys[s->i], &text, &e), 0);
	jwk = json_loads(text.data, 0, NULL);
	assert_non_null(jwk);
	buffer_free(&text);
	return jwk;
}

/* Nor is it one for something else, which would be passed over. */
static int
read_jwk(void *context, struct error *e)
{
	json_t *jwk = to_jwk(context);
	struct public_key *k;
	bool unfit = true;
	int rc;

	refusals_on();
	rc = public_key_from_jwk(&k, jwk, "keys", &unfit, e);
	refusals_off();
	assert_false(unfit);
	assert_int_equal(k == NULL, rc == -1);
	public_key_free(k);
	json_decref(jwk);
	return rc;
}

static void
json_web_key_is_whole_or_not_there(void **state)
{
	struct subject s = {.tokens = *state};

	sweep_kinds(read_jwk, &s);
}

static int
pick(void *context, struct error *e)
{
	const struct subject *s = context;
	struct keychain *c = keychain_new();
	struct error wrong = {0};
	struct buffer to;
	int rc;

	buffer_init(&to, LIMIT_JWK_SET);
	refusals_on();
	rc = keychain_pick(&to, s->text, strlen(s->text), "keys", e);
	refusals_off();
	if (rc == 0) {
		assert_int_equal(
		    keychain_add_set(c, to.data, to.length, "picked", NULL, NULL, &wrong), 0);
		assert_int_equal(keychain_count(c), COUNT(kinds));
	}
	buffer_free(&to);
	keychain_free(c);
	return rc;
}

static void
keys_are_picked_all_or_none(void **state)
{
	struct subject s = {.tokens = *state};
	json_t *set = json_object(), *keys = json_array();
	char *text;

	for (size_t n = 0; n < COUNT(kinds); n++) {
		s.i = tokens_find(kinds[n]);
		assert_int_equal(json_array_append_new(keys, to_jwk(&s)), 0);
	}
	assert_int_equal(json_object_set_new(set, "keys", keys), 0);
	text = json_dumps(set, 0);
	s.text = text;
	refusals_sweep(pick, &s);
	free(text);
	json_decref(set);
}

/* --- tokens --- */

/* Where two keys are tried, the first of which is not the one that signed. */
static int
verify(void *context, struct error *e)
{
	const struct subject *s = context;
	struct key *keys[] = {s->tokens->others[s->i], s->tokens->keys[s->i]};
	struct verifier *v = tokens_verifier(s->tokens, keys[0]);
	struct verified verified;
	int rc;

	tokens_set_own(v, keys, 2);
	refusals_on();
	rc = verifier_verify(v, s->token, strlen(s->token), TOKENS_NOW, &verified, e);
	refusals_off();
	if (rc == 0)
		assert_string_equal(verified.user, "alice");
	else if (e->code != ERROR_UNAVAILABLE)
		fail_msg("%s: %s", e->text, e->detail);
	verified_free(&verified);
	verifier_free(v);
	return rc;
}

static void
good_token_is_never_called_wrong(void **state)
{
	struct subject s = {.tokens = *state};

	for (size_t n = 0; n < COUNT(kinds); n++) {
		s.i = tokens_find(kinds[n]);
		s.token = tokens_of(s.tokens->keys[s.i], TOKENS_CLAIMS);
		refusals_sweep(verify, &s);
		free(s.token);
	}
}

/* By none of the keys: while memory is short nobody can say so, and never is it a good one. */
static int
verify_forged(void *context, struct error *e)
{
	const struct subject *s = context;
	struct verifier *v = tokens_verifier(s->tokens, s->tokens->keys[s->i]);
	struct verified verified;
	int rc;

	refusals_on();
	rc = verifier_verify(v, s->token, strlen(s->token), TOKENS_NOW, &verified, e);
	refusals_off();
	assert_int_equal(rc, -1);
	assert_null(verified.claims);
	assert_true(e->code == ERROR_UNAUTHENTICATED ||
		    (refusals_hit() && e->code == ERROR_UNAVAILABLE));
	verifier_free(v);
	return refusals_hit() ? -1 : 0;
}

static void
forged_token_is_never_taken(void **state)
{
	struct subject s = {.tokens = *state};

	for (size_t n = 0; n < COUNT(kinds); n++) {
		s.i = tokens_find(kinds[n]);
		s.token = tokens_of(s.tokens->others[s.i], TOKENS_CLAIMS);
		refusals_sweep(verify_forged, &s);
		free(s.token);
	}
}

static int
open_verifier(void *context, struct error *e)
{
	const struct subject *s = context;
	struct verifier_source source = {0};
	struct config c;
	struct verifier *v;
	int rc;

	assert_int_equal(config_init(&c, e), 0);
	if (config_parse(&c, s->text, strlen(s->text), "conf", e) == -1)
		fail_msg("%s", e->text);
	source.config = &c;
	refusals_on();
	rc = verifier_open(&v, &source, e);
	refusals_off();
	assert_int_equal(v == NULL, rc == -1);
	if (rc == 0)
		assert_int_equal(verifier_count(v), 4);
	verifier_free(v);
	config_free(&c);
	return rc;
}

static int
set_own(void *context, struct error *e)
{
	const struct subject *s = context;
	struct verifier *v = tokens_verifier(s->tokens, s->tokens->keys[0]);
	int rc;

	refusals_on();
	rc = verifier_set_own(v, s->text, strlen(s->text), e);
	refusals_off();
	/* The old ones are in use as before. */
	if (rc == -1)
		tokens_assert_good(v, tokens_of(s->tokens->keys[0], TOKENS_CLAIMS));
	verifier_free(v);
	return rc;
}

static void
verifier_is_whole_or_as_it_was(void **state)
{
	struct subject s = {.tokens = *state, .i = tokens_find("EdDSA")};
	json_t *jwk = to_jwk(&s);
	char *key = json_dumps(jwk, 0);
	char conf[1024], set[1024], path[256];

	(void)snprintf(set, sizeof(set), "{\"keys\":[%s]}", key);
	(void)snprintf(path, sizeof(path), "%s/set.json", s.tokens->directory);
	keys_write_text(path, set);
	(void)snprintf(conf, sizeof(conf),
	    "jwt-public-key = { \"%s/EdDSA.pub\" }\njwt-algorithm = { \"EdDSA\" }\n"
	    "verify \"a\" {\n    public-key = \"%s/ES256.pub\"\n    algorithm = \"ES256\"\n}\n"
	    "verify \"b\" {\n    keys = \"%s\"\n}\n",
	    s.tokens->directory, s.tokens->directory, path);
	s.text = conf;
	refusals_sweep(open_verifier, &s);
	s.text = set;
	refusals_sweep(set_own, &s);
	free(key);
	json_decref(jwk);
}

/* --- private keys --- */

static int
load(void *context, struct error *e)
{
	const struct subject *s = context;
	struct keyring_source source = {
	    .path = s->path, .algorithm = tokens_algorithms[s->i], .longest = 60};
	struct keyring *r;
	struct buffer json;
	int64_t fresh;
	int rc;

	buffer_init(&json, LIMIT_JWK_SET);
	refusals_on();
	rc = keyring_open(&r, &source, e);
	assert_int_equal(r == NULL, rc == -1);
	if (rc == 0 && (keyring_test(r, e) == -1 ||
			   keyring_publish(r, TOKENS_NOW, &json, &fresh, e) == -1))
		rc = -1;
	refusals_off();
	keyring_free(r);
	buffer_free(&json);
	return rc;
}

static void
write_key(struct subject *s, const char *path)
{
	const struct algorithm *a = algorithm_find(tokens_algorithms[s->i]);
	struct buffer pem;
	struct error e = {0};

	buffer_init(&pem, LIMIT_KEY_FILE);
	assert_int_equal(generate_key(&pem, a, GENERATE_BITS_MIN, NULL, &e), 0);
	keys_write_text(path, pem.data);
	buffer_free(&pem);
}

static void
private_key_is_whole_or_not_there(void **state)
{
	struct subject s = {.tokens = *state};
	char path[288], uri[304], ring[256];

	(void)snprintf(path, sizeof(path), "%s/private.pem", s.tokens->directory);
	(void)snprintf(uri, sizeof(uri), "file:%s", path);
	for (size_t n = 0; n < COUNT(kinds); n++) {
		s.i = tokens_find(kinds[n]);
		write_key(&s, path);
		s.path = path;
		refusals_sweep(load, &s);
		s.path = uri;
		refusals_sweep(load, &s);
	}
	/* In a directory, with another type than the algorithm's. */
	(void)snprintf(ring, sizeof(ring), "%s/ring", s.tokens->directory);
	assert_int_equal(mkdir(ring, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/20200101T000000Z.pem", ring);
	s.i = tokens_find("ES256");
	write_key(&s, path);
	s.i = tokens_find("EdDSA");
	s.path = ring;
	refusals_sweep(load, &s);
}

static int
sign(void *context, struct error *e)
{
	const struct subject *s = context;
	struct buffer signature;
	int rc;

	buffer_init(&signature, LIMIT_TOKEN);
	refusals_on();
	rc = key_sign(s->tokens->keys[s->i], "text", 4, &signature, e);
	refusals_off();
	assert_int_equal(signature.length == 0, rc == -1);
	buffer_free(&signature);
	return rc;
}

static void
signature_is_whole_or_not_there(void **state)
{
	struct subject s = {.tokens = *state};

	sweep_kinds(sign, &s);
}

static int
generate(void *context, struct error *e)
{
	const struct subject *s = context;
	struct buffer pem;
	int rc;

	buffer_init(&pem, LIMIT_KEY_FILE);
	refusals_on();
	rc = generate_key(&pem, algorithm_find(s->text), 0, s->path, e);
	refusals_off();
	assert_int_equal(pem.length == 0, rc == -1);
	buffer_free(&pem);
	return rc;
}

static void
new_key_is_whole_or_not_there(void **state)
{
	struct subject s = {.tokens = *state, .text = "EdDSA"};
	char path[256];

	refusals_sweep(generate, &s);
	s.text = "ES256";
	(void)snprintf(path, sizeof(path), "%s/passphrase", s.tokens->directory);
	keys_write_text(path, "correct horse\r\n");
	s.path = path;
	refusals_sweep(generate, &s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tokens_enter, tokens_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(public_key_in_pem_is_whole_or_not_there),
	    TEST(json_web_key_is_whole_or_not_there),
	    TEST(keys_are_picked_all_or_none),
	    TEST(good_token_is_never_called_wrong),
	    TEST(forged_token_is_never_taken),
	    TEST(verifier_is_whole_or_as_it_was),
	    TEST(private_key_is_whole_or_not_there),
	    TEST(signature_is_whole_or_not_there),
	    TEST(new_key_is_whole_or_not_there),
	};

	return cmocka_run_group_tests(tests, tokens_make, tokens_free);
}
