#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "fcgi/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/child.h"
#include "fcgi/generation.h"

enum {
	OLD_MAX = 8,         /* generations that may drain at once */
	DRAIN_DEADLINE = 15, /* seconds before what still drains is killed, where we end, too */
	WATCH = 10,          /* seconds between looks at the files of the configuration */
	RETRY_FIRST = 60,    /* before a reload that failed is tried again, and twice as many */
	RETRY_MAX = 3600,    /* each time: a PIN that is wrong too often locks its token */
};

struct old {
	struct generation *generation; /* NULL: free */
	int64_t deadline;
};

struct monitor {
	struct generation_parts parts;
	struct handover handover;
	struct condition *condition; /* in memory that the workers read too */
	const struct flags *flags;
	int64_t next_watch; /* monotonic nanoseconds */
	int64_t next_retry; /* of a reload that failed */
	int64_t retry;      /* seconds to the one after */
	char
	    failure[LIMIT_ERROR_TEXT]; /* of the last reload, said once; "" when it succeeded */
	struct generation *current;
	struct old old[OLD_MAX];
};

static int64_t
now(void)
{
	return clock_monotonic(&clock_system);
}

/* A worker holds a descriptor a connection. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void
retire(struct monitor *m, struct generation *g, int64_t seconds)
{
	struct old *free_slot = &m->old[0];

	/* With every place taken, reloads come faster than requests end: the one whose
	 * time is over first gives way. */
	for (size_t i = 0; i < OLD_MAX; i++) {
		if (m->old[i].generation == NULL) {
			free_slot = &m->old[i];
			break;
		}
		if (m->old[i].deadline < free_slot->deadline)
			free_slot = &m->old[i];
	}
	generation_free(free_slot->generation);
	generation_drain(g);
	*free_slot = (struct old){.generation = g, .deadline = now() + seconds * NANOSECONDS};
}

/* The new generation serves before the old one stops. */
static void
reload(struct monitor *m, bool asked)
{
	struct generation *next = NULL;
	struct error e = {0};

	if (generation_start(&next, &m->parts, m->current, m->flags, &e) == -1) {
		if (asked || strcmp(m->failure, e.text) != 0)
			log_line(m->parts.log, LOG_LEVEL_ERROR,
			    "Not reloaded, the old configuration stays: %s", e.text);
		memcpy(m->failure, e.text, sizeof(m->failure));
		m->condition->stale = true;
		m->next_retry = now() + m->retry * NANOSECONDS;
		m->retry = 2 * m->retry < RETRY_MAX ? 2 * m->retry : RETRY_MAX;
		return;
	}
	*m->failure = '\0';
	m->retry = RETRY_FIRST;
	m->condition->stale = false;
	/* What has been asked of a directory is answered yet. */
	retire(m, m->current, DRAIN_DEADLINE + generation_patience(m->current));
	m->current = next;
	log_line(m->parts.log, LOG_LEVEL_INFO, asked ? "Reloaded" : "Reloaded: a file changed");
}

/* Reloads when a file changed. What failed is tried again in any case, now and then, since the
 * files that the configuration would have named are not known. Milliseconds until the next
 * look. */
static int
watch(struct monitor *m)
{
	int64_t wait = m->next_watch - now();

	if (m->current == NULL)
		return -1;
	if (wait <= 0) {
		bool due = *m->failure != '\0' && m->next_retry <= now();

		if (generation_changed(m->current) || due)
			reload(m, false);
		wait = WATCH * NANOSECONDS;
		m->next_watch = now() + wait;
	}
	return (int)(wait / (NANOSECONDS / 1000)) + 1;
}

static void
reopen(struct monitor *m)
{
	if (m->current != NULL)
		generation_reopen(m->current);
	for (size_t i = 0; i < OLD_MAX; i++)
		if (m->old[i].generation != NULL)
			generation_reopen(m->old[i].generation);
}

static void
reap_children(struct monitor *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		bool known = m->current != NULL && generation_reap(m->current, pid, status);

		for (size_t i = 0; i < OLD_MAX && !known; i++)
			if (m->old[i].generation != NULL)
				known = generation_reap(m->old[i].generation, pid, status);
	}
}

static int
sooner(int a, int b)
{
	if (a == -1)
		return b;
	return b == -1 || a < b ? a : b;
}

/* Restarts and ends what is due. Milliseconds until there is more to do, or -1. */
static int
maintain(struct monitor *m)
{
	int next = m->current == NULL ? -1 : generation_restart(m->current);

	for (size_t i = 0; i < OLD_MAX; i++) {
		struct old *o = &m->old[i];

		if (o->generation == NULL)
			continue;
		if (generation_over(o->generation)) {
			generation_free(o->generation);
			o->generation = NULL;
			continue;
		}
		if (o->deadline <= now())
			generation_kill(o->generation);
		next = sooner(next, generation_restart(o->generation));
		next = sooner(next, 1000); /* look at the deadline again */
	}
	return next;
}

static bool
all_over(const struct monitor *m)
{
	for (size_t i = 0; i < OLD_MAX; i++)
		if (m->old[i].generation != NULL)
			return false;
	return m->current == NULL;
}

/* Waits for one of signals; 0 when the time is over first. */
static int
wait_signal(const sigset_t *signals, int milliseconds)
{
	struct timespec limit = {
	    .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
	int n = milliseconds == -1 ? sigwaitinfo(signals, NULL)
				   : sigtimedwait(signals, NULL, &limit);

	return n > 0 ? n : 0;
}

static void
handle(struct monitor *m, int signal)
{
	switch (signal) {
	case SIGHUP:
		if (m->current != NULL)
			reload(m, true);
		break;
	case SIGUSR1:
		reopen(m);
		break;
	case SIGTERM:
	case SIGINT:
		handover_end(&m->handover); /* there will be nobody */
		/* Who stops us does not wait for what an older configuration may ask. */
		for (size_t i = 0; i < OLD_MAX; i++)
			if (m->old[i].deadline > now() + DRAIN_DEADLINE * NANOSECONDS)
				m->old[i].deadline = now() + DRAIN_DEADLINE * NANOSECONDS;
		if (m->current != NULL)
			retire(m, m->current, DRAIN_DEADLINE);
		m->current = NULL;
		break;
	default:
		break;
	}
}

static void
block_signals(sigset_t *signals)
{
	static const int ours[] = {SIGCHLD, SIGHUP, SIGUSR1, SIGTERM, SIGINT};

	sigemptyset(signals);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(signals, ours[i]);
	(void)sigprocmask(SIG_BLOCK, signals, NULL);
}

/* Whether somebody wants nothing else any more. */
static bool
told_to_end(void)
{
	sigset_t waiting;

	return sigpending(&waiting) == 0 &&
	       (sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1);
}

int
monitor_run(const struct listeners *listeners, const struct flags *flags, struct log *log,
    struct error *e)
{
	struct monitor m = {
	    .flags = flags, .next_watch = now() + WATCH * NANOSECONDS, .retry = RETRY_FIRST};
	sigset_t signals;

	m.condition = mmap(NULL, sizeof(*m.condition), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m.condition == MAP_FAILED)
		return error_set(e, ERROR_INTERNAL, "mmap: %s", strerror(errno));
	if (handover_open(&m.handover) == -1)
		return error_set(e, ERROR_INTERNAL, "socketpair: %s", strerror(errno));
	m.parts = (struct generation_parts){.listeners = listeners,
	    .handover = &m.handover,
	    .log = log,
	    .condition = m.condition};
	child_hide();
	raise_descriptor_limit();
	block_signals(&signals);
	if (generation_start(&m.current, &m.parts, NULL, flags, e) == -1)
		return told_to_end() ? 0 : -1;
	log_line(log, LOG_LEVEL_INFO, "Ready");
	while (!all_over(&m)) {
		int next = maintain(&m);

		if (all_over(&m)) /* with nothing left, no signal would come */
			break;
		handle(&m, wait_signal(&signals, sooner(next, watch(&m))));
		reap_children(&m);
	}
	return 0;
}
