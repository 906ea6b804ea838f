/* service: lines of the audit log, whatever is in them and whatever becomes of the file. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/audit.h"
#include "tests/unit/faults.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct fixture {
	char folder[64];
	char path[96];
};

static int
enter(void **state)
{
	static struct fixture f;

	(void)snprintf(f.folder, sizeof(f.folder), "/tmp/test_audit.XXXXXX");
	assert_non_null(mkdtemp(f.folder));
	(void)snprintf(f.path, sizeof(f.path), "%s/audit", f.folder);
	*state = &f;
	return 0;
}

static int
leave(void **state)
{
	const struct fixture *f = *state;

	(void)unlink(f->path);
	return rmdir(f->folder);
}

static int
say(struct audit *a, const char *id)
{
	static const struct request request = {.path = "/x"};
	const struct decision d = {.request = &request, .id = id, .status = 200};

	return audit_write(a, &d, &clock_system);
}

/* The value in the last line of the file, which is whole and on a line of its own. */
static json_t *
last_line(const struct fixture *f)
{
	static char text[64 * 1024];
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	json_t *line;
	char *start;

	assert_true(n > 0 && text[n - 1] == '\n');
	close(fd);
	text[n - 1] = '\0';
	start = strrchr(text, '\n');
	line = json_loads(start != NULL ? start + 1 : text, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_is_object(line));
	return line;
}

static void
assert_last(const struct fixture *f, const char *id)
{
	json_t *line = last_line(f);

	assert_string_equal(json_string_value(json_object_get(line, "request")), id);
	json_decref(line);
}

static void
write_lines(void *context)
{
	const struct fixture *f = context;
	struct audit *a;
	struct error e = {0};
	int rc;

	(void)unlink(f->path);
	faults_on();
	rc = audit_open(&a, f->path, &e);
	faults_check(rc, &e);
	assert_int_equal(a == NULL, rc == -1);
	if (rc == -1)
		return;
	faults_on();
	rc = say(a, "first");
	faults_off();
	assert_true(rc == 0 || faults_hit());
	if (rc == 0)
		assert_last(f, "first");
	/* What was cut short does not run into this one. */
	assert_int_equal(say(a, "second"), 0);
	assert_last(f, "second");
	audit_close(a);
}

static void
a_line_that_was_cut_short_spoils_no_other(void **state)
{
	faults_sweep(write_lines, *state);
}

static void
reopen(void *context)
{
	const struct fixture *f = context;
	struct audit *a;
	struct error e = {0};
	int rc;

	assert_int_equal(audit_open(&a, f->path, &e), 0);
	faults_on();
	rc = audit_reopen(a, &e);
	faults_check(rc, &e);
	assert_int_equal(say(a, "after"), 0);
	assert_last(f, "after");
	assert_int_not_equal(audit_descriptor(a), -1);
	audit_close(a);
}

static void
a_log_that_cannot_be_opened_again_goes_on(void **state)
{
	faults_sweep(reopen, *state);
}

static void
what_is_no_file_is_refused(void **state)
{
	const struct fixture *f = *state;
	static const struct {
		const char *path;
		enum error_code code;
		const char *text;
	} rows[] = {
	    {"/dev/null", ERROR_CONFIG, "audit: /dev/null: not a regular file"},
	    {"/", ERROR_CONFIG, "audit: /: Is a directory"},
	    {"/dev/null/audit", ERROR_CONFIG, "audit: /dev/null/audit: Not a directory"},
	};
	struct audit *a;
	struct error e;

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(audit_open(&a, rows[i].path, &e), -1);
		assert_null(a);
		assert_int_equal(e.code, rows[i].code);
		assert_string_equal(e.text, rows[i].text);
	}
	assert_int_equal(symlink("/dev/null", f->path), 0);
	assert_int_equal(audit_open(&a, f->path, &e), -1);
}

static void
without_a_log_nothing_is_written(void **state)
{
	static const char *const targets[] = {NULL, "none"};
	struct audit *a;
	struct error e;

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		assert_int_equal(audit_open(&a, targets[i], &e), 0);
		assert_null(a);
		assert_int_equal(say(a, "x"), 0);
		assert_int_equal(audit_reopen(a, &e), 0);
		assert_int_equal(audit_descriptor(a), -1);
		audit_close(a);
	}
	/* Those that are no files of ours are not opened again. */
	assert_int_equal(audit_open(&a, "stderr", &e), 0);
	assert_int_equal(audit_reopen(a, &e), 0);
	assert_int_equal(audit_descriptor(a), -1);
	audit_close(a);
}

static void
whatever_a_text_holds_it_is_one_member_of_a_line(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
	    {"plain", "plain"},
	    {"\xc3\xb6 \"'\\", "\xc3\xb6 \"'\\"},
	    {"a\nb", "a\\x0ab"},
	    {"a\x1f\x7f\x80\xff~", "a\\x1f\\x7f\\x80\\xff~"},
	};
	const struct fixture *f = *state;
	char longest[600], want[600];
	struct audit *a;
	struct error e;

	assert_int_equal(audit_open(&a, f->path, &e), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(say(a, rows[i].text), 0);
		assert_last(f, rows[i].shown);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	(void)snprintf(want, sizeof(want), "%.512s...", longest);
	assert_int_equal(say(a, longest), 0);
	assert_last(f, want);
	audit_close(a);
}

static void
all_audiences_of_a_profile_are_named(void **state)
{
	static const struct request request = {.path = "/x"};
	char one[] = "okera", two[] = "trino", name[] = "both";
	char *items[] = {one, two};
	const struct profile profile = {.name = name, .audience = {.items = items, .count = 2}};
	const struct query query = {.subject = "jane"};
	const struct grant grant = {.profile = &profile};
	const struct signature signature = {.jti = "id", .kid = "key"};
	const struct decision d = {.request = &request,
	    .query = &query,
	    .grant = &grant,
	    .signature = &signature,
	    .status = 200};
	const struct fixture *f = *state;
	struct audit *a;
	struct error e;
	json_t *line, *list;

	assert_int_equal(audit_open(&a, f->path, &e), 0);
	assert_int_equal(audit_write(a, &d, &clock_system), 0);
	audit_close(a);
	line = last_line(f);
	list = json_object_get(line, "audience");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_array_get(list, 1)), "trino");
	assert_string_equal(json_string_value(json_object_get(line, "profile")), "both");
	assert_string_equal(json_string_value(json_object_get(line, "jti")), "id");
	json_decref(line);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, enter, leave)
	static const struct CMUnitTest tests[] = {
	    TEST(a_line_that_was_cut_short_spoils_no_other),
	    TEST(a_log_that_cannot_be_opened_again_goes_on),
	    TEST(what_is_no_file_is_refused),
	    TEST(without_a_log_nothing_is_written),
	    TEST(whatever_a_text_holds_it_is_one_member_of_a_line),
	    TEST(all_audiences_of_a_profile_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
