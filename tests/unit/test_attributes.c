/* identity: the file of subjects' e-mail addresses and namespaces. */
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

#include "identity/attributes.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { FOREIGN_UID = 65534 };

struct fixture {
	char directory[64];
	char file[96];
};

static struct fixture fixture;

static int
setup(void **state)
{
	*state = &fixture;
	umask(022);
	(void)snprintf(
	    fixture.directory, sizeof(fixture.directory), "/tmp/test_attributes.XXXXXX");
	if (mkdtemp(fixture.directory) == NULL)
		return -1;
	(void)snprintf(fixture.file, sizeof(fixture.file), "%s/a.json", fixture.directory);
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	(void)unlink(f->file);
	(void)rmdir(f->file);
	return rmdir(f->directory);
}

static void
write_bytes(const struct fixture *f, const char *bytes, size_t length)
{
	FILE *file = fopen(f->file, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static struct attributes *
read_text(const struct fixture *f, const char *text)
{
	struct attributes *a;
	struct error e = {0};

	write_bytes(f, text, strlen(text));
	if (attributes_read(&a, f->file, &e) == -1)
		fail_msg("%s", e.text);
	return a;
}

static void
assert_refused(const struct fixture *f, enum error_code code, const char *behind_path)
{
	struct attributes *a = (struct attributes *)(uintptr_t)1;
	struct error e = {0};
	char want[LIMIT_ERROR_TEXT];

	(void)snprintf(want, sizeof(want), "%s%s", f->file, behind_path);
	assert_int_equal(attributes_read(&a, f->file, &e), -1);
	assert_null(a);
	assert_string_equal(e.text, want);
	assert_int_equal(e.code, code);
}

static void
attributes_are_those_of_the_subject(void **state)
{
	struct attributes *a = read_text(*state,
	    "{\n"
	    "  \"janedoe\": { \"email\": \"jane@example.com\", \"namespace\": \"jane\" },\n"
	    "  \"bob\": { \"namespace\": \"b\\u00f6b\\n\" }\n"
	    "}\n");

	assert_string_equal(attributes_get(a, "janedoe", "email"), "jane@example.com");
	assert_string_equal(attributes_get(a, "janedoe", "namespace"), "jane");
	assert_string_equal(attributes_get(a, "bob", "namespace"), "b\xc3\xb6"
								   "b\n");
	attributes_free(a);
}

/* An address that is missing is an empty claim, as in the tokens of others. */
static void
what_is_missing_is_empty(void **state)
{
	static const char *const subjects[] = {
	    "bob", "alice", "nobody", "Janedoe", "janedoe ", "", "email"};
	struct attributes *a = read_text(*state,
	    "{\"janedoe\":{\"email\":\"x\",\"namespace\":\"y\"},\"bob\":{\"namespace\":\"z\"},"
	    "\"alice\":{}}");

	for (size_t i = 0; i < COUNT(subjects); i++)
		assert_string_equal(attributes_get(a, subjects[i], "email"), "");
	attributes_free(a);
}

static void
without_a_file_everything_is_empty(void **state)
{
	(void)state;
	assert_string_equal(attributes_get(NULL, "janedoe", "email"), "");
	attributes_free(NULL);
}

static void
file_of_no_subjects_is_one(void **state)
{
	struct attributes *a = read_text(*state, "{}\n");

	assert_string_equal(attributes_get(a, "janedoe", "namespace"), "");
	attributes_free(a);
}

static void
other_shapes_are_refused(void **state)
{
#define ENTRY "want an object with email and namespace, each a string"
	static const char *const rows[][2] = {
	    {"[]", ": want one JSON object"},
	    {"[{\"a\":{}}]", ": want one JSON object"},
	    {"{\"a\":\"a@example.com\"}", ": 'a': " ENTRY},
	    {"{\"a\":null}", ": 'a': " ENTRY},
	    {"{\"a\":[]}", ": 'a': " ENTRY},
	    {"{\"a\":{},\"b\":{\"email\":1}}", ": 'b': " ENTRY},
	    {"{\"a\":{\"email\":null}}", ": 'a': " ENTRY},
	    {"{\"a\":{\"namespace\":[\"x\"]}}", ": 'a': " ENTRY},
	    /* A slip in a name must not become an empty claim. */
	    {"{\"a\":{\"e-mail\":\"x\"}}", ": 'a': " ENTRY},
	    {"{\"a\":{\"Email\":\"x\"}}", ": 'a': " ENTRY},
	    {"{\"a\":{\"email\":\"x\",\"groups\":\"y\"}}", ": 'a': " ENTRY},
	    {"{\"a\":{\"\":\"\"}}", ": 'a': " ENTRY},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		write_bytes(*state, rows[i][0], strlen(rows[i][0]));
		assert_refused(*state, ERROR_CONFIG, rows[i][1]);
	}
}

static void
what_stands_twice_is_refused_in_its_line(void **state)
{
	static const char subjects[] = "{\n\"a\":{},\n\"b\":{},\n\"a\":{}\n}";
	static const char members[] = "{\"a\":{\"email\":\"x\",\n\"email\":\"x\"}}";

	write_bytes(*state, subjects, sizeof(subjects) - 1);
	assert_refused(*state, ERROR_CONFIG, ":4: duplicate object key near '\"a\"'");
	write_bytes(*state, members, sizeof(members) - 1);
	assert_refused(*state, ERROR_CONFIG, ":2: duplicate object key near '\"email\"'");
}

static void
what_is_no_json_is_refused_with_a_line(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		int line;
	} rows[] = {
	    {"", 0, 1},
	    {"\n\n", 2, 3},
	    {"{\n\"a\": {\n}", 10, 3},
	    {"{}\n{}", 5, 2},
	    {"{} x", 4, 1},
	    {"{\n a: {}}", 9, 2},
	    {"{\"a\":{\"email\":\"\\u0000\"}}", 24, 1},
	    {"{\"a\xff\":{}}", 10, 1},
	    {"{}\0", 3, 1},
	    {"janedoe: jane@example.com\n", 26, 1},
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct attributes *a;
		struct error e = {0};
		char where[128];

		(void)snprintf(where, sizeof(where), "%s:%d: ", f->file, rows[i].line);
		write_bytes(f, rows[i].bytes, rows[i].length);
		assert_int_equal(attributes_read(&a, f->file, &e), -1);
		assert_null(a);
		assert_int_equal(e.code, ERROR_CONFIG);
		if (strncmp(e.text, where, strlen(where)) != 0 ||
		    strlen(e.text) < strlen(where) + 5)
			fail_msg("row %zu: %s", i, e.text);
	}
}

static void
file_that_others_may_write_is_refused(void **state)
{
	const struct fixture *f = *state;

	write_bytes(f, "{}", 2);
	assert_int_equal(chmod(f->file, 0660), 0);
	assert_refused(f, ERROR_CONFIG, ": others may write it (mode 0660): chmod go-w it");
	assert_int_equal(chmod(f->file, 0602), 0);
	assert_refused(f, ERROR_CONFIG, ": others may write it (mode 0602): chmod go-w it");
}

static void
file_of_another_user_is_refused(void **state)
{
	const struct fixture *f = *state;

	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	write_bytes(f, "{}", 2);
	assert_int_equal(chown(f->file, FOREIGN_UID, (gid_t)-1), 0);
	assert_refused(
	    f, ERROR_CONFIG, ": belongs to uid 65534, which could change it: chown it to root");
}

static void
what_is_no_file_is_told(void **state)
{
	const struct fixture *f = *state;

	assert_refused(f, ERROR_NO_INPUT, ": No such file or directory");
	assert_int_equal(mkdir(f->file, 0700), 0);
	assert_refused(f, ERROR_CONFIG, ": not a regular file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(attributes_are_those_of_the_subject),
	    TEST(what_is_missing_is_empty),
	    cmocka_unit_test(without_a_file_everything_is_empty),
	    TEST(file_of_no_subjects_is_one),
	    TEST(other_shapes_are_refused),
	    TEST(what_stands_twice_is_refused_in_its_line),
	    TEST(what_is_no_json_is_refused_with_a_line),
	    TEST(file_that_others_may_write_is_refused),
	    TEST(file_of_another_user_is_refused),
	    TEST(what_is_no_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
