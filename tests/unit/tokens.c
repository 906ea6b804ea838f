#define _GNU_SOURCE /* asprintf */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "jose/jws.h"
#include "tests/unit/keys.h"

const char *const tokens_algorithms[TOKENS_ALGORITHMS] = {
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"};

static EVP_PKEY *
generate(const char *algorithm)
{
	if (strcmp(algorithm, "ES256") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	if (strcmp(algorithm, "ES384") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	if (strcmp(algorithm, "ES512") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	if (strcmp(algorithm, "EdDSA") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
}

/* All RSA algorithms have one key, so that it is not another key that tells them apart. */
static void
make_keys(const struct tokens *t, const char *suffix, struct key *keys[TOKENS_ALGORITHMS])
{
	EVP_PKEY *pkey = NULL;
	struct error e = {0};
	char path[256], public[256];

	(void)snprintf(path, sizeof(path), "%s/key.pem", t->directory);
	for (size_t i = 0; i < TOKENS_ALGORITHMS; i++) {
		if (i == 0 || tokens_algorithms[i][0] == 'E') {
			EVP_PKEY_free(pkey);
			pkey = generate(tokens_algorithms[i]);
		}
		keys_write(path, pkey);
		(void)snprintf(public, sizeof(public), "%s/%s%s", t->directory,
		    tokens_algorithms[i], suffix);
		keys_write_public(public, pkey);
		if (keys_load(&keys[i], path, NULL, tokens_algorithms[i], &e) == -1)
			fail_msg("%s", e.text);
	}
	EVP_PKEY_free(pkey);
}

int
tokens_make(void **state)
{
	static struct tokens tokens;
	struct error e = {0};

	*state = &tokens;
	if (config_init(&tokens.config, &e) == -1)
		return -1;
	(void)snprintf(tokens.directory, sizeof(tokens.directory), "/tmp/test_tokens.XXXXXX");
	if (mkdtemp(tokens.directory) == NULL)
		return -1;
	make_keys(&tokens, ".pub", tokens.keys);
	make_keys(&tokens, ".other.pub", tokens.others);
	return 0;
}

int
tokens_free(void **state)
{
	struct tokens *t = *state;

	for (size_t i = 0; i < TOKENS_ALGORITHMS; i++) {
		key_free(t->keys[i]);
		key_free(t->others[i]);
	}
	config_free(&t->config);
	keys_remove(t->directory);
	return 0;
}

void
tokens_set_own(struct verifier *v, struct key *const *keys, size_t count)
{
	struct buffer json;
	struct error e = {0};

	buffer_init(&json, LIMIT_JWK_SET);
	assert_int_equal(buffer_printf(&json, "{\"keys\":["), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(buffer_printf(&json, "%s", i > 0 ? "," : ""), 0);
		assert_int_equal(key_jwk(keys[i], &json, &e), 0);
	}
	assert_int_equal(buffer_printf(&json, "]}"), 0);
	if (verifier_set_own(v, json.data, json.length, &e) == -1)
		fail_msg("%s", e.text);
	buffer_free(&json);
}

static struct verifier *
open_verifier(const struct tokens *t)
{
	const struct verifier_source source = {.config = &t->config};
	struct verifier *v;
	struct error e = {0};

	if (verifier_open(&v, &source, &e) == -1)
		fail_msg("%s", e.text);
	return v;
}

struct verifier *
tokens_verifier(const struct tokens *t, const struct key *k)
{
	struct verifier *v = open_verifier(t);
	struct key *one[] = {(struct key *)(uintptr_t)k};

	tokens_set_own(v, one, 1);
	return v;
}

int
tokens_enter(void **state)
{
	struct tokens *t = *state;

	t->verifier = open_verifier(t);
	tokens_set_own(t->verifier, t->keys, TOKENS_ALGORITHMS);
	return 0;
}

int
tokens_leave(void **state)
{
	struct tokens *t = *state;

	verifier_free(t->verifier);
	t->verifier = NULL;
	return 0;
}

size_t
tokens_find(const char *algorithm)
{
	for (size_t i = 0; i < TOKENS_ALGORITHMS; i++)
		if (strcmp(tokens_algorithms[i], algorithm) == 0)
			return i;
	fail_msg("no algorithm %s", algorithm);
	return 0;
}

char *
tokens_sign(const struct key *k, const char *header, const char *payload)
{
	struct buffer protected, token;
	struct error e = {0};
	char *copy;

	buffer_init(&protected, LIMIT_TOKEN);
	buffer_init(&token, (size_t)2 * LIMIT_TOKEN);
	assert_int_equal(buffer_append(&protected, header, strlen(header)), 0);
	if (jws_sign(k, &protected, payload, strlen(payload), &token, &e) == -1)
		fail_msg("%s", e.text);
	copy = strdup(token.data);
	assert_non_null(copy);
	buffer_free(&protected);
	buffer_free(&token);
	return copy;
}

char *
tokens_of(const struct key *k, const char *payload)
{
	char header[64];

	(void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", key_algorithm(k)->name);
	return tokens_sign(k, header, payload);
}

char *
tokens_encode(const char *text)
{
	struct buffer encoded;
	char *copy;

	buffer_init(&encoded, (size_t)2 * LIMIT_TOKEN);
	assert_int_equal(base64url_append(&encoded, text, strlen(text)), 0);
	copy = strdup(encoded.data);
	assert_non_null(copy);
	buffer_free(&encoded);
	return copy;
}

char *
tokens_join(const char *header, const char *payload, const char *signature)
{
	char *token;

	assert_true(asprintf(&token, "%s.%s.%s", header, payload, signature) > 0);
	return token;
}

void
tokens_assert_good(const struct verifier *v, char *token)
{
	struct verified verified;
	struct error e = {0};

	if (verifier_verify(v, token, strlen(token), TOKENS_NOW, &verified, &e) == -1)
		fail_msg("%s: %s: %s", token, e.text, e.detail);
	assert_string_equal(verified.user, "alice");
	verified_free(&verified);
	assert_null(verified.claims);
	free(token);
}

/* Asserts that it is refused as all are; *e has the reason. */
static void
assert_refused(const struct verifier *v, const char *token, size_t length, struct error *e)
{
	struct verified verified;

	if (verifier_verify(v, token, length, TOKENS_NOW, &verified, e) == 0)
		fail_msg("taken for valid: %s", token);
	assert_int_equal(e->code, ERROR_UNAUTHENTICATED);
	assert_string_equal(e->text, "the token is not valid");
	assert_true(*e->detail != '\0');
	assert_null(verified.claims);
	assert_null(verified.user);
	assert_null(verified.party);
}

void
tokens_assert_refused(const struct verifier *v, char *token, const char *reason)
{
	struct error e = {0};

	assert_refused(v, token, strlen(token), &e);
	if (strstr(e.detail, reason) == NULL)
		fail_msg("%s: '%s', not '%s'", token, e.detail, reason);
	free(token);
}

void
tokens_assert_refused_bytes(const struct verifier *v, const char *token, size_t length)
{
	struct error e = {0};

	assert_refused(v, token, length, &e);
}
