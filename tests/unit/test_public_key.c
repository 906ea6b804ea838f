/* jose: public keys, from PEM and from JSON Web Keys, and what is none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rsa.h>

#include "jose/keychain.h"
#include "tests/unit/keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 7517, A.1, RFC 7520, 3.1 and RFC 8037, A.2 */
#define N                                                                                  \
	"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1" \
	"L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4" \
	"QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbO" \
	"pbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csF" \
	"Cur-kEgU8awapJzKnqDKgw"
#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define ED "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define RSA "\"kty\":\"RSA\",\"n\":\"" N "\",\"e\":\"AQAB\""
#define EC "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\""
#define OKP "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED "\""

enum verdict { TAKEN, UNFIT, WRONG };

static const struct row {
	const char *jwk;
	enum verdict verdict;
	const char *reason;
} rows[] = {
    {"{" RSA ",\"alg\":\"RS256\"}", TAKEN, NULL},
    {"{" RSA ",\"alg\":\"PS512\",\"use\":\"sig\",\"kid\":\"a b/../c\"}", TAKEN, NULL},
    {"{" EC ",\"alg\":\"ES256\",\"key_ops\":[\"verify\"]}", TAKEN, NULL},
    {"{" OKP ",\"alg\":\"EdDSA\",\"x5t\":\"unused\"}", TAKEN, NULL},
    {"{" OKP ",\"alg\":\"EdDSA\",\"key_ops\":[7,\"sign\",\"verify\"]}", TAKEN, NULL},
    /* for something else */
    {"{" RSA "}", UNFIT, "it has no 'alg'"},
    {"{" EC "}", UNFIT, "it has no 'alg'"},
    {"{" OKP ",\"use\":\"sig\"}", UNFIT, "it has no 'alg'"},
    {"{" RSA ",\"alg\":\"RSA-OAEP\"}", UNFIT, "its 'alg' is none of RS256"},
    {"{" RSA ",\"alg\":\"HS256\"}", UNFIT, "its 'alg' is none of"},
    {"{" RSA ",\"alg\":\"none\"}", UNFIT, "its 'alg' is none of"},
    {"{" RSA ",\"alg\":\"rs256\"}", UNFIT, "its 'alg' is none of"},
    {"{" RSA ",\"alg\":\"RSA256\"}", UNFIT, "its 'alg' is none of"},
    {"{" RSA ",\"alg\":\"RS256\",\"use\":\"enc\"}", UNFIT, "its 'use' is not sig"},
    {"{" RSA ",\"alg\":\"RS256\",\"key_ops\":[\"encrypt\"]}", UNFIT, "'key_ops'"},
    {"{" RSA ",\"alg\":\"RS256\",\"key_ops\":[]}", UNFIT, "'key_ops'"},
    {"{" RSA ",\"alg\":\"RS256\",\"key_ops\":\"verify\"}", UNFIT, "'key_ops'"},
    {"{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"AA\"}", UNFIT, "none of RSA, EC"},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"alg\":\"EdDSA\",\"x\":\"AA\"}", UNFIT, "'crv'"},
    /* secrets */
    {"{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMko\",\"alg\":\"HS256\"}", WRONG,
	"a symmetric key"},
    {"{" RSA ",\"alg\":\"RS256\",\"k\":\"AA\"}", WRONG, "of a symmetric key"},
    {"{" RSA ",\"alg\":\"RS256\",\"d\":\"AA\"}", WRONG, "it has 'd', of a private key"},
    {"{" RSA ",\"alg\":\"RS256\",\"qi\":\"AA\"}", WRONG, "it has 'qi', of a private key"},
    {"{" OKP ",\"alg\":\"EdDSA\",\"d\":\"AA\"}", WRONG, "it has 'd', of a private key"},
    {"{" RSA ",\"d\":\"AA\"}", WRONG, "it has 'd', of a private key"},
    /* what does not fit together */
    {"[]", WRONG, "not a JSON Web Key"},
    {"{}", WRONG, "not a JSON Web Key"},
    {"{\"kty\":7,\"alg\":\"RS256\"}", WRONG, "not a JSON Web Key"},
    {"{" RSA ",\"alg\":7}", WRONG, "not a JSON Web Key"},
    {"{" RSA ",\"alg\":\"RS256\",\"use\":true}", WRONG, "not a JSON Web Key"},
    {"{" RSA ",\"alg\":\"RS256\",\"kid\":7}", WRONG, "not a JSON Web Key"},
    {"{" RSA ",\"alg\":\"RS256\",\"kid\":\"\"}", WRONG, "not a JSON Web Key"},
    {"{" RSA ",\"alg\":\"ES256\"}", WRONG, "its 'kty' RSA is not that of ES256"},
    {"{" EC ",\"alg\":\"RS256\"}", WRONG, "its 'kty' EC is not that of RS256"},
    {"{" EC ",\"alg\":\"ES384\"}", WRONG, "its 'crv' is not P-384"},
    {"{" OKP ",\"alg\":\"ES256\"}", WRONG, "its 'kty' OKP is not that of ES256"},
    {"{\"kty\":\"EC\",\"x\":\"" X "\",\"y\":\"" Y "\",\"alg\":\"ES256\"}", WRONG, "'crv'"},
    {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED "\",\"alg\":\"EdDSA\"}", WRONG, "'crv'"},
    /* numbers */
    {"{\"kty\":\"RSA\",\"e\":\"AQAB\",\"alg\":\"RS256\"}", WRONG, "no 'n'"},
    {"{\"kty\":\"RSA\",\"n\":\"" N "\",\"alg\":\"RS256\"}", WRONG, "no 'e'"},
    {"{\"kty\":\"RSA\",\"n\":7,\"e\":\"AQAB\",\"alg\":\"RS256\"}", WRONG,
	"no 'n' that is a string"},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"=\",\"y\":\"" Y "\",\"alg\":\"ES256\"}", WRONG,
	"'x' is not base64url"},
    {"{\"kty\":\"RSA\",\"n\":\"" N "=\",\"e\":\"AQAB\",\"alg\":\"RS256\"}", WRONG,
	"'n' is not base64url"},
    {"{\"kty\":\"RSA\",\"n\":\"AAAA" N "\",\"e\":\"AQAB\",\"alg\":\"RS256\"}", WRONG,
	"begins with a zero byte"},
    {"{\"kty\":\"RSA\",\"n\":\"" N "\",\"e\":\"AQ\",\"alg\":\"RS256\"}", WRONG,
	"makes every signature forgeable"},
    {"{\"kty\":\"RSA\",\"n\":\"" N "\",\"e\":\"Ag\",\"alg\":\"RS256\"}", WRONG,
	"makes every signature forgeable"},
    {"{\"kty\":\"RSA\",\"n\":\"" N "\",\"e\":\"\",\"alg\":\"RS256\"}", WRONG, "'e' is not"},
    {"{\"kty\":\"RSA\",\"n\":\"" X "\",\"e\":\"AQAB\",\"alg\":\"RS256\"}", WRONG,
	"at least 2048 are needed"},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" X "\",\"alg\":\"ES256\"}",
	WRONG, "no point of P-256"},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"alg\":\"ES256\"}", WRONG, "no 'y'"},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"" Y "\",\"alg\":\"ES256\"}", WRONG,
	"no point of P-256"},
    {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "AA\",\"alg\":\"ES256\"}",
	WRONG, "'y' is not base64url, or too long"},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED "AA\",\"alg\":\"EdDSA\"}", WRONG,
	"'x' is not base64url, or too long"},
    {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\",\"alg\":\"EdDSA\"}", WRONG,
	"no key of Ed25519"},
};

static void
json_web_keys_are_taken_passed_over_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *jwk = json_loads(rows[i].jwk, 0, NULL);
		struct public_key *k = (struct public_key *)(uintptr_t)1;
		struct error e = {0};
		bool unfit;
		int rc;

		assert_non_null(jwk);
		rc = public_key_from_jwk(&k, jwk, "keys.json", &unfit, &e);
		json_decref(jwk);
		if ((rc == 0) != (rows[i].verdict == TAKEN) ||
		    unfit != (rows[i].verdict == UNFIT))
			fail_msg("%s: %d, %d: %s", rows[i].jwk, rc, unfit, e.text);
		if (rc == 0) {
			public_key_free(k);
			continue;
		}
		assert_null(k);
		assert_int_equal(e.code, ERROR_CONFIG);
		if (strncmp(e.text, "keys.json: ", 11) != 0 ||
		    strstr(e.text, rows[i].reason) == NULL)
			fail_msg("%s: %s", rows[i].jwk, e.text);
	}
}

static void
key_is_bound_to_the_algorithm_of_its_jwk(void **state)
{
	json_t *jwk = json_loads("{" RSA ",\"alg\":\"PS384\",\"kid\":\"one\"}", 0, NULL);
	struct public_key *k;
	struct error e = {0};
	bool unfit;

	(void)state;
	assert_int_equal(public_key_from_jwk(&k, jwk, "k", &unfit, &e), 0);
	json_decref(jwk);
	assert_string_equal(public_key_algorithm(k)->name, "PS384");
	assert_string_equal(public_key_id(k), "one");
	assert_int_equal(public_key_signature_size(k), 256);
	public_key_free(k);
}

/* --- JWK Sets --- */

static void
count_note(void *context, const struct error *e)
{
	assert_non_null(strstr(e->text, "set: key "));
	(*(unsigned int *)context)++;
}

static int
add_set(struct keychain *c, const char *text, unsigned int *notes, struct error *e)
{
	*notes = 0;
	return keychain_add_set(c, text, strlen(text), "set", count_note, notes, e);
}

static void
keys_of_a_set_that_are_for_something_else_are_passed_over(void **state)
{
	static const char text[] = "{\"keys\":[{\"kty\":\"AKP\",\"pub\":\"AA\"},{" RSA
				   ",\"alg\":\"RSA-OAEP\",\"use\":\"enc\"},{" EC
				   ",\"alg\":\"ES256\",\"kid\":\"ec\"},{" RSA "},{" OKP
				   ",\"alg\":\"EdDSA\"}],\"more\":1}";
	struct keychain *c = keychain_new();
	struct error e = {0};
	unsigned int notes;

	(void)state;
	assert_int_equal(add_set(c, text, &notes, &e), 0);
	assert_int_equal(notes, 3);
	assert_int_equal(keychain_count(c), 2);
	assert_string_equal(public_key_algorithm(keychain_get(c, 0))->name, "ES256");
	assert_string_equal(public_key_algorithm(keychain_get(c, 1))->name, "EdDSA");
	assert_true(keychain_has(c, "ec"));
	assert_false(keychain_has(c, "e"));
	assert_false(keychain_has(c, NULL));
	keychain_free(c);
}

static void
set_that_is_wrong_is_refused_as_a_whole(void **state)
{
	static const struct {
		const char *text;
		const char *reason;
	} sets[] = {
	    {"", "not JSON"},
	    {"{\"keys\":[{" EC ",\"alg\":\"ES256\"}]} x", "not JSON"},
	    {"{\"keys\":[],\"keys\":[{" EC ",\"alg\":\"ES256\"}]}", "duplicate"},
	    {"{\"keys\":[{" EC ",\"alg\":\"ES256\",\"alg\":\"ES256\"}]}", "duplicate"},
	    {"[{" EC ",\"alg\":\"ES256\"}]", "not a JWK Set"},
	    {"{" EC ",\"alg\":\"ES256\"}", "not a JWK Set"},
	    {"{\"keys\":{}}", "not a JWK Set"},
	    {"{\"keys\":[]}", "no key in it"},
	    {"{\"keys\":[{" EC "}]}", "no key in it"},
	    {"{\"keys\":[{" EC ",\"alg\":\"ES256\"},7]}", "set: key 2: not a JSON Web Key"},
	    {"{\"keys\":[{" EC ",\"alg\":\"ES256\"},{" RSA ",\"alg\":\"RS256\",\"d\":\"AA\"}]}",
		"set: key 2: it has 'd'"},
	    {"{\"keys\":[{" EC ",\"alg\":\"ES256\"},{\"kty\":\"oct\",\"k\":\"AA\"}]}",
		"set: key 2: a symmetric key"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct keychain *c = keychain_new();
		struct error e = {0};
		unsigned int notes;

		if (add_set(c, sets[i].text, &notes, &e) == 0)
			fail_msg("taken: %s", sets[i].text);
		assert_int_equal(e.code, ERROR_CONFIG);
		if (strstr(e.text, sets[i].reason) == NULL)
			fail_msg("%s: %s", sets[i].text, e.text);
		keychain_free(c);
	}
}

static void
set_of_too_many_keys_is_refused(void **state)
{
	struct keychain *c = keychain_new();
	struct buffer text;
	struct error e = {0};
	unsigned int notes;

	(void)state;
	buffer_init(&text, LIMIT_JWK_SET_GIVEN);
	assert_int_equal(buffer_printf(&text, "{\"keys\":[{" OKP ",\"alg\":\"EdDSA\"}"), 0);
	for (int i = 1; i <= LIMIT_KEYS; i++)
		assert_int_equal(buffer_printf(&text, ",{" OKP ",\"alg\":\"EdDSA\"}"), 0);
	assert_int_equal(buffer_printf(&text, "]}"), 0);
	assert_int_equal(add_set(c, text.data, &notes, &e), -1);
	assert_non_null(strstr(e.text, "more than 64 keys"));
	assert_int_equal(keychain_count(c), LIMIT_KEYS);
	buffer_free(&text);
	keychain_free(c);
}

/* --- a set, picked from --- */

static void
keys_are_picked_with_what_verifies_and_nothing_else(void **state)
{
	static const char set[] =
	    "{\"keys\":[{" EC
	    ",\"alg\":\"ES256\",\"kid\":\"a\",\"use\":\"sig\",\"x5c\":[\"AA\"]},"
	    "{" RSA "},{" RSA ",\"alg\":\"RS256\",\"use\":\"enc\"},"
	    "{" OKP ",\"alg\":\"EdDSA\",\"key_ops\":[\"verify\"],\"y\":[7]}],\"more\":1}";
	struct buffer to;
	struct keychain *c = keychain_new();
	struct error e = {0};
	unsigned int notes;

	(void)state;
	buffer_init(&to, LIMIT_JWK_SET);
	if (keychain_pick(&to, set, strlen(set), "set", &e) == -1)
		fail_msg("%s", e.text);
	assert_null(strstr(to.data, "x5c"));
	assert_null(strstr(to.data, "use"));
	assert_null(strstr(to.data, "key_ops"));
	assert_null(strstr(to.data, "more"));
	assert_null(strstr(to.data, "RSA"));
	assert_int_equal(add_set(c, to.data, &notes, &e), 0);
	assert_int_equal(notes, 0);
	assert_int_equal(keychain_count(c), 2);
	assert_true(keychain_has(c, "a"));
	buffer_free(&to);
	keychain_free(c);
}

static void
what_is_wrong_in_a_set_leaves_nothing_to_pick(void **state)
{
	static const struct {
		const char *text;
		const char *reason;
	} sets[] = {{"<html>", "set:1: not JSON"}, {"\xc3\xa9\x1b[31m", "not JSON"},
	    {"{\"keys\":[]}", "no key in it"},
	    {"{\"keys\":[{" EC ",\"alg\":\"ES256\"},{" OKP ",\"alg\":\"EdDSA\",\"d\":\"AA\"}]}",
		"key 2: it has 'd'"}};
	struct buffer to;

	(void)state;
	buffer_init(&to, LIMIT_JWK_SET);
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct error e = {0};

		assert_int_equal(
		    keychain_pick(&to, sets[i].text, strlen(sets[i].text), "set", &e), -1);
		assert_int_equal(e.code, ERROR_CONFIG);
		if (strstr(e.text, sets[i].reason) == NULL)
			fail_msg("%s: %s", sets[i].text, e.text);
		for (const char *at = e.text; *at != '\0'; at++)
			assert_true(*at >= ' ' && *at <= '~');
		assert_int_equal(to.length, 0);
	}
	buffer_free(&to);
}

static void
keys_that_are_too_long_together_are_not_picked(void **state)
{
	static const char set[] = "{\"keys\":[{" EC ",\"alg\":\"ES256\"}]}";
	struct buffer to;
	struct error e = {0};

	(void)state;
	buffer_init(&to, 100);
	assert_int_equal(keychain_pick(&to, set, strlen(set), "set", &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_non_null(strstr(e.text, "its keys take more than"));
	assert_int_equal(to.length, 0);
	buffer_free(&to);
}

/* --- PEM --- */

static void
read_pem(const struct keys_fixture *f, char pem[8192])
{
	char path[256];

	keys_path(f, "key", path);
	(void)keys_read_bytes(path, pem, 8192);
}

static void
assert_pem_refused(const char *pem, const char *algorithm, const char *reason)
{
	struct public_key *k;
	struct error e = {0};

	if (public_key_from_pem(&k, pem, strlen(pem), algorithm, "key.pub", &e) == 0)
		fail_msg("taken: %s", reason);
	assert_null(k);
	assert_int_equal(e.code, ERROR_CONFIG);
	if (strncmp(e.text, "key.pub: ", 9) != 0 || strstr(e.text, reason) == NULL)
		fail_msg("'%s', not '%s'", e.text, reason);
}

static void
public_key_in_pem_is_taken_for_its_algorithm(void **state)
{
	static const struct {
		enum keys_kind kind;
		const char *algorithm;
		const char *name;
	} cases[] = {{RSA_KEY, "RSA512", "RS512"}, {RSA_KEY, "rsa256", "RS256"},
	    {RSA_KEY, "rs384", "RS384"}, {RSA_KEY, "Ps256", "PS256"}, {P256, "es256", "ES256"},
	    {P384, "ES384", "ES384"}, {P521, "ES512", "ES512"}, {ED25519, "eddsa", "EdDSA"}};
	const struct keys_fixture *f = *state;
	char path[256], pem[8192];

	keys_path(f, "key", path);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct public_key *k;
		struct error e = {0};

		keys_write_public(path, f->keys[cases[i].kind]);
		read_pem(f, pem);
		if (public_key_from_pem(
			&k, pem, strlen(pem), cases[i].algorithm, "key.pub", &e) == -1)
			fail_msg("%s", e.text);
		assert_string_equal(public_key_algorithm(k)->name, cases[i].name);
		assert_null(public_key_id(k));
		public_key_free(k);
	}
}

static void
other_kinds_of_pem_are_refused_with_what_to_do(void **state)
{
	const struct keys_fixture *f = *state;
	char path[256], pem[8192], two[16384];

	keys_path(f, "key", path);
	keys_write(path, f->keys[P256]);
	read_pem(f, pem);
	assert_pem_refused(pem, "ES256", "a private key, which belongs to whoever signs");
	keys_write_as(path, f->keys[RSA_KEY], true, "secret");
	read_pem(f, pem);
	assert_pem_refused(pem, "RS256", "a private key, which belongs to whoever signs");
	keys_write_certificate(path, f->keys[RSA_KEY]);
	read_pem(f, pem);
	assert_pem_refused(pem, "RS256", "openssl x509 -pubkey -noout");
	keys_write_public(path, f->keys[RSA_KEY]);
	read_pem(f, pem);
	(void)snprintf(two, sizeof(two), "%s%s", pem, pem);
	assert_pem_refused(two, "RS256", "more than one PEM");
	assert_pem_refused(
	    "-----BEGIN RSA PUBLIC KEY-----\nAA==\n-----END RSA PUBLIC KEY-----\n", "RS256",
	    "openssl rsa -RSAPublicKey_in");
	assert_pem_refused(
	    "ssh-rsa AAAAB3NzaC1yc2E alice\n", "RS256", "ssh-keygen -e -m PKCS8");
	assert_pem_refused("{" RSA "}", "RS256", "a JSON Web Key");
	assert_pem_refused("", "RS256", "the file is empty");
	assert_pem_refused("hello\n", "RS256", "not a public key in PEM form");
	assert_pem_refused("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
	    "RS256", "not a public key in PEM form");
	/* OpenSSL would ask whoever sits at the terminal. */
	assert_pem_refused("-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n"
			   "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\nAAAA\n"
			   "-----END PUBLIC KEY-----\n",
	    "RS256", "not a public key in PEM form");
}

static void
key_that_does_not_fit_its_algorithm_is_refused(void **state)
{
	static const struct {
		enum keys_kind kind;
		const char *algorithm;
		const char *reason;
	} cases[] = {{RSA_KEY, "ES256", "a key of type RSA"},
	    {P256, "RS256", "a key of type EC"},
	    {P256, "ES384", "its curve is prime256v1, but ES384 needs P-384"},
	    {P521, "ES256", "its curve is secp521r1"}, {ED25519, "ES256", "of type ED25519"},
	    {RSA_KEY, "HS256", "algorithm 'HS256' does not exist"},
	    {RSA_KEY, "none", "algorithm 'none' does not exist"},
	    {RSA_KEY, "", "algorithm '' does not exist"}};
	const struct keys_fixture *f = *state;
	char path[256], pem[8192];
	EVP_PKEY *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);

	keys_path(f, "key", path);
	for (size_t i = 0; i < COUNT(cases); i++) {
		keys_write_public(path, f->keys[cases[i].kind]);
		read_pem(f, pem);
		assert_pem_refused(pem, cases[i].algorithm, cases[i].reason);
	}
	keys_write_public(path, small);
	read_pem(f, pem);
	assert_pem_refused(pem, "RS256", "RSA of 1024 bits: at least 2048 are needed");
	EVP_PKEY_free(small);
}

static void
rsa_key_with_an_exponent_of_one_is_refused(void **state)
{
	const struct keys_fixture *f = *state;
	BIGNUM *numbers[KEYS_NUMBERS] = {[KEYS_N] = keys_number(N), [KEYS_E] = BN_new()};
	char path[256], pem[8192];
	EVP_PKEY *pkey;

	assert_int_equal(BN_one(numbers[KEYS_E]), 1);
	pkey = keys_rsa(numbers);
	keys_path(f, "key", path);
	keys_write_public(path, pkey);
	read_pem(f, pem);
	assert_pem_refused(pem, "RS256", "makes every signature forgeable");
	EVP_PKEY_free(pkey);
	keys_free_numbers(numbers);
}

/* RFC 7518, 3.5: the salt is as long as the digest. */
static void
pss_signature_with_another_salt_is_refused(void **state)
{
	static const int salts[] = {RSA_PSS_SALTLEN_DIGEST, 0, 20, 48, RSA_PSS_SALTLEN_MAX};
	const struct keys_fixture *f = *state;
	char path[256], pem[8192];
	struct public_key *k;
	struct error e = {0};

	keys_path(f, "key", path);
	keys_write_public(path, f->keys[RSA_KEY]);
	read_pem(f, pem);
	assert_int_equal(public_key_from_pem(&k, pem, strlen(pem), "PS256", "k", &e), 0);
	for (size_t i = 0; i < COUNT(salts); i++) {
		EVP_MD_CTX *context = EVP_MD_CTX_new();
		EVP_PKEY_CTX *options;
		unsigned char made[256];
		size_t length = sizeof(made);

		assert_int_equal(
		    EVP_DigestSignInit(context, &options, EVP_sha256(), NULL, f->keys[RSA_KEY]),
		    1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salts[i]), 1);
		assert_int_equal(
		    EVP_DigestSign(context, made, &length, (const unsigned char *)"text", 4),
		    1);
		assert_int_equal(public_key_verifies(k, "text", 4, made, length), i == 0);
		EVP_MD_CTX_free(context);
	}
	public_key_free(k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(json_web_keys_are_taken_passed_over_or_refused),
	    TEST(key_is_bound_to_the_algorithm_of_its_jwk),
	    TEST(keys_of_a_set_that_are_for_something_else_are_passed_over),
	    TEST(set_that_is_wrong_is_refused_as_a_whole),
	    TEST(set_of_too_many_keys_is_refused),
	    TEST(keys_are_picked_with_what_verifies_and_nothing_else),
	    TEST(what_is_wrong_in_a_set_leaves_nothing_to_pick),
	    TEST(keys_that_are_too_long_together_are_not_picked),
	    TEST(public_key_in_pem_is_taken_for_its_algorithm),
	    TEST(other_kinds_of_pem_are_refused_with_what_to_do),
	    TEST(key_that_does_not_fit_its_algorithm_is_refused),
	    TEST(rsa_key_with_an_exponent_of_one_is_refused),
	    TEST(pss_signature_with_another_salt_is_refused),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
