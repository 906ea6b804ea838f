/*
 * jose/verifier: a whole token that one of our keys has signed, whatever it says. Input: its
 * header, a line, and its claims; they are signed here, by a key that is no secret. One bit of
 * the signature is turned over where the input begins with "!".
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "base/base64url.h"
#include "jose/jwk.h"
#include "jose/verifier.h"
#include "tests/fuzz/fuzz.h"

static const int64_t now = 1700000000;

static struct config config;
static struct verifier *verifier;
static EVP_PKEY *key;

static void
start(void)
{
	static const unsigned char bytes[32] = "not a secret: for tests of bytes";
	const struct verifier_source source = {.config = &config};
	struct buffer set;
	struct error e;

	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, sizeof(bytes));
	buffer_init(&set, LIMIT_JWK_SET);
	REQUIRE(key != NULL && config_init(&config, &e) == 0);
	REQUIRE(buffer_printf(&set, "{\"keys\":[") == 0);
	REQUIRE(jwk_append(&set, key, algorithm_find("EdDSA"), "one") == 0);
	REQUIRE(buffer_printf(&set, "]}") == 0);
	REQUIRE(verifier_open(&verifier, &source, &e) == 0);
	REQUIRE(verifier_set_own(verifier, set.data, set.length, &e) == 0);
	buffer_free(&set);
}

static void
sign(struct buffer *token, const char *header, const char *claims, size_t size)
{
	unsigned char signature[64];
	size_t length = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	REQUIRE(base64url_append(token, header, strlen(header)) == 0);
	REQUIRE(buffer_append(token, ".", 1) == 0);
	REQUIRE(base64url_append(token, claims, size) == 0);
	REQUIRE(EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1);
	REQUIRE(EVP_DigestSign(context, signature, &length, (unsigned char *)token->data,
		    token->length) == 1);
	EVP_MD_CTX_free(context);
	REQUIRE(buffer_append(token, ".", 1) == 0);
	REQUIRE(base64url_append(token, signature, length) == 0);
}

static const char *
text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* What was said of it is what it says. */
static void
check_verified(const struct verified *v, const char *header, const char *claims, size_t size)
{
	json_t *head = json_loads(header, JSON_REJECT_DUPLICATES, NULL);
	json_t *said = json_loadb(claims, size, JSON_REJECT_DUPLICATES, NULL);
	const char *type = text_of(head, "typ");

	REQUIRE(json_is_object(head) && json_is_object(said));
	REQUIRE(json_equal(said, v->claims) == 1);
	REQUIRE(strcmp(text_of(head, "alg"), "EdDSA") == 0);
	REQUIRE(json_object_get(head, "crit") == NULL && json_object_get(head, "jwk") == NULL);
	if (type != NULL && strncasecmp(type, "application/", 12) == 0)
		type += 12;
	REQUIRE(
	    type == NULL || strcasecmp(type, "JWT") == 0 || strcasecmp(type, "at+jwt") == 0);
	REQUIRE(v->own && strcmp(v->party, "own keys") == 0);
	REQUIRE(strcmp(v->user, text_of(said, "sub")) == 0 && *v->user != '\0');
	REQUIRE(json_integer_value(json_object_get(said, "exp")) > now - config.skew);
	/* We identify as nobody. */
	REQUIRE(json_object_get(said, "aud") == NULL);
	json_decref(head);
	json_decref(said);
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	bool forged = size > 0 && *bytes == '!';
	char *header, *claims;
	struct buffer token;
	struct verified v;
	struct error e = {0};

	if (forged)
		(void)fuzz_byte(&in);
	header = fuzz_line(&in);
	claims = fuzz_rest(&in, &size);
	buffer_init(&token, 4 * LIMIT_TOKEN);
	if (strlen(header) < LIMIT_TOKEN && size < LIMIT_TOKEN) {
		sign(&token, header, claims, size);
		if (forged)
			token.data[token.length - 9] ^= 1;
		if (verifier_verify(verifier, token.data, token.length, now, &v, &e) == 0) {
			REQUIRE(!forged);
			check_verified(&v, header, claims, size);
			verified_free(&v);
		} else {
			REQUIRE(e.code == ERROR_UNAUTHENTICATED && v.claims == NULL);
			fuzz_require_error(&e);
		}
	}
	buffer_free(&token);
	free(header);
	free(claims);
}

const struct fuzz_target fuzz_token = {.name = "token", .start = start, .run = run};
