/* jose: new keys. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/file_write.h"
#include "jose/generate.h"
#include "tests/unit/key_files.h"
#include "tests/unit/keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
generated_key_signs_with_its_algorithm(void **state)
{
	static const char *const names[] = {
	    "RS256", "RS512", "PS384", "ES256", "ES384", "ES512", "EdDSA"};
	const struct file_form form = {.mode = 0600, .group = (gid_t)-1};
	struct key_files *f = *state;
	char first[64] = "";

	for (size_t i = 0; i < 2 * COUNT(names); i++) {
		const struct algorithm *a = algorithm_find(names[i / 2]);
		const char *secret = i % 2 == 0 ? NULL : f->passphrase_file;
		struct error e = {0};
		struct buffer pem;
		struct key *k;

		keys_write_text(f->passphrase_file, "correct horse\n");
		buffer_init(&pem, LIMIT_KEY_FILE);
		if (generate_key(&pem, a, 2048, secret, &e) == -1 ||
		    file_write(f->file, pem.data, pem.length, &form, &e) == -1)
			fail_msg("%s", e.text);
		assert_int_equal(strstr(pem.data, "ENCRYPTED") != NULL, secret != NULL);
		if (secret != NULL)
			assert_int_equal(keys_load(&k, f->file, NULL, a->name, &e), -1);
		if (keys_load(&k, f->file, secret, a->name, &e) == -1 || key_test(k, &e) == -1)
			fail_msg("%s: %s", a->name, e.text);
		assert_string_not_equal(key_id(k), first);
		(void)snprintf(first, sizeof(first), "%s", key_id(k));
		key_free(k);
		buffer_free(&pem);
		key_files_clean(state);
	}
}

static void
nothing_is_generated_where_the_passphrase_cannot_be_read(void **state)
{
	struct key_files *f = *state;
	const struct algorithm *a = algorithm_find("EdDSA");
	struct error e = {0};
	struct buffer pem;

	buffer_init(&pem, LIMIT_KEY_FILE);
	assert_int_equal(generate_key(&pem, a, 0, f->passphrase_file, &e), -1);
	assert_int_equal(e.code, ERROR_NO_INPUT);
	keys_write_text(f->passphrase_file, "\n");
	assert_int_equal(generate_key(&pem, a, 0, f->passphrase_file, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_int_equal(pem.length, 0);
	buffer_free(&pem);
}

#define TEST(name) cmocka_unit_test_teardown(name, key_files_clean)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(generated_key_signs_with_its_algorithm),
	    TEST(nothing_is_generated_where_the_passphrase_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, key_files_make, key_files_free);
}
