/*
 * authserver-resolver: looks up the groups of users, fetches the keys of others and has
 * passwords checked for the service, so that no process that reads requests or holds a key
 * speaks LDAP or HTTP, runs scripts or knows their passwords, and a source that hangs holds up
 * nobody. Started by authserver.fcgi, authserver.cgi and authserverctl; see
 * authserver-resolver(8).
 */
#define _GNU_SOURCE /* program_invocation_short_name */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "base/parse.h"
#include "config/flags.h"
#include "identity/lookup_message.h"
#include "resolver/serve.h"
#include "resolver/show.h"
#include "resolver/try.h"

enum {
	FLAG_SHOW = 0x200,
	FLAG_CLAIMED,
	FLAG_JSON,
	FLAG_CHECK,
	FLAG_CHECK_PASSWORD,
	FLAG_CHECK_ACCOUNT,
	FLAG_SERVE,
	FLAG_READY,
	SOCKETS_MAX = LIMIT_WORKERS
};

const char *argp_program_version = "authserver-resolver " VERSION;

struct arguments {
	struct flags flags;
	struct show show;
	struct try try;
	bool check;
	int sockets[SOCKETS_MAX];
	size_t count;
	int ready; /* where to tell whether we serve; -1: nowhere */
};

static const struct argp_option options[] = {
    {"show", FLAG_SHOW, "USER", 0, "Print what each source says of USER", 0},
    {"claimed", FLAG_CLAIMED, "GROUP,...", 0, "As if a token with these groups was shown", 0},
    {"json", FLAG_JSON, NULL, 0, "Print it as a JSON object", 0},
    {"check", FLAG_CHECK, NULL, 0, "Say what is wrong with the sources' configuration", 0},
    {"check-password", FLAG_CHECK_PASSWORD, "USER", 0,
	"Read a password from stdin and say whether it is USER's", 0},
    {"check-account", FLAG_CHECK_ACCOUNT, "USER", 0, "Say whether USER's account may be used",
	0},
    {"serve", FLAG_SERVE, "FD", OPTION_HIDDEN, "Serve a socket that was inherited", 0},
    {"ready", FLAG_READY, "FD", OPTION_HIDDEN, "Tell there whether we serve", 0},
    {0},
};

static int
read_descriptor(const char *value, struct argp_state *state)
{
	uint64_t fd;

	if (parse_number(value, strlen(value), INT_MAX, &fd) == -1)
		argp_error(state, "%s: want the number of a descriptor", value);
	return (int)fd;
}

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case FLAG_SHOW:
		a->show.user = value;
		return 0;
	case FLAG_CLAIMED:
		a->show.claimed = value;
		return 0;
	case FLAG_JSON:
		a->show.json = true;
		return 0;
	case FLAG_CHECK:
		a->check = true;
		return 0;
	case FLAG_CHECK_PASSWORD:
	case FLAG_CHECK_ACCOUNT:
		if (a->try.user != NULL)
			argp_error(state, "want one USER whose password or account is checked");
		a->try = (struct try){.user = value, .account = flag == FLAG_CHECK_ACCOUNT};
		return 0;
	case FLAG_SERVE:
		if (a->count == SOCKETS_MAX)
			argp_error(state, "too many sockets");
		a->sockets[a->count++] = read_descriptor(value, state);
		return 0;
	case FLAG_READY:
		a->ready = read_descriptor(value, state);
		return 0;
	case ARGP_KEY_END:
		if ((a->show.user != NULL) + (a->try.user != NULL) + a->check +
			(a->count > 0) !=
		    1)
			argp_error(state,
			    "want one of --show USER, --check, --check-password USER and "
			    "--check-account USER");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* That rc is 0, or why not. *e travels as it is: both ends are of one build. */
static void
report(int fd, int rc, const struct error *e)
{
	static const struct error none = {0};

	if (fd == -1)
		return;
	(void)!write(fd, rc == 0 ? &none : e, sizeof(none));
	close(fd);
}

/* Opens all that look-ups need; d lasts as long as the process. */
static int
open_desk(struct desk **d, const struct config *c, struct log *log, struct error *e)
{
	const struct desk_parts parts = {
	    .groups = &c->groups, .verify = &c->verify, .clock = &clock_system, .log = log};

	*log = (struct log){
	    .fd = c->log == LOG_TO_SYSLOG ? -1 : STDERR_FILENO, .clock = &clock_system};
	return desk_open(d, &parts, e);
}

static int
serve(const struct arguments *a, const struct config *c, struct error *e)
{
	const struct gate_parts gate = {
	    .config = &c->password, .flags = &a->flags, .clock = &clock_system};
	struct counters counters;
	struct log log;
	int rc = open_desk(&counters.desk, c, &log, e);

	if (rc == 0)
		rc = gate_open(&counters.gate, &gate, e);
	/* Before the report, so that who asks then has it behind them. */
	for (size_t i = 0; rc == 0 && i < a->count; i++)
		courier_hello(a->sockets[i], LOOKUP_ANSWER_MAGIC);
	report(a->ready, rc, e);
	return rc == -1 ? -1 : serve_sockets(&counters, a->sockets, a->count, e);
}

static int
check(const struct arguments *a, const struct config *c, struct error *e)
{
	struct log log;
	struct desk *desk;
	int rc = open_desk(&desk, c, &log, e);

	if (rc == 0)
		rc = gate_check(&c->password, e);
	report(a->ready, rc, e);
	return rc;
}

static int
run(const struct arguments *a, const struct config *c, struct error *e)
{
	if (a->count > 0)
		return serve(a, c, e);
	if (a->try.user != NULL)
		return try_password(c, &a->flags, &a->try, e);
	return a->check ? check(a, c, e) : show_groups(&c->groups, &a->show, e);
}

int
main(int argc, char **argv)
{
	static const struct argp_child children[] = {{&flags_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {.options = options,
	    .parser = parse_flag,
	    .doc = "Looks up groups, fetches keys and checks passwords for authserver.",
	    .children = children};
	static const struct rlimit none = {0, 0};
	struct arguments a = {.ready = -1};
	struct config config;
	struct error e = {0};
	int rc;

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	/* A careless parent ignores SIGCHLD, and the status of scripts would be lost. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	/* libldap reads no ldap.conf, no ldaprc, and nothing else of the environment. */
	(void)setenv("LDAPNOINIT", "1", 1);
	argp_err_exit_status = EX_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EX_USAGE;
	openlog("authserver-resolver", LOG_PID, LOG_DAEMON);
	rc = flags_load(&a.flags, &config, &e);
	if (rc == -1)
		report(a.ready, rc, &e);
	else
		rc = run(&a, &config, &e);
	if (fflush(stdout) == EOF && rc != -1)
		rc = error_set(&e, ERROR_UNAVAILABLE, "cannot write to stdout");
	/* Who was told passes it on. */
	if (rc == -1 && a.ready == -1)
		(void)fprintf(stderr, "%s: %s\n", program_invocation_short_name, e.text);
	/* At once: a thread may still ask a source that hangs. */
	_exit(rc == -1 ? error_exit_status(&e) : rc);
}
