/* jose: keys behind URIs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "jose/keyring.h"
#include "tests/unit/keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char passphrase[] = "correct horse";

/* The URI of name in the test's directory. */
static void
uri_of(const struct keys_fixture *f, const char *name, char uri[256])
{
	(void)snprintf(uri, 256, "file:%s/%s", f->directory, name);
}

static void
assert_refused(
    const char *uri, const char *passphrase_file, const char *algorithm, const char *reason)
{
	struct key *k = (struct key *)(uintptr_t)1;
	struct error e = {0};

	assert_int_equal(keys_load(&k, uri, passphrase_file, algorithm, &e), -1);
	assert_null(k);
	assert_int_equal(e.code, ERROR_CONFIG);
	if (strncmp(e.text, uri, strlen(uri)) != 0 ||
	    strncmp(e.text + strlen(uri), ": ", 2) != 0 || strstr(e.text, reason) == NULL)
		fail_msg("%s", e.text);
	assert_null(strstr(e.text, passphrase));
}

static void
uri_starts_with_a_scheme(void **state)
{
	static const struct {
		const char *path;
		bool uri;
	} rows[] = {
	    {"pkcs11:token=a;object=b", true},
	    {"file:/etc/key.pem", true},
	    {"file:///etc/key.pem", true},
	    {"tpm2-tss+x.y:handle", true},
	    {"xy:", true},
	    {"/etc/key.pem", false},
	    {"/etc/a:b", false},
	    {"./pkcs11:a", false},
	    {"key.pem", false},
	    {"c:/key.pem", false}, /* one letter is no scheme, but a disk elsewhere */
	    {"1a:b", false},
	    {"-a:b", false},
	    {".a:b", false},
	    {"a b:c", false},
	    {"PKCS11:a", false},
	    {":a", false},
	    {"", false},
	    {"20261122T000000Z.pem", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (key_is_uri(rows[i].path) != rows[i].uri)
			fail_msg("%s", rows[i].path);
}

static void
uri_of_a_file_leads_to_its_key(void **state)
{
	static const char *const algorithms[KEYS_KINDS] = {
	    "RS512", "ES256", "ES384", "ES512", "EdDSA"};
	const struct keys_fixture *f = *state;
	char path[256], uri[256];

	keys_path(f, "key", path);
	uri_of(f, "key", uri);
	for (int i = 0; i < KEYS_KINDS; i++) {
		struct key *by_path = NULL, *by_uri = NULL;
		struct error e = {0};

		keys_put(f, "key", (enum keys_kind)i);
		if (keys_load(&by_path, path, NULL, algorithms[i], &e) == -1 ||
		    keys_load(&by_uri, uri, NULL, algorithms[i], &e) == -1)
			fail_msg("%s", e.text);
		assert_string_equal(key_id(by_uri), key_id(by_path));
		assert_int_equal(key_test(by_uri, &e), 0);
		assert_false(key_exposed(by_uri));
		key_free(by_path);
		key_free(by_uri);
	}
}

static void
keyring_of_a_uri_has_its_key_alone(void **state)
{
	const struct keys_fixture *f = *state;
	struct keyring_source source = {.algorithm = "ES256", .longest = 3600};
	struct keyring *r;
	struct keyring_entry entry;
	struct error e = {0};
	char uri[256];

	keys_put(f, "key", P256);
	uri_of(f, "key", uri);
	source.path = uri;
	if (keyring_open(&r, &source, &e) == -1)
		fail_msg("%s", e.text);
	assert_int_equal(keyring_count(r), 1);
	entry = keyring_get(r, 0, 1);
	assert_string_equal(entry.file, uri);
	assert_int_equal(entry.state, KEY_STATE_ACTIVE);
	assert_int_equal(entry.end, INT64_MAX);
	keyring_free(r);
}

/* What is asked of a key in a file is asked of any. */
static void
key_behind_a_uri_is_checked_too(void **state)
{
	const struct keys_fixture *f = *state;
	EVP_PKEY *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	char path[256], uri[256];

	keys_path(f, "key", path);
	uri_of(f, "key", uri);
	keys_write(path, small);
	EVP_PKEY_free(small);
	assert_refused(uri, NULL, "RS512", "RSA of 1024 bits");
	keys_put(f, "key", P256);
	assert_refused(uri, NULL, "RS512", "a key of type EC cannot sign with RS512");
	assert_refused(uri, NULL, "ES384", "its curve is prime256v1");
}

static void
uri_without_a_private_key_is_told(void **state)
{
	const struct keys_fixture *f = *state;
	char path[256], uri[256];
	FILE *file;

	uri_of(f, "key", uri);
	assert_refused(uri, NULL, "ES256", "no private key to be had there");
	keys_path(f, "key", path);
	keys_write_bytes(path, "garbage", 7);
	assert_refused(uri, NULL, "ES256", "no private key to be had there");
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_PUBKEY(file, f->keys[P256]), 1);
	assert_int_equal(fclose(file), 0);
	assert_refused(uri, NULL, "ES256", "no private key to be had there");
}

static void
scheme_that_nobody_knows_is_an_error(void **state)
{
	static const char *const uris[] = {"bogus:whatever", "bogus://host/key",
	    "a-scheme-with-a-name-of-more-than-thirty-one-bytes:x", "xy:", "dynamic:x"};

	(void)state;
	for (size_t i = 0; i < COUNT(uris); i++)
		assert_refused(uris[i], NULL, "RS512", "no private key to be had there");
}

static void
encrypted_file_behind_a_uri_opens_by_its_passphrase(void **state)
{
	const struct keys_fixture *f = *state;
	char path[256], uri[256], file[256];
	FILE *out;
	struct key *k;
	struct error e = {0};

	keys_path(f, "key", path);
	uri_of(f, "key", uri);
	keys_path(f, "passphrase", file);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(PEM_write_PKCS8PrivateKey(out, f->keys[P256], EVP_aes_256_cbc(),
			     passphrase, (int)strlen(passphrase), NULL, NULL),
	    1);
	assert_int_equal(fclose(out), 0);
	keys_write_bytes(file, "correct horse\n", 14);
	if (keys_load(&k, uri, file, "ES256", &e) == -1)
		fail_msg("%s", e.text);
	key_free(k);
	keys_write_bytes(file, "battery staple\n", 15);
	assert_refused(uri, file, "ES256", "no private key to be had there");
	assert_refused(uri, NULL, "ES256", "no private key to be had there");
	assert_int_equal(remove(file), 0);
	assert_int_equal(keys_load(&k, uri, file, "ES256", &e), -1);
	assert_int_equal(e.code, ERROR_NO_INPUT);
}

/* A PIN stands in the configuration for all to read, and must not get into logs as well. */
static void
pin_in_a_uri_is_refused_and_not_repeated(void **state)
{
	static const char *const uris[] = {"pkcs11:token=a;object=b?pin-value=314159",
	    "pkcs11:pin-value=314159", "file:/nowhere?pin-value=314159&x=y"};

	(void)state;
	for (size_t i = 0; i < COUNT(uris); i++) {
		struct key *k;
		struct error e = {0};

		assert_int_equal(keys_load(&k, uris[i], NULL, "RS512", &e), -1);
		assert_null(k);
		assert_int_equal(e.code, ERROR_CONFIG);
		assert_string_equal(e.text, "private-key holds a PIN: put it into a file, and "
					    "name that in passphrase-file");
		assert_string_equal(e.detail, "");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(uri_starts_with_a_scheme),
	    TEST(uri_of_a_file_leads_to_its_key),
	    TEST(keyring_of_a_uri_has_its_key_alone),
	    TEST(key_behind_a_uri_is_checked_too),
	    TEST(uri_without_a_private_key_is_told),
	    cmocka_unit_test(scheme_that_nobody_knows_is_an_error),
	    TEST(encrypted_file_behind_a_uri_opens_by_its_passphrase),
	    cmocka_unit_test(pin_in_a_uri_is_refused_and_not_repeated),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
