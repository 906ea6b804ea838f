/* jose: the files that keys come in, and what opens them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/key_files.h"
#include "tests/unit/keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
every_form_of_a_key_is_the_same_key(void **state)
{
	static const struct {
		bool ec;
		enum key_form form;
		const char *label; /* so that the form is what we mean */
	} rows[] = {
	    {false, PKCS8, "-----BEGIN PRIVATE KEY-----\n"},
	    {false, TRADITIONAL, "-----BEGIN RSA PRIVATE KEY-----\n"},
	    {false, PKCS8_ENCRYPTED, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"},
	    {false, TRADITIONAL_ENCRYPTED,
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"},
	    {true, PKCS8, "-----BEGIN PRIVATE KEY-----\n"},
	    {true, TRADITIONAL, "-----BEGIN EC PRIVATE KEY-----\n"},
	    {true, PKCS8_ENCRYPTED, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"},
	    {true, TRADITIONAL_ENCRYPTED,
		"-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"},
	};
	struct key_files *f = *state;
	char ids[2][64] = {"", ""};

	keys_write_text(f->passphrase_file, "correct horse\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *id = ids[rows[i].ec];
		char text[128];
		struct key *k;
		struct error e = {0};
		FILE *file;

		key_files_write(f->file, rows[i].ec ? f->ec : f->rsa, rows[i].form);
		file = fopen(f->file, "r");
		assert_non_null(file);
		assert_int_equal(fread(text, 1, sizeof(text), file), sizeof(text));
		fclose(file);
		assert_memory_equal(text, rows[i].label, strlen(rows[i].label));
		/* A key that is not encrypted does not mind a passphrase. */
		if (keys_load(&k, f->file, f->passphrase_file, rows[i].ec ? "ES256" : "RS256",
			&e) == -1)
			fail_msg("row %zu: %s", i, e.text);
		assert_int_equal(strlen(key_id(k)), 43);
		if (*id == '\0')
			(void)snprintf(id, sizeof(ids[0]), "%s", key_id(k));
		assert_string_equal(key_id(k), id);
		key_free(k);
	}
	assert_string_not_equal(ids[0], ids[1]);
}

static void
passphrase_is_the_first_line_of_its_file(void **state)
{
	static const struct {
		const char *text;
		const char *reason; /* NULL: it opens the key */
	} rows[] = {
	    {"correct horse", NULL},
	    {"correct horse\n", NULL},
	    {"correct horse\nand more\n", NULL},
	    {"correct horse \n", "the passphrase does not open it"},
	    {"Correct horse\n", "the passphrase does not open it"},
	    {"battery staple\n", "the passphrase does not open it"},
	    {"\ncorrect horse\n", "the passphrase does not open it"},
	};
	static const enum key_form forms[] = {PKCS8_ENCRYPTED, TRADITIONAL_ENCRYPTED};
	struct key_files *f = *state;

	for (size_t i = 0; i < COUNT(rows) * COUNT(forms); i++) {
		const char *reason = rows[i / COUNT(forms)].reason;
		struct key *k = NULL;
		struct error e = {0};

		key_files_write(f->file, f->rsa, forms[i % COUNT(forms)]);
		keys_write_text(f->passphrase_file, rows[i / COUNT(forms)].text);
		if (reason != NULL)
			key_files_assert_refused(f, f->passphrase_file, ERROR_CONFIG, reason);
		else if (keys_load(&k, f->file, f->passphrase_file, "RS256", &e) == -1)
			fail_msg("row %zu: %s", i, e.text);
		key_free(k);
	}
}

static void
encrypted_key_without_a_passphrase_is_told(void **state)
{
	struct key_files *f = *state;

	key_files_write(f->file, f->rsa, PKCS8_ENCRYPTED);
	key_files_assert_refused(f, NULL, ERROR_CONFIG, "encrypted: set passphrase-file");
	key_files_write(f->file, f->rsa, TRADITIONAL_ENCRYPTED);
	key_files_assert_refused(f, NULL, ERROR_CONFIG, "encrypted: set passphrase-file");
}

static void
passphrase_file_that_is_missing_or_empty_is_told(void **state)
{
	char want[LIMIT_ERROR_TEXT];
	struct key_files *f = *state;
	struct key *k = NULL;
	struct error e = {0};

	key_files_write(f->file, f->rsa, PKCS8_ENCRYPTED);
	assert_int_equal(keys_load(&k, f->file, f->passphrase_file, "RS256", &e), -1);
	assert_int_equal(e.code, ERROR_NO_INPUT);
	(void)snprintf(want, sizeof(want), "%s: No such file or directory", f->passphrase_file);
	assert_string_equal(e.text, want);
	keys_write_text(f->passphrase_file, "");
	assert_int_equal(keys_load(&k, f->file, f->passphrase_file, "RS256", &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	(void)snprintf(want, sizeof(want), "%s: the file is empty", f->passphrase_file);
	assert_string_equal(e.text, want);
	assert_null(k);
}

static void
file_that_all_may_read_is_known(void **state)
{
	static const struct {
		mode_t mode;
		bool exposed;
	} rows[] = {{0600, false}, {0400, false}, {0640, false}, {0644, true}, {0604, true}};
	struct key_files *f = *state;

	key_files_write(f->file, f->rsa, PKCS8);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct key *k;
		struct error e = {0};

		assert_int_equal(chmod(f->file, rows[i].mode), 0);
		assert_int_equal(keys_load(&k, f->file, NULL, "RS256", &e), 0);
		assert_int_equal(key_exposed(k), rows[i].exposed);
		key_free(k);
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, key_files_clean)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(every_form_of_a_key_is_the_same_key),
	    TEST(passphrase_is_the_first_line_of_its_file),
	    TEST(encrypted_key_without_a_passphrase_is_told),
	    TEST(passphrase_file_that_is_missing_or_empty_is_told),
	    TEST(file_that_all_may_read_is_known),
	};

	return cmocka_run_group_tests(tests, key_files_make, key_files_free);
}
