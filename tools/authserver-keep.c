/*
 * authserver-keep: keeps token files at fixed paths fresh, in one pass or for good.
 */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "base/parse.h"
#include "jose/key_memory.h"
#include "tools/authserver-keep/inspect.h"
#include "tools/authserver-keep/keeper.h"
#include "tools/authserver-keep/watch.h"

const char *argp_program_version = "authserver-keep " VERSION;

enum { FLAG_WATCH = 0x200, FLAG_EVERY, FLAG_FORCE, FLAG_LIST, EVERY = 60 /* seconds */ };

struct arguments {
	struct flags flags;
	struct keeper_options options;
	bool watch;
	bool list;
};

static const struct argp_option options[] = {
    {"watch", FLAG_WATCH, NULL, 0, "Stay and renew each file when it is due", 0},
    {"every", FLAG_EVERY, "DURATION", 0,
	"The time between two passes, which each sees to (1m); not with --watch", 0},
    {"force", FLAG_FORCE, NULL, 0, "Renew every file now, whatever time its token has left", 0},
    {"list", FLAG_LIST, NULL, 0, "Change nothing, print a table of the files", 0},
    {"dry-run", 'n', NULL, 0, "Change nothing, say what would be", 0},
    {"quiet", 'q', NULL, 0, "Log neither what is kept nor who is refused", 0},
    {0},
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;
	int64_t seconds;

	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case FLAG_WATCH:
		a->watch = true;
		return 0;
	case FLAG_EVERY:
		if (parse_duration(value, strlen(value), &seconds) == -1)
			argp_error(state, "--every: want a duration such as 90s or 5m");
		else
			a->options.every = seconds * NANOSECONDS;
		return 0;
	case FLAG_FORCE:
		a->options.force = true;
		return 0;
	case FLAG_LIST:
		a->list = true;
		return 0;
	case 'n':
		a->options.dry_run = true;
		return 0;
	case 'q':
		a->options.quiet = true;
		return 0;
	case ARGP_KEY_ARGS:
		a->options.names = state->argv + state->next;
		return 0;
	case ARGP_KEY_END:
		if (a->watch && (a->options.every != 0 || a->options.force ||
				    a->options.dry_run || a->list))
			argp_error(state,
			    "--watch goes with none of --every, --force, --dry-run, --list");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* One line a file: what is left of its token, when it ends, what is wrong with it. */
static int
list(struct keeper *k, struct error *e)
{
	int64_t now = clock_realtime(&clock_system) / NANOSECONDS;

	(void)printf("%-10s %-20s %-20s %s\n", "LEFT", "EXPIRES", "SUBJECT", "FILE");
	for (size_t i = 0; i < k->list.count; i++) {
		struct kept *f = &k->list.items[i];
		char until[CLOCK_UTC_SIZE] = "-", left[24] = "-";
		struct error wrong = {0};
		const char *why;

		if (inspect_file(f, k->issuer, false, &why, &wrong) == -1)
			why = wrong.text;
		if (f->expires != 0) {
			(void)clock_format_utc(until, f->expires);
			(void)snprintf(
			    left, sizeof(left), "%llds", (long long)(f->expires - now));
		}
		(void)printf("%-10s %-20s %-20s %s%s%s\n", left, until, f->subject, f->path,
		    why != NULL ? ": " : "", why != NULL ? why : "");
	}
	return fflush(stdout) == 0 ? 0
				   : error_set(e, ERROR_UNAVAILABLE, "cannot write to stdout");
}

static int
pass(struct keeper *k, struct error *e)
{
	if (keeper_scan(k, e) == -1)
		return -1;
	for (size_t i = 0; i < k->list.count; i++) {
		keeper_look(k, &k->list.items[i]);
		hooks_turn(k->hooks);
	}
	hooks_wait(k->hooks);
	return 0;
}

/* The exit status of a pass: what could not be done outweighs who was refused. */
static int
status_of(const struct keeper *k)
{
	for (size_t n = 0; n < k->list.sections; n++)
		if (k->list.said[n] != NULL)
			return EX_UNAVAILABLE;
	if (k->failed > 0)
		return EX_UNAVAILABLE;
	return k->refused > 0 ? 1 : EX_OK;
}

static int
keep(struct arguments *a, struct log *log)
{
	struct keeper k;
	struct error e = {0};
	int rc, status;

	if (!a->watch && a->options.every == 0)
		a->options.every = EVERY * NANOSECONDS;
	rc = keeper_open(&k, &a->options, log, &e);
	if (rc == 0 && k.issuer->config.log == LOG_TO_SYSLOG)
		log->fd = -1;
	if (rc == 0 && a->list)
		rc = list(&k, &e);
	else if (rc == 0)
		rc = a->watch ? watch_keep(&k, &e) : pass(&k, &e);
	status = rc == 0 && !a->watch ? status_of(&k) : EX_OK;
	keeper_close(&k);
	if (rc == 0)
		return status;
	log_line(log, LOG_LEVEL_ERROR, "authserver-keep: %s", e.text);
	return error_exit_status(&e);
}

int
main(int argc, char **argv)
{
	static const char *const names[] = {"config", "private-key", "issuer", "set", NULL};
	struct flags_few few;
	const struct argp argp = {.options = options,
	    .parser = parse_flag,
	    .args_doc = "[NAME...]",
	    .doc =
		"Keep the token files of the sections keep of the configuration fresh.\v"
		"One pass for cron(8), or for good with --watch until SIGTERM; of the sections "
		"that are named, or of all. Exit status: 0 done, 1 a subject was refused, 64 "
		"usage, 66 a file cannot be read, 69 a file could not be kept, 77 no "
		"permission, 78 configuration.",
	    .children = flags_some(&few, names, "The configuration, by flags of the service:")};
	static const struct rlimit none = {0, 0};
	struct log log = {.fd = STDERR_FILENO, .clock = &clock_system};
	struct arguments a = {0};

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)key_memory_cleanse();
	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	a.options.flags = &a.flags;
	openlog("authserver-keep", LOG_PID, LOG_DAEMON);
	if (a.watch)
		watch_block();
	return keep(&a, &log);
}
