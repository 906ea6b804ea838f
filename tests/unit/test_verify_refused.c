/* jose: tokens whose headers are made to look good: another algorithm, keys of their own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64url.h"
#include "jose/jws_verify.h"
#include "tests/unit/keys.h"
#include "tests/unit/tokens.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A token of t's key for the algorithm with this header, its signature right. */
static char *
with_header(const struct tokens *t, const char *algorithm, const char *header)
{
	return tokens_sign(t->keys[tokens_find(algorithm)], header, TOKENS_CLAIMS);
}

/* --- algorithm confusion --- */

static void
tokens_of_every_algorithm_are_valid(void **state)
{
	const struct tokens *t = *state;

	for (size_t i = 0; i < TOKENS_ALGORITHMS; i++)
		tokens_assert_good(t->verifier, tokens_of(t->keys[i], TOKENS_CLAIMS));
}

/* The signature is that of the key's algorithm, and the header says another one; the RSA key is
 * the same for all six. */
static void
header_that_names_another_algorithm_is_refused(void **state)
{
	static const char *const others[] = {"none", "None", "NONE", "nOnE", "HS256", "HS384",
	    "HS512", "rs256", "RSA256", "rsa256", "es256", "EdDsa", "ES256K", "Ed25519",
	    "A128KW", "RS1", "RS256 ", " RS256"};
	const struct tokens *t = *state;
	char header[64];

	for (size_t i = 0; i < TOKENS_ALGORITHMS; i++) {
		struct verifier *one = tokens_verifier(t, t->keys[i]);

		for (size_t n = 0; n < TOKENS_ALGORITHMS; n++) {
			if (n == i)
				continue;
			(void)snprintf(
			    header, sizeof(header), "{\"alg\":\"%s\"}", tokens_algorithms[n]);
			tokens_assert_refused(one,
			    tokens_sign(t->keys[i], header, TOKENS_CLAIMS), "no key for it");
			tokens_assert_refused(t->verifier,
			    tokens_sign(t->keys[i], header, TOKENS_CLAIMS), "signature");
		}
		for (size_t n = 0; n < COUNT(others); n++) {
			(void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", others[n]);
			tokens_assert_refused(t->verifier,
			    tokens_sign(t->keys[i], header, TOKENS_CLAIMS), "no key for it");
		}
		verifier_free(one);
	}
}

/* Where a key has been chosen otherwise, the algorithm is still the key's. */
static void
key_that_signed_is_wrong_where_the_header_says_another_algorithm(void **state)
{
	const struct tokens *t = *state;

	for (size_t i = 0; i < TOKENS_ALGORITHMS; i++) {
		struct verifier *one = tokens_verifier(t, t->keys[i]);
		const struct public_key *k = keychain_get(verifier_get(one, 0).keys, 0);
		char *token = tokens_sign(t->keys[i], "{\"alg\":\"HS256\"}", TOKENS_CLAIMS);
		struct error e = {0};
		struct jws j;

		assert_int_equal(jws_parse(&j, token, strlen(token), &e), 0);
		assert_int_equal(jws_verify(&j, k, &e), -1);
		assert_non_null(strstr(e.detail, "its alg is HS256, but the key is for "));
		jws_close(&j);
		free(token);
		verifier_free(one);
	}
}

static void
token_of_every_algorithm_is_refused_by_every_wrong_key(void **state)
{
	const struct tokens *t = *state;

	for (size_t i = 0; i < TOKENS_ALGORITHMS; i++) {
		for (size_t n = 0; n < TOKENS_ALGORITHMS; n++) {
			struct verifier *one = tokens_verifier(t, t->keys[n]);
			struct verifier *other = tokens_verifier(t, t->others[n]);

			if (n != i)
				tokens_assert_refused(
				    one, tokens_of(t->keys[i], TOKENS_CLAIMS), "no key for it");
			tokens_assert_refused(other, tokens_of(t->keys[i], TOKENS_CLAIMS),
			    n == i ? "its signature is" : "no key for it");
			verifier_free(one);
			verifier_free(other);
		}
	}
}

/* HEADER.PAYLOAD with its HMAC by the secret. */
static char *
hmac_token(const char *algorithm, const EVP_MD *digest, const void *secret, size_t length)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int mac_length;
	char text[64];
	struct buffer token;
	char *header, *payload, *whole;

	(void)snprintf(text, sizeof(text), "{\"alg\":\"%s\"}", algorithm);
	header = tokens_encode(text);
	payload = tokens_encode(TOKENS_CLAIMS);
	buffer_init(&token, LIMIT_TOKEN);
	assert_int_equal(buffer_printf(&token, "%s.%s", header, payload), 0);
	assert_non_null(HMAC(digest, secret, (int)length, (unsigned char *)token.data,
	    token.length, mac, &mac_length));
	assert_int_equal(buffer_append(&token, ".", 1), 0);
	assert_int_equal(base64url_append(&token, mac, mac_length), 0);
	whole = strdup(token.data);
	buffer_free(&token);
	free(header);
	free(payload);
	return whole;
}

static void
hmac_with_the_public_key_as_secret_is_refused(void **state)
{
	static const struct {
		const char *name;
		const char *digest;
	} hmacs[] = {{"HS256", "SHA256"}, {"HS384", "SHA384"}, {"HS512", "SHA512"}};
	const struct tokens *t = *state;
	const struct key *rsa = t->keys[tokens_find("RS256")];
	char path[256], pem[8192];
	struct buffer jwk;
	struct error e = {0};
	size_t length;

	/* The public half as it is published, in both forms that people have. */
	(void)snprintf(path, sizeof(path), "%s/RS256.pub", t->directory);
	length = keys_read_bytes(path, pem, sizeof(pem));
	buffer_init(&jwk, LIMIT_JWK_SET);
	assert_int_equal(key_jwk(rsa, &jwk, &e), 0);
	for (size_t i = 0; i < COUNT(hmacs); i++) {
		const EVP_MD *digest = EVP_get_digestbyname(hmacs[i].digest);

		tokens_assert_refused(t->verifier,
		    hmac_token(hmacs[i].name, digest, pem, length), "no key for it");
		tokens_assert_refused(t->verifier,
		    hmac_token(hmacs[i].name, digest, jwk.data, jwk.length), "no key for it");
		/* And where the header says what the key is for. */
		tokens_assert_refused(t->verifier, hmac_token("RS256", digest, pem, length),
		    "its signature is not of the 256 bytes");
		tokens_assert_refused(
		    t->verifier, hmac_token("EdDSA", digest, pem, length), "its signature is");
	}
	buffer_free(&jwk);
}

/* --- headers --- */

static void
header_with_what_we_do_not_do_is_refused(void **state)
{
	static const struct {
		const char *header;
		const char *reason;
	} cases[] = {
	    {"{\"alg\":\"EdDSA\",\"crit\":[\"exp\"],\"exp\":1}", "its header has crit"},
	    {"{\"alg\":\"EdDSA\",\"crit\":[\"nonsense\"],\"nonsense\":1}", "crit"},
	    {"{\"alg\":\"EdDSA\",\"crit\":[]}", "crit"},
	    {"{\"alg\":\"EdDSA\",\"crit\":null}", "crit"},
	    {"{\"alg\":\"EdDSA\",\"b64\":false,\"crit\":[\"b64\"]}", "its header has "},
	    {"{\"alg\":\"EdDSA\",\"b64\":false}", "its header has b64"},
	    {"{\"alg\":\"EdDSA\",\"b64\":true}", "its header has b64"},
	    {"{\"alg\":\"EdDSA\",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
	     "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}}",
		"its header has jwk"},
	    {"{\"alg\":\"EdDSA\",\"jku\":\"https://evil.example/keys\"}", "its header has jku"},
	    {"{\"alg\":\"EdDSA\",\"x5u\":\"https://evil.example/c\"}", "its header has x5u"},
	    {"{\"alg\":\"EdDSA\",\"x5c\":[\"MIIB\"]}", "its header has x5c"},
	    {"{\"typ\":\"JWT\"}", "its header has no alg"},
	    {"{}", "its header has no alg"},
	    {"{\"alg\":null}", "its alg is not a string"},
	    {"{\"alg\":[\"EdDSA\"]}", "its alg is not a string"},
	    {"{\"alg\":\"\"}", "its alg is empty"},
	    {"{\"alg\":\"EdDSA\",\"typ\":1}", "its typ is not a string"},
	    {"{\"alg\":\"EdDSA\",\"typ\":\"logout+jwt\"}", "its typ is logout+jwt"},
	    {"{\"alg\":\"EdDSA\",\"typ\":\"dpop+jwt\"}", "its typ is dpop+jwt"},
	    {"{\"alg\":\"EdDSA\",\"kid\":7}", "its kid is not a string"},
	    {"{\"alg\":\"EdDSA\",\"kid\":\"\"}", "its kid is empty"},
	    {"{\"alg\":\"EdDSA\",\"kid\":\"a\\u000ab\"}", "its kid is empty, too long or"},
	    {"{\"alg\":\"EdDSA\",\"kid\":\"a\\u0000b\"}", "its header is not JSON"},
	    {"{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\"}", "duplicate"},
	    {"{\"alg\":\"none\",\"alg\":\"EdDSA\"}", "duplicate"},
	    {"{\"alg\":\"EdDSA\",\"x\":{\"a\":1,\"a\":2}}", "duplicate"},
	    {"{\"alg\":\"EdDSA\"} ", NULL},
	    {"{\"alg\":\"EdDSA\"}x", "end of file expected"},
	    {"{\"alg\":\"EdDSA\"}{}", "end of file expected"},
	    {"[\"alg\"]", "its header is not a JSON object"},
	    {"\"EdDSA\"", "its header is not JSON"},
	    {"{\"alg\":\"EdDSA\"", "its header is not JSON"},
	    {"{'alg':'EdDSA'}", "its header is not JSON"},
	    {"{\"alg\":\"EdDSA\",}", "its header is not JSON"},
	    {"{\"alg\":\"EdDSA\",\"x\":1e400}", "real number overflow"},
	    {"{\"alg\":\"EdDSA\",\"x\":\"\xff\"}", "its header is not JSON"},
	    {"\xef\xbb\xbf{\"alg\":\"EdDSA\"}", "its header is not JSON"},
	};
	const struct tokens *t = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *token = with_header(t, "EdDSA", cases[i].header);

		if (cases[i].reason == NULL)
			tokens_assert_good(t->verifier, token);
		else
			tokens_assert_refused(t->verifier, token, cases[i].reason);
	}
}

static void
header_with_what_we_know_is_taken(void **state)
{
	static const char *const headers[] = {
	    "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}",
	    "{\"alg\":\"EdDSA\",\"typ\":\"jwt\"}",
	    "{\"typ\":\"at+jwt\",\"alg\":\"EdDSA\"}",
	    "{\"typ\":\"application/at+jwt\",\"alg\":\"EdDSA\"}",
	    "{ \"alg\" : \"Ed\\u0044SA\",\r\n \"x5t\" : \"unused\", \"cty\" : \"x\" }",
	};
	const struct tokens *t = *state;

	for (size_t i = 0; i < COUNT(headers); i++)
		tokens_assert_good(t->verifier, with_header(t, "EdDSA", headers[i]));
}

/* A kid is compared with those of the keys, and is nothing else. */
static void
kid_that_is_a_path_or_a_query_is_only_an_unknown_name(void **state)
{
	static const char *const kids[] = {"/dev/null", "../../../../etc/passwd",
	    "/proc/self/environ", "key' UNION SELECT 'x", "$(id)", "|id",
	    "https://evil.example/k.json", "file:///dev/null", "%2e%2e%2f"};
	const struct tokens *t = *state;
	char header[128];

	for (size_t i = 0; i < COUNT(kids); i++) {
		(void)snprintf(
		    header, sizeof(header), "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kids[i]);
		/* By no key that we trust. */
		tokens_assert_refused(t->verifier,
		    tokens_sign(t->others[9], header, TOKENS_CLAIMS), "its signature is wrong");
		/* By ours: the key is found by its algorithm. */
		tokens_assert_good(t->verifier, with_header(t, "EdDSA", header));
	}
}

static void
kid_longer_than_its_bound_is_refused(void **state)
{
	const struct tokens *t = *state;
	char kid[LIMIT_KID_GIVEN + 1] = "", header[512];

	memset(kid, 'k', LIMIT_KID_GIVEN - 1);
	(void)snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid);
	tokens_assert_good(t->verifier, with_header(t, "EdDSA", header));
	kid[LIMIT_KID_GIVEN - 1] = 'k';
	(void)snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid);
	tokens_assert_refused(t->verifier, with_header(t, "EdDSA", header), "too long");
}

/* The kid of one of our keys does not make another key right. */
static void
kid_of_another_key_is_refused(void **state)
{
	const struct tokens *t = *state;
	char header[128];

	(void)snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}",
	    key_id(t->keys[tokens_find("ES256")]));
	tokens_assert_refused(t->verifier, with_header(t, "EdDSA", header), "no key for it");
	(void)snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}",
	    key_id(t->keys[tokens_find("EdDSA")]));
	tokens_assert_good(t->verifier, with_header(t, "EdDSA", header));
	tokens_assert_refused(t->verifier, tokens_sign(t->others[9], header, TOKENS_CLAIMS),
	    "its signature is wrong");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tokens_enter, tokens_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(tokens_of_every_algorithm_are_valid),
	    TEST(header_that_names_another_algorithm_is_refused),
	    TEST(key_that_signed_is_wrong_where_the_header_says_another_algorithm),
	    TEST(token_of_every_algorithm_is_refused_by_every_wrong_key),
	    TEST(hmac_with_the_public_key_as_secret_is_refused),
	    TEST(header_with_what_we_do_not_do_is_refused),
	    TEST(header_with_what_we_know_is_taken),
	    TEST(kid_that_is_a_path_or_a_query_is_only_an_unknown_name),
	    TEST(kid_longer_than_its_bound_is_refused),
	    TEST(kid_of_another_key_is_refused),
	};

	return cmocka_run_group_tests(tests, tokens_make, tokens_free);
}
