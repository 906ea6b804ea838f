/* base: files that appear complete or not at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/file_write.h"

static char folder[64];
static char path[96];

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_file_write.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder); /* fails when anything else is left in it */
}

static void
assert_file(const char *text, mode_t mode)
{
	struct buffer found;
	struct error e = {0};
	mode_t has;

	buffer_init(&found, 100);
	if (file_read(path, &found, &has, &e) == -1)
		fail_msg("%s", e.text);
	assert_string_equal(found.data, text);
	assert_int_equal(has, mode);
	buffer_free(&found);
}

static void
file_has_its_bytes_and_mode_whatever_the_umask(void **state)
{
	static const mode_t modes[] = {0600, 0644, 0400};
	struct error e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const struct file_form form = {.mode = modes[i], .group = (gid_t)-1};
		mode_t before = umask(i == 0 ? 0 : 0777);
		int rc = file_write(path, "text", 4, &form, &e);

		(void)umask(before);
		if (rc == -1)
			fail_msg("%s", e.text);
		assert_file("text", modes[i]);
		assert_int_equal(unlink(path), 0);
	}
}

static void
file_that_exists_is_replaced_only_when_that_is_asked_for(void **state)
{
	struct file_form form = {.mode = 0644, .group = (gid_t)-1};
	struct error e = {0};

	(void)state;
	assert_int_equal(file_write(path, "old", 3, &form, &e), 0);
	assert_int_equal(file_write(path, "new", 3, &form, &e), -1);
	assert_int_equal(e.code, ERROR_DENIED);
	assert_non_null(strstr(e.text, path));
	assert_file("old", 0644);
	form.replace = true;
	form.mode = 0600;
	assert_int_equal(file_write(path, "new", 3, &form, &e), 0);
	assert_file("new", 0600);
}

static void
what_cannot_be_written_is_named(void **state)
{
	const struct file_form form = {.mode = 0644, .group = (gid_t)-1, .replace = true};
	struct error e = {0};
	char wrong[128];

	(void)state;
	(void)snprintf(wrong, sizeof(wrong), "%s/none/file", folder);
	assert_int_equal(file_write(wrong, "x", 1, &form, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_non_null(strstr(e.text, wrong));
	(void)snprintf(wrong, sizeof(wrong), "%s/", folder);
	assert_int_equal(file_write(wrong, "x", 1, &form, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	/* A name that is a directory cannot be replaced. */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(file_write(path, "x", 1, &form, &e), -1);
	assert_int_equal(rmdir(path), 0);
}

static void
name_alone_is_in_the_current_directory(void **state)
{
	const struct file_form form = {.mode = 0644, .group = (gid_t)-1};
	struct error e = {0};

	(void)state;
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(file_write("file", "here", 4, &form, &e), 0);
	assert_int_equal(chdir("/"), 0);
	assert_file("here", 0644);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(file_has_its_bytes_and_mode_whatever_the_umask),
	    TEST(file_that_exists_is_replaced_only_when_that_is_asked_for),
	    TEST(what_cannot_be_written_is_named),
	    TEST(name_alone_is_in_the_current_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
