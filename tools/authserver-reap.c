/*
 * authserver-reap: deletes token files that have reached their age, once or as they do, and
 * what has expired in the state directory.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "config/config.h"
#include "store/directory.h"
#include "store/state.h"
#include "store/sweep.h"
#include "store/watch.h"

const char *argp_program_version = "authserver-reap " VERSION;

enum { FLAG_CONFIG = 0x100, FLAG_MAX_AGE, FLAG_WATCH, FLAG_ALL, FLAG_STATE };

/* How often the state directory is swept, in seconds: nothing in it is in a hurry. */
enum { STATE_EVERY = 10 * 60 };

struct arguments {
	const char *config_file;
	const char *directory;
	const char *max_age;
	const char *state;
	bool watch;
	bool all;
	bool dry_run;
	bool quiet;
};

static const struct argp_option options[] = {
    {"config", FLAG_CONFIG, "FILE", 0,
	"Read directory, max-age and state from authserver.conf FILE", 0},
    {"directory", 'd', "DIR", 0, "The token directory (/tmp/tokens)", 0},
    {"max-age", FLAG_MAX_AGE, "DURATION", 0,
	"Delete files of this age, such as 10s or 15m (10s)", 0},
    {"state", FLAG_STATE, "DIR", 0,
	"The state directory, where what has expired is deleted too (none)", 0},
    {"watch", FLAG_WATCH, NULL, 0, "Stay and delete each file when it reaches its age", 0},
    {"all", FLAG_ALL, NULL, 0, "Delete every token file now, whatever its age", 0},
    {"dry-run", 'n', NULL, 0, "Delete nothing, say what would be deleted", 0},
    {"quiet", 'q', NULL, 0, "Do not log what is deleted", 0},
    {0},
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (flag) {
	case FLAG_CONFIG:
		a->config_file = value;
		return 0;
	case 'd':
		a->directory = value;
		return 0;
	case FLAG_MAX_AGE:
		a->max_age = value;
		return 0;
	case FLAG_STATE:
		a->state = value;
		return 0;
	case FLAG_WATCH:
		a->watch = true;
		return 0;
	case FLAG_ALL:
		a->all = true;
		return 0;
	case 'n':
		a->dry_run = true;
		return 0;
	case 'q':
		a->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: the directory is given with --directory", value);
		return 0;
	case ARGP_KEY_END:
		if (a->all && (a->watch || a->max_age != NULL))
			argp_error(state, "--all goes with neither --watch nor --max-age");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
load_config(struct config *c, const struct arguments *a, struct error *e)
{
	if (config_init(c, e) == -1)
		return -1;
	if (a->config_file != NULL && config_read(c, a->config_file, e) == -1)
		return -1;
	if (a->directory != NULL &&
	    config_set(c, "directory", a->directory, "command line", e) == -1)
		return -1;
	if (a->max_age != NULL && config_set(c, "max-age", a->max_age, "command line", e) == -1)
		return -1;
	if (a->state != NULL && config_set(c, "state", a->state, "command line", e) == -1)
		return -1;
	return 0;
}

/* What the callbacks need to say it. */
struct report {
	const struct log *log;
	const struct directory *directory;
	const struct arguments *arguments;
	const struct state *state; /* NULL: none */
	int64_t next;              /* monotonic time of its next sweep */
};

static void
report_deleted(void *context, const char *name)
{
	const struct report *r = context;

	if (r->arguments->dry_run)
		log_line(r->log, LOG_LEVEL_INFO, "Would delete token: %s/%s",
		    r->directory->path, name);
	else if (!r->arguments->quiet)
		log_line(
		    r->log, LOG_LEVEL_INFO, "Deleted token: %s/%s", r->directory->path, name);
}

static void
report_kept(void *context, const char *name, const char *reason)
{
	const struct report *r = context;

	log_line(r->log, LOG_LEVEL_WARNING, "Not deleted: %s/%s: %s", r->directory->path, name,
	    reason);
}

/* One pass over the state directory. */
static int
sweep_state(const struct report *r, struct error *e)
{
	struct state_sweep s = {.now = clock_realtime(&clock_system) / NANOSECONDS,
	    .dry_run = r->arguments->dry_run};
	int rc = state_sweep(r->state, &s, e);

	if (s.families + s.revocations > 0 && (s.dry_run || !r->arguments->quiet))
		log_line(r->log, LOG_LEVEL_INFO,
		    "%s of refresh tokens: %zu, of revocations: %zu, in %s",
		    s.dry_run ? "Would delete, for they have expired, families"
			      : "Deleted, for they have expired, families",
		    s.families, s.revocations, state_directory(r->state)->path);
	return rc;
}

/* What cannot be deleted now may be the next time; token files do not wait for it. */
static void
report_meanwhile(void *context)
{
	struct report *r = context;
	int64_t now = clock_monotonic(&clock_system);
	struct error e;

	if (r->state == NULL || now < r->next)
		return;
	r->next = now + STATE_EVERY * NANOSECONDS;
	if (sweep_state(r, &e) == -1)
		log_line(r->log, LOG_LEVEL_ERROR, "authserver-reap: %s", e.text);
}

/* Blocks the signals that end us and gives a descriptor that tells of them. */
static int
open_stop(struct error *e)
{
	sigset_t signals;
	int fd;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1)
		return error_set(e, ERROR_UNAVAILABLE, "signalfd: %s", strerror(errno));
	return fd;
}

static int
reap(struct report *r, const struct config *c, struct error *e)
{
	const struct arguments *a = r->arguments;
	struct sweep_options o = {.max_age = a->all ? 0 : c->max_age * NANOSECONDS,
	    .dry_run = a->dry_run,
	    .deleted = report_deleted,
	    .kept = report_kept,
	    .meanwhile = report_meanwhile,
	    .context = r};
	size_t count;
	int stop = -1;
	int rc = -1;

	if (a->watch) {
		stop = open_stop(e);
		if (stop != -1)
			rc = watch_run(r->directory, &o, &clock_system, stop, e);
	} else {
		rc = sweep_once(r->directory, &o, &clock_system, &count, e);
		if (rc == 0 && r->state != NULL)
			rc = sweep_state(r, e);
	}
	if (stop != -1)
		close(stop);
	return rc;
}

static int
open_and_reap(
    const struct arguments *a, const struct config *c, const struct log *log, struct error *e)
{
	struct directory d;
	struct state *state = NULL;
	struct report r = {.log = log, .directory = &d, .arguments = a};
	int rc = -1;

	if (directory_open(&d, c->directory, 0, (gid_t)-1, e) == -1)
		return -1;
	if (c->state == NULL || state_find(&state, c->state, e) == 0) {
		r.state = state;
		rc = reap(&r, c, e);
	}
	state_close(state);
	directory_close(&d);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {.options = options,
	    .parser = parse_flag,
	    .doc =
		"Delete token files that have reached their age.\v"
		"One pass for cron(8), or for good with --watch until SIGTERM. The time in a "
		"file's name says its age. Exit status: 0 done, 64 usage, 69 the directory "
		"cannot be used now, 77 no permission, 78 configuration."};
	struct arguments a = {0};
	const struct log log = {.fd = STDERR_FILENO, .clock = &clock_system};
	struct config c = {0};
	struct error e = {0};
	int rc;

	/* Large blocks are short-lived: give each back to the system when it is freed. */
	(void)mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	rc = load_config(&c, &a, &e);
	if (rc == 0)
		rc = open_and_reap(&a, &c, &log, &e);
	if (rc == -1)
		log_line(&log, LOG_LEVEL_ERROR, "authserver-reap: %s", e.text);
	config_free(&c);
	return rc == 0 ? EX_OK : error_exit_status(&e);
}
