/*
 * authserver-password: checks one password, and ends. PAM's modules and the password are thus
 * in a process that holds nothing else and does nothing after. Started by authserver-resolver;
 * see authserver-password(8).
 */
#define _GNU_SOURCE /* explicit_bzero, close_range, clearenv */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/flags.h"
#include "identity/source_ldap_password.h"
#include "password/pam.h"

/* Where the resolver puts the configuration, of which it gives the name of the descriptor. */
enum { CONFIGURATION = 3 };

const char *argp_program_version = "authserver-password " VERSION;

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	(void)value;
	if (flag != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = state->input;
	return 0;
}

/* The whole question, from stdin: no more than one can be, and then its end. */
static int
read_question(char text[PASSWORD_TEXT + 1], struct password_question *q, struct error *e)
{
	size_t size = 0;

	while (size <= PASSWORD_TEXT) {
		ssize_t n = read(STDIN_FILENO, text + size, PASSWORD_TEXT + 1 - size);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return error_set(e, ERROR_UNAVAILABLE, "stdin: %s", strerror(errno));
		if (n == 0)
			break;
		size += (size_t)n;
	}
	if (size > PASSWORD_TEXT || password_unpack(q, text, size) == -1)
		return error_set(e, ERROR_DENIED, "this is no name, or no password");
	return 0;
}

/* What modules and libraries find: nothing of whoever started us, and nowhere to print to. The
 * answer goes to *answer, which no program that they start has. */
static int
seclude(int *answer, struct error *e)
{
	int none;

	(void)close(CONFIGURATION);
	none = open("/dev/null", O_RDWR | O_CLOEXEC);
	*answer = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (none == -1 || *answer == -1 || dup2(none, STDIN_FILENO) == -1 ||
	    dup2(none, STDOUT_FILENO) == -1 || dup2(none, STDERR_FILENO) == -1 ||
	    clearenv() != 0 || setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) == -1 ||
	    setenv("LC_ALL", "C.UTF-8", 1) == -1 ||
	    /* libldap reads no ldap.conf, no ldaprc, and nothing else of the environment. */
	    setenv("LDAPNOINIT", "1", 1) == -1 || chdir("/") == -1)
		return error_set(e, ERROR_UNAVAILABLE, "/dev/null: %s", strerror(errno));
	return 0;
}

static int
check(const struct password_config *c, const struct password_question *q, struct error *e)
{
	switch (c->source) {
	case PASSWORD_LDAP:
		return ldap_password_check(&c->ldap, q, e);
	case PASSWORD_PAM:
		return pam_check(c->service, q, e);
	default:
		return error_set(
		    e, ERROR_UNAVAILABLE, "the configuration has no section password");
	}
}

static int
judge(const struct flags *flags, int *answer, struct error *e)
{
	char text[PASSWORD_TEXT + 1];
	struct password_question q;
	struct config config = {0};
	int rc = -1;

	if (read_question(text, &q, e) == 0 && flags_load(flags, &config, e) == 0 &&
	    seclude(answer, e) == 0)
		rc = check(&config.password, &q, e);
	explicit_bzero(text, sizeof(text));
	config_free(&config);
	return rc;
}

static void
harden(void)
{
	static const struct rlimit none = {0, 0};

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)umask(077);
	/* Modules start helpers and wait for them. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	/* What waits for us may end. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)close_range(CONFIGURATION + 1, ~0U, 0);
}

int
main(int argc, char **argv)
{
	static const struct argp_child children[] = {{&flags_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {.parser = parse_flag,
	    .doc = "Checks one password for authserver.\v"
		   "Reads USER and PASSWORD from stdin, a NUL behind each; without a password, "
		   "checks whether the account may be used. Exit status: 0 right, 1 wrong, 111 "
		   "it cannot be said, 64 usage.",
	    .children = children};
	struct flags flags = {0};
	struct error e = {0};
	char line[PASSWORD_ANSWER];
	int answer = -1;
	int rc, status;

	harden();
	argp_err_exit_status = EX_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &flags) != 0)
		return EX_USAGE;
	rc = judge(&flags, &answer, &e);
	status = password_answer_write(line, rc, &e);
	(void)!write(answer != -1 ? answer : STDOUT_FILENO, line, strlen(line));
	/* At once: what a module has left for the end is none of ours. */
	_exit(status);
}
