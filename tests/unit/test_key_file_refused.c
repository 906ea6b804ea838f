/* jose: files that are no key, or none that may sign. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "tests/unit/key_files.h"
#include "tests/unit/keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
file_that_others_may_write_is_refused(void **state)
{
	struct key_files *f = *state;

	key_files_write(f->file, f->rsa, PKCS8);
	assert_int_equal(chmod(f->file, 0620), 0);
	key_files_assert_refused(
	    f, NULL, ERROR_CONFIG, "others may write it (mode 0620): chmod go-w it");
	assert_int_equal(chmod(f->file, 0602), 0);
	key_files_assert_refused(
	    f, NULL, ERROR_CONFIG, "others may write it (mode 0602): chmod go-w it");
}

static void
openssh_format_comes_with_the_command_that_converts_it(void **state)
{
	/* How such a key begins; what follows is not looked at. */
	static const char blob[] = "openssh-key-v1\0\0\0\0\4none\0\0\0\4none\0\0\0\0\0\0\0\1";
	char advice[160];
	struct key_files *f = *state;
	BIO *bio = BIO_new(BIO_s_mem());

	assert_true(PEM_write_bio(bio, "OPENSSH PRIVATE KEY", "", (const unsigned char *)blob,
			sizeof(blob)) > 0);
	keys_write_bio(f->file, bio);
	(void)snprintf(advice, sizeof(advice), "ssh-keygen -p -m PEM -f %s", f->file);
	key_files_assert_refused(f, NULL, ERROR_CONFIG, advice);
}

static void
public_half_is_refused(void **state)
{
	struct key_files *f = *state;

	keys_write_public(f->file, f->rsa);
	key_files_assert_refused(
	    f, NULL, ERROR_CONFIG, "a public key: its private half is needed");
	keys_write_text(f->file, "-----BEGIN RSA PUBLIC KEY-----\nMAA=\n"
				 "-----END RSA PUBLIC KEY-----\n");
	key_files_assert_refused(
	    f, NULL, ERROR_CONFIG, "a public key: its private half is needed");
}

static void
certificate_is_refused(void **state)
{
	struct key_files *f = *state;

	keys_write_certificate(f->file, f->rsa);
	key_files_assert_refused(f, NULL, ERROR_CONFIG, "a certificate, not a private key");
}

static void
rsa_below_2048_bits_is_refused(void **state)
{
	static const struct {
		size_t bits;
		const char *reason;
	} rows[] = {
	    {1024, "RSA of 1024 bits: at least 2048 are needed"},
	    {2047, "RSA of 2047 bits: at least 2048 are needed"},
	};
	struct key_files *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", rows[i].bits);

		assert_non_null(pkey);
		key_files_write(f->file, pkey, PKCS8);
		EVP_PKEY_free(pkey);
		key_files_assert_refused(f, NULL, ERROR_CONFIG, rows[i].reason);
	}
}

/* The key of f with another public exponent. What is private does not matter then. */
static EVP_PKEY *
with_exponent(const struct key_files *f, BN_ULONG exponent)
{
	BIGNUM *numbers[KEYS_NUMBERS];
	EVP_PKEY *pkey;

	keys_take_numbers(f->rsa, numbers);
	assert_int_equal(BN_set_word(numbers[KEYS_E], exponent), 1);
	pkey = keys_rsa(numbers);
	keys_free_numbers(numbers);
	return pkey;
}

static void
rsa_with_a_broken_exponent_is_refused(void **state)
{
	static const BN_ULONG exponents[] = {1, 2, 65536};
	struct key_files *f = *state;

	for (size_t i = 0; i < COUNT(exponents); i++) {
		EVP_PKEY *pkey = with_exponent(f, exponents[i]);

		key_files_write(f->file, pkey, TRADITIONAL);
		EVP_PKEY_free(pkey);
		key_files_assert_refused(f, NULL, ERROR_CONFIG, "public exponent");
	}
}

/* As a key that is being copied looks like: never half a key. */
static void
file_that_was_cut_is_refused(void **state)
{
	static const enum key_form forms[] = {PKCS8, TRADITIONAL};
	char text[4096];
	struct key_files *f = *state;

	for (size_t i = 0; i < COUNT(forms); i++) {
		size_t length;
		FILE *file;

		key_files_write(f->file, f->rsa, forms[i]);
		file = fopen(f->file, "r");
		assert_non_null(file);
		length = fread(text, 1, sizeof(text), file);
		fclose(file);
		assert_in_range(length, 1600, 2000);
		/* The last character of the end line and its newline may be missing. */
		for (size_t size = 1; size < length - 20; size += size == 1 ? 799 : 37) {
			keys_write_bytes(f->file, text, size);
			key_files_assert_refused(
			    f, NULL, ERROR_CONFIG, "not a private key in PEM form");
		}
	}
}

static void
what_is_no_key_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *reason;
	} rows[] = {
	    {"", 0, "the file is empty"},
	    {"\n", 1, "not a private key in PEM form"},
	    {"garbage", 7, "not a private key in PEM form"},
	    {"\0\0\0\0", 4, "not a private key in PEM form"},
	    {"\x30\x82\x04\xa4\x02\x01\x00\x02", 8, "not a private key in PEM form"},
	    {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 59,
		"not a private key in PEM form"},
	    {"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", 54,
		"not a private key in PEM form"},
	};
	struct key_files *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		keys_write_bytes(f->file, rows[i].bytes, rows[i].length);
		key_files_assert_refused(f, NULL, ERROR_CONFIG, rows[i].reason);
	}
}

static void
file_over_the_bound_is_refused(void **state)
{
	static char bytes[LIMIT_KEY_FILE + 1];
	struct key_files *f = *state;

	memset(bytes, '\n', sizeof(bytes));
	keys_write_bytes(f->file, bytes, sizeof(bytes));
	key_files_assert_refused(f, NULL, ERROR_CONFIG, "larger than 65536 bytes");
}

static void
what_is_not_a_file_is_refused(void **state)
{
	struct key_files *f = *state;

	key_files_assert_refused(f, NULL, ERROR_NO_INPUT, "No such file or directory");
	assert_int_equal(mkdir(f->file, 0700), 0);
	key_files_assert_refused(f, NULL, ERROR_CONFIG, "not a regular file");
	assert_int_equal(rmdir(f->file), 0);
	assert_int_equal(mkfifo(f->file, 0600), 0);
	alarm(10); /* ends the test if it waits for a writer */
	key_files_assert_refused(f, NULL, ERROR_CONFIG, "not a regular file");
	alarm(0);
}

/* A key where the name of its file belongs gets into no message. */
static void
key_itself_in_place_of_its_file_is_refused(void **state)
{
	char text[4096] = "";
	struct key_files *f = *state;
	struct key *k = NULL;
	struct error e = {0};
	FILE *file;

	key_files_write(f->file, f->ec, PKCS8);
	file = fopen(f->file, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_int_equal(keys_load(&k, text, NULL, "ES256", &e), -1);
	assert_null(k);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(
	    e.text, "private-key holds a key, where the name of its file belongs");
}

#define TEST(name) cmocka_unit_test_teardown(name, key_files_clean)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(file_that_others_may_write_is_refused),
	    TEST(openssh_format_comes_with_the_command_that_converts_it),
	    TEST(public_half_is_refused),
	    TEST(certificate_is_refused),
	    TEST(rsa_below_2048_bits_is_refused),
	    TEST(rsa_with_a_broken_exponent_is_refused),
	    TEST(file_that_was_cut_is_refused),
	    TEST(what_is_no_key_is_refused),
	    TEST(file_over_the_bound_is_refused),
	    TEST(what_is_not_a_file_is_refused),
	    TEST(key_itself_in_place_of_its_file_is_refused),
	};

	return cmocka_run_group_tests(tests, key_files_make, key_files_free);
}
