#define _GNU_SOURCE /* explicit_bzero */
#include "resolver/try.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "identity/password.h"
#include "resolver/checker.h"
#include "resolver/gate.h"

enum { MILLISECOND = NANOSECONDS / 1000, GRACE = 300 };

/* The first line, or all there is. One that is no password, since it is too long or has a NUL,
 * becomes an empty one. No stdio: it would keep a copy. */
static int
read_line(char *to, size_t size, struct error *e)
{
	bool fits = true;
	size_t length = 0;
	char c = '\0';
	ssize_t n;

	*to = '\0';
	for (;;) {
		do
			n = read(STDIN_FILENO, &c, 1);
		while (n == -1 && errno == EINTR);
		if (n == -1)
			return error_set(e, ERROR_UNAVAILABLE, "stdin: %s", strerror(errno));
		if (n == 0 || c == '\n')
			break;
		fits = fits && c != '\0' && length + 1 < size;
		if (fits)
			to[length++] = c;
	}
	to[fits ? length : 0] = '\0';
	return 0;
}

static int
read_password(char password[LIMIT_PASSWORD], struct error *e)
{
	bool terminal = isatty(STDIN_FILENO) == 1;
	struct termios before, silent;
	int rc;

	if (!terminal || tcgetattr(STDIN_FILENO, &before) == -1)
		return read_line(password, LIMIT_PASSWORD, e);
	(void)fputs("Password: ", stderr);
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	rc = read_line(password, LIMIT_PASSWORD, e);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	(void)fputs("\n", stderr);
	return rc;
}

/* Follows one check to its end. */
static int
run(const struct checker_program *program, const char *text, size_t size, int64_t timeout,
    struct error *e)
{
	int64_t deadline = clock_monotonic(&clock_system) + timeout;
	struct pollfd ended = {.events = POLLIN};
	struct checker c;
	int64_t left;
	int n = 0;
	int rc;

	if (checker_start(&c, program, text, size, e) == -1)
		return -1;
	ended.fd = c.pidfd;
	while (n != 1 && (left = deadline - clock_monotonic(&clock_system)) > 0)
		n = poll(&ended, 1, (int)(left / MILLISECOND) + 1);
	if (n != 1)
		checker_kill(&c);
	rc = checker_finish(&c, e);
	return n == 1
		   ? rc
		   : error_set(e, ERROR_UNAVAILABLE, "the check of the password took too long");
}

static int
check(const struct config *c, const struct flags *flags, const struct password_question *q,
    struct error *e)
{
	int64_t timeout =
	    password_timeout(&c->password) * NANOSECONDS + GRACE * (int64_t)MILLISECOND;
	struct checker_program program;
	char text[PASSWORD_TEXT];
	int rc;

	if (!password_is_askable(q))
		return error_set(e, ERROR_DENIED, "this is no name, or no password");
	if (gate_check(&c->password, e) == -1 || checker_program_open(&program, flags, e) == -1)
		return -1;
	rc = run(&program, text, password_pack(text, q), timeout, e);
	explicit_bzero(text, sizeof(text));
	checker_program_close(&program);
	return rc;
}

int
try_password(
    const struct config *c, const struct flags *flags, const struct try *t, struct error *e)
{
	char password[LIMIT_PASSWORD];
	const struct password_question q = {
	    .user = t->user, .password = t->account ? NULL : password};
	int rc;

	if (c->password.source == PASSWORD_NONE)
		return error_set(e, ERROR_CONFIG,
		    "the configuration has no section password: authserver.password(5)");
	if (!t->account && read_password(password, e) == -1)
		return -1;
	rc = check(c, flags, &q, e);
	explicit_bzero(password, sizeof(password));
	if (rc == -1 && e->code != ERROR_DENIED)
		return -1;
	if (rc == 0)
		(void)printf("right\n");
	else
		(void)printf("wrong: %s\n", e->text);
	return rc == 0 ? 0 : 1;
}
