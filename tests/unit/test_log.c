/* base: log lines, into a pipe, at a fixed time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"

static int64_t
fixed_time(void *state)
{
	(void)state;
	return 1668181593 * NANOSECONDS + 999999999; /* 2022-11-11 15:46:33 UTC */
}

static const struct clock fixed = {.realtime = fixed_time};

struct fixture {
	int ends[2];
	struct log log;
	char line[2 * LIMIT_LOG_LINE];
	ssize_t length;
};

static struct fixture fixture;

static int
setup(void **state)
{
	*state = &fixture;
	if (setenv("TZ", "UTC0", 1) == -1 || pipe(fixture.ends) == -1 ||
	    fcntl(fixture.ends[0], F_SETFL, O_NONBLOCK) == -1)
		return -1;
	tzset();
	fixture.log = (struct log){.fd = fixture.ends[1], .clock = &fixed};
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	if (f->ends[0] != -1)
		close(f->ends[0]);
	close(f->ends[1]);
	return 0;
}

/* What one read gives: a line is written in one piece. */
static const char *
take(struct fixture *f)
{
	f->length = read(f->ends[0], f->line, sizeof(f->line) - 1);
	f->line[f->length > 0 ? f->length : 0] = '\0';
	return f->line;
}

static void
line_has_the_time_the_text_and_one_newline(void **state)
{
	struct fixture *f = *state;

	log_line(&f->log, LOG_LEVEL_INFO, "Generated token: %s", "/tmp/tokens/a.1.token");
	assert_string_equal(
	    take(f), "2022/11/11 15:46:33 Generated token: /tmp/tokens/a.1.token\n");
	assert_int_equal(read(f->ends[0], f->line, 1), -1);
}

static void
line_is_in_local_time(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(setenv("TZ", "EAST-09:30", 1), 0);
	tzset();
	log_line(&f->log, LOG_LEVEL_ERROR, "x");
	assert_string_equal(take(f), "2022/11/12 01:16:33 x\n");
}

static void
every_level_is_written(void **state)
{
	struct fixture *f = *state;

	for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_INFO; level++) {
		log_line(&f->log, (enum log_level)level, "level");
		assert_string_equal(take(f), "2022/11/11 15:46:33 level\n");
	}
}

static void
bytes_that_are_not_printable_are_escaped(void **state)
{
	static const struct {
		const char *text;
		const char *line;
	} rows[] = {
	    {"a\nb", "a\\x0ab"},
	    {"a\r\n2022/11/11 00:00:00 forged", "a\\x0d\\x0a2022/11/11 00:00:00 forged"},
	    {"\x1b[2J", "\\x1b[2J"},
	    {"\t", "\\x09"},
	    {"\x7f", "\\x7f"},
	    {"J\xc3\xb6rg", "J\\xc3\\xb6rg"},
	    {"\xff", "\\xff"},
	    {" ~!\"%'<>&;`$", " ~!\"%'<>&;`$"},
	    {"", ""},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		log_line(&f->log, LOG_LEVEL_INFO, "%s", rows[i].text);
		take(f);
		assert_int_equal(f->length, 21 + (ssize_t)strlen(rows[i].line));
		assert_memory_equal(f->line + 20, rows[i].line, strlen(rows[i].line));
		assert_int_equal(f->line[f->length - 1], '\n');
	}
}

/* Whatever the length of the text and its escapes: one line within the bound. */
static void
long_lines_end_in_dots(void **state)
{
	static char text[2 * LIMIT_LOG_LINE];
	static const struct {
		char byte;
		size_t width; /* of the byte in the line */
		size_t plain; /* bytes of width 1 before them */
	} rows[] = {{'x', 1, 0}, {'\n', 4, 0}, {'\n', 4, 1}, {'\n', 4, 2}, {'\n', 4, 3}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t n = 4; n < sizeof(text); n++) {
			size_t whole =
			    20 + rows[i].plain + (n - rows[i].plain) * rows[i].width + 1;
			const char *end;

			memset(text, rows[i].byte, n);
			memset(text, 'y', rows[i].plain);
			text[n] = '\0';
			log_line(&f->log, LOG_LEVEL_INFO, "%s", text);
			take(f);
			assert_in_range(f->length, 21, LIMIT_LOG_LINE);
			end = f->line + f->length - 1;
			assert_ptr_equal(strchr(f->line, '\n'), end);
			if (whole <= LIMIT_LOG_LINE - 8)
				assert_int_equal(f->length, whole);
			else if (whole > LIMIT_LOG_LINE)
				assert_memory_equal(end - 3, "...", 3);
			assert_memory_equal(f->line, "2022/11/11 15:46:33 ", 20);
		}
	}
}

static void
reader_that_is_gone_does_no_harm(void **state)
{
	struct fixture *f = *state;

	signal(SIGPIPE, SIG_IGN);
	close(f->ends[0]);
	f->ends[0] = -1;
	log_line(&f->log, LOG_LEVEL_INFO, "nobody reads this");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		line_has_the_time_the_text_and_one_newline, setup, teardown),
	    cmocka_unit_test_setup_teardown(line_is_in_local_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(every_level_is_written, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		bytes_that_are_not_printable_are_escaped, setup, teardown),
	    cmocka_unit_test_setup_teardown(long_lines_end_in_dots, setup, teardown),
	    cmocka_unit_test_setup_teardown(reader_that_is_gone_does_no_harm, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
