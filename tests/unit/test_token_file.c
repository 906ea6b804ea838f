/* authserver-token: which files it takes for a token's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/asking.h"
#include "tests/unit/failures.h"

static void
file_that_is_no_token_s_is_refused(void **state)
{
	struct asking *f = *state;
	static char large[LIMIT_TOKEN + 2];
	struct buffer b;

	memset(large, 'x', sizeof(large) - 1);
	buffer_init(&b, LIMIT_TOKEN);
	assert_int_equal(token_file_read(&b, ASKING_NAME, &f->e), -1);
	assert_int_equal(token_file_read(&b, "/etc/passwd", &f->e), -1);
	assert_non_null(strstr(f->e.text, "not the name of a token file"));
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_non_null(strstr(f->e.text, "there is no such file here"));
	assert_int_equal(symlink("/etc/passwd", f->file), 0);
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_int_equal(f->e.code, ERROR_NO_PERMISSION);
	assert_int_equal(unlink(f->file), 0);
	assert_int_equal(mkdir(f->file, 0700), 0);
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_non_null(strstr(f->e.text, "not a regular file"));
	assert_int_equal(rmdir(f->file), 0);
	asking_write(f->file, ASKING_TOKEN, 0646);
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_non_null(strstr(f->e.text, "anybody may write it"));
	asking_write(f->file, ASKING_TOKEN, 0640);
	(void)failures_set("fstat", 0, 1, EIO);
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_int_equal(token_file_read(&b, f->file, &f->e), 0);
	assert_string_equal(b.data, ASKING_TOKEN);
	buffer_free(&b);
	buffer_init(&b, LIMIT_TOKEN);
	asking_write(f->file, large, 0640);
	assert_int_equal(token_file_read(&b, f->file, &f->e), -1);
	assert_int_equal(f->e.code, ERROR_UNAVAILABLE);
	assert_non_null(strstr(f->e.text, "too large for a token"));
	buffer_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		file_that_is_no_token_s_is_refused, asking_make, asking_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
