#define _GNU_SOURCE /* sigabbrev_np */
#include "tools/authserver/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>

#include "tools/authserver/complain.h"
#include "tools/authserver/port.h"

enum {
	MILLISECOND = 1000000,
	PROBE_MS = 1,         /* between two looks while starting */
	START_S = 20,         /* until all serve */
	DEATHS = 5,           /* of one part ... */
	DEATHS_S = 30,        /* ... in that time are too many */
	SETTLED_S = 1,        /* a part that ends by itself before that did not start */
	BACKOFF_MS = 50,      /* before the second restart, doubled for each one after */
	NGINX_QUIT_MS = 3000, /* for requests that are being answered */
	FCGI_DRAIN_MS = 5000,
	END_MS = 1000, /* for a part that has nothing to wait for */
	DELETE_MS = 10000,
};

struct history {
	int64_t started;
	int64_t due; /* when to start it again; 0: not waiting for that */
	int64_t deaths[DEATHS];
	unsigned int count;
};

struct supervisor {
	struct plan *plan;
	const struct log *log;
	sigset_t set;
	struct history history[PARTS];
	int64_t deadline; /* until all serve */
	bool serving;
	bool stopping;
	int status;
};

static void
fill_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGCHLD);
}

void
supervise_prepare(void)
{
	sigset_t set;

	fill_set(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	/* A shell's background job ignores SIGINT, a careless parent SIGCHLD. */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	(void)signal(SIGUSR1, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN); /* stderr may be a pipe whose reader went */
}

static void
stop_with(struct supervisor *s, int status)
{
	s->stopping = true;
	s->status = status;
}

static void
start(struct supervisor *s, enum part part)
{
	struct error e;

	s->history[part].due = 0;
	s->history[part].started = clock_monotonic(&clock_system);
	if (child_start(&s->plan->parts[part], &e) == -1)
		stop_with(s, complain_error(&e));
}

/* A part ended: start it again after a while, or give up. */
static void
bury(struct supervisor *s, enum part part)
{
	struct history *h = &s->history[part];
	const struct child *c = &s->plan->parts[part];
	int64_t now = clock_monotonic(&clock_system);
	bool fresh = h->count == 0 && now - h->started < SETTLED_S * NANOSECONDS;
	int64_t *oldest = &h->deaths[h->count % DEATHS];
	unsigned int lately = 0;

	if (WIFSIGNALED(c->status))
		log_line(s->log, LOG_LEVEL_ERROR, "%s was ended by signal %d", c->name,
		    WTERMSIG(c->status));
	else if (s->serving && !fresh)
		log_line(s->log, LOG_LEVEL_ERROR, "%s ended with status %d", c->name,
		    WEXITSTATUS(c->status));
	/* What does not start has said why. */
	if (!s->serving || (fresh && !WIFSIGNALED(c->status))) {
		stop_with(s, child_exit_status(c));
		return;
	}
	if (h->count >= DEATHS && now - *oldest < DEATHS_S * NANOSECONDS) {
		log_line(s->log, LOG_LEVEL_ERROR, "%s ended %d times in %d seconds: stopping",
		    c->name, DEATHS + 1, DEATHS_S);
		stop_with(s, child_exit_status(c));
		return;
	}
	for (unsigned int i = 0; i < DEATHS && i < h->count; i++)
		lately += now - h->deaths[i] < DEATHS_S * NANOSECONDS;
	h->due = now;
	if (lately > 0)
		h->due += ((int64_t)BACKOFF_MS << (lately - 1)) * MILLISECOND;
	*oldest = now;
	h->count++;
}

/* As the first process of a container we get the orphans of others, too. */
static void
reap_strangers(struct supervisor *s)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    info.si_pid == 0)
			return;
		for (size_t i = 0; i < PARTS; i++)
			if (info.si_pid == s->plan->parts[i].pid)
				return; /* its SIGCHLD is pending */
		(void)waitpid(info.si_pid, NULL, WNOHANG);
	}
}

/* nginx writes its process number when it listens: then nobody else answers there. */
static bool
nginx_listens(const struct supervisor *s)
{
	struct stat st;

	return fstatat(s->plan->run->fd, RUNDIR_PID, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_size > 0;
}

static void
await_service(struct supervisor *s, struct port_probe *probe)
{
	if (nginx_listens(s) && port_probe_step(probe) == 1) {
		/* The directory that it watches exists now. */
		if (s->plan->parts[PART_REAPER].argv != NULL)
			start(s, PART_REAPER);
		s->serving = true;
		if (s->plan->warning != NULL)
			log_line(s->log, LOG_LEVEL_WARNING, "%s", s->plan->warning);
		log_line(s->log, LOG_LEVEL_INFO, "%s", s->plan->announce);
	} else if (clock_monotonic(&clock_system) > s->deadline) {
		stop_with(s, complain(EX_UNAVAILABLE, "no answer on port %u within %d seconds",
				 (unsigned int)s->plan->port, START_S));
	}
}

static void
take_signal(struct supervisor *s, int number)
{
	switch (number) {
	case SIGTERM:
	case SIGINT:
		log_line(s->log, LOG_LEVEL_INFO, "Stopping: SIG%s", sigabbrev_np(number));
		stop_with(s, EX_OK);
		break;
	case SIGHUP:
	case SIGUSR1:
		/* Before it serves it has not read or opened anything that could be old. */
		if (s->serving)
			child_signal(&s->plan->parts[PART_FCGI], number);
		break;
	default:
		break;
	}
}

/* How long nothing is to be done unless a signal comes. */
static struct timespec
pause_length(const struct supervisor *s)
{
	int64_t now = clock_monotonic(&clock_system);
	int64_t left = s->serving ? 3600 * NANOSECONDS : PROBE_MS * MILLISECOND;

	for (size_t i = 0; i < PARTS; i++) {
		int64_t due = s->history[i].due;

		if (due != 0 && due - now < left)
			left = due > now ? due - now : 0;
	}
	return (struct timespec){.tv_sec = left / NANOSECONDS, .tv_nsec = left % NANOSECONDS};
}

static void
look_after(struct supervisor *s)
{
	for (enum part i = 0; i < PARTS && !s->stopping; i++) {
		struct child *c = &s->plan->parts[i];
		struct history *h = &s->history[i];

		if (c->pid != 0 && child_ended(c))
			bury(s, i);
		if (h->due != 0 && h->due <= clock_monotonic(&clock_system))
			start(s, i);
	}
	reap_strangers(s);
}

static void
end_child(struct child *c, int number, int milliseconds)
{
	child_signal(c, number);
	if (!child_wait(c, milliseconds))
		child_kill(c);
}

/* No token file may outlive the process that would have deleted it. */
static void
delete_tokens(struct supervisor *s)
{
	struct child c = {.name = "authserver-reap", .argv = s->plan->delete_all, .input = -1};
	struct error e;

	if (child_start(&c, &e) == -1) {
		complain_error(&e);
		return;
	}
	if (!child_wait(&c, DELETE_MS)) {
		child_kill(&c);
		log_line(
		    s->log, LOG_LEVEL_ERROR, "token files are left: deleting took too long");
	}
}

static void
stop(struct supervisor *s)
{
	struct child *parts = s->plan->parts;
	bool reaper_ran = s->history[PART_REAPER].started != 0;

	if (s->serving) { /* requests that came are answered, new ones are refused */
		child_signal(&parts[PART_NGINX], SIGQUIT);
		(void)child_wait(&parts[PART_NGINX], NGINX_QUIT_MS);
	}
	end_child(&parts[PART_NGINX], SIGTERM, END_MS);
	end_child(&parts[PART_FCGI], SIGTERM, s->serving ? FCGI_DRAIN_MS : END_MS);
	end_child(&parts[PART_REAPER], SIGTERM, END_MS);
	if (reaper_ran)
		delete_tokens(s);
}

int
supervise(struct plan *p, const struct log *log)
{
	struct port_probe probe = {.port = p->port, .host = p->host, .fd = -1};
	struct supervisor s = {.plan = p,
	    .log = log,
	    .deadline = clock_monotonic(&clock_system) + START_S * NANOSECONDS};

	fill_set(&s.set);
	start(&s, PART_FCGI);
	if (!s.stopping)
		start(&s, PART_NGINX);
	while (!s.stopping) {
		struct timespec t = pause_length(&s);
		int number = sigtimedwait(&s.set, NULL, &t);

		if (number > 0)
			take_signal(&s, number);
		if (!s.stopping)
			look_after(&s);
		if (!s.stopping && !s.serving)
			await_service(&s, &probe);
	}
	port_probe_end(&probe);
	stop(&s);
	return s.status;
}
