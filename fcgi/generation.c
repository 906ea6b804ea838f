#include "fcgi/generation.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/child.h"
#include "fcgi/signer_process.h"
#include "fcgi/watch.h"
#include "fcgi/worker.h"
#include "signer/signing.h"

enum {
	BACKOFF_FIRST = 100, /* milliseconds before what died young is started again */
	BACKOFF_MAX = 5000,
	YOUNG = 1000, /* what lived longer than this is started again at once */
};

/* A process that is kept alive. */
struct slot {
	pid_t pid;       /* -1 while there is none */
	int64_t started; /* monotonic nanoseconds */
	int64_t due;     /* when it may be started again */
	int backoff;     /* milliseconds */
};

struct generation {
	struct config config;
	struct policy *policy;
	struct service *service;
	struct generation_parts parts;
	const struct flags *flags;
	uint64_t configuration; /* state of the file before it was read */
	uint64_t named;         /* and of those that it names */
	bool draining;
	unsigned int count;
	struct slot signer;
	struct slot workers[LIMIT_WORKERS];
	int worker_ends[LIMIT_WORKERS];
	int signer_ends[LIMIT_WORKERS];
};

static void
started(struct slot *s, pid_t pid)
{
	s->pid = pid;
	s->started = clock_monotonic(&clock_system);
}

static void
died(struct slot *s)
{
	int64_t now = clock_monotonic(&clock_system);

	s->pid = -1;
	if (now - s->started > YOUNG * (NANOSECONDS / 1000))
		s->backoff = 0;
	else if (s->backoff == 0)
		s->backoff = BACKOFF_FIRST;
	else if (s->backoff * 2 < BACKOFF_MAX)
		s->backoff *= 2;
	else
		s->backoff = BACKOFF_MAX;
	s->due = now + s->backoff * (NANOSECONDS / 1000);
}

static _Noreturn void
worker_main(struct generation *g, unsigned int i)
{
	struct worker_parts parts = {
	    .listeners = g->parts.listeners,
	    .tcp = listener_is_tcp(g->parts.listeners->web),
	    .signer = g->worker_ends[i],
	    .peers = &g->config.peers,
	    .service = g->service,
	    .log = g->parts.log,
	    .clock = &clock_system,
	    .entropy = &entropy_system,
	};
	int keep[3 + SERVICE_DESCRIPTORS] = {
	    g->parts.listeners->web, g->parts.listeners->peer, g->worker_ends[i]};
	struct error e = {0};

	service_descriptors(g->service, keep + 3);
	child_close_others(keep, sizeof(keep) / sizeof(keep[0]));
	if (worker_run(&parts, &e) == -1) {
		log_line(g->parts.log, LOG_LEVEL_ERROR, "Worker: %s", e.text);
		_exit(1);
	}
	_exit(0);
}

static int
start_worker(struct generation *g, unsigned int i)
{
	pid_t pid = child_fork(SIGTERM);

	if (pid == 0)
		worker_main(g, i);
	if (pid == -1)
		return -1;
	started(&g->workers[i], pid);
	return 0;
}

static int
start_signer(struct generation *g, struct error *e)
{
	pid_t pid = signer_process_start(
	    &g->config, g->policy, g->signer_ends, g->count, g->parts.log, e);

	if (pid == -1)
		return -1;
	started(&g->signer, pid);
	return 0;
}

static int
make_sockets(struct generation *g, struct error *e)
{
	const int queue = 1024 * 1024;
	int pair[2];

	for (unsigned int i = 0; i < g->count; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
			return error_set(e, ERROR_INTERNAL, "socketpair: %s", strerror(errno));
		/* As much as the kernel gives: every query in flight is to fit. */
		(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &queue, sizeof(queue));
		g->worker_ends[i] = pair[0];
		g->signer_ends[i] = pair[1];
	}
	return 0;
}

static int
open_service(struct generation *g, const struct flags *flags, struct error *e)
{
	struct service_parts parts = {
	    .config = &g->config,
	    .log = g->parts.log,
	    .clock = &clock_system,
	    .entropy = &entropy_system,
	    .condition = g->parts.condition,
	};

	g->configuration = watch_configuration(flags);
	if (flags_load(flags, &g->config, e) == -1)
		return -1;
	g->named = watch_named(&g->config);
	if (signing_check(&g->config, e) == -1) /* before anything is created */
		return -1;
	g->parts.log->fd = g->config.log == LOG_TO_SYSLOG ? -1 : STDERR_FILENO;
	if (policy_open(&g->policy, &g->config, e) == -1)
		return -1;
	parts.policy = g->policy;
	return service_open(&g->service, &parts, e);
}

int
generation_start(struct generation **out, const struct generation_parts *parts,
    const struct flags *flags, struct error *e)
{
	struct generation *g = calloc(1, sizeof(*g));
	int log_before = parts->log->fd;

	*out = NULL;
	if (g == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	g->parts = *parts;
	g->flags = flags;
	g->signer.pid = -1;
	for (unsigned int i = 0; i < LIMIT_WORKERS; i++)
		g->workers[i].pid = g->worker_ends[i] = g->signer_ends[i] = -1;
	if (open_service(g, flags, e) == -1)
		goto fail;
	g->count = g->config.workers;
	if (make_sockets(g, e) == -1 || start_signer(g, e) == -1)
		goto fail;
	for (unsigned int i = 0; i < g->count; i++) {
		if (start_worker(g, i) == -1) {
			error_set(e, ERROR_INTERNAL, "fork: %s", strerror(errno));
			goto fail;
		}
	}
	*out = g;
	return 0;
fail:
	generation_free(g);
	parts->log->fd = log_before;
	return -1;
}

void
generation_drain(struct generation *g)
{
	g->draining = true;
	for (unsigned int i = 0; i < g->count; i++)
		if (g->workers[i].pid != -1)
			(void)kill(g->workers[i].pid, SIGTERM);
}

bool
generation_changed(struct generation *g)
{
	uint64_t configuration = watch_configuration(g->flags);
	uint64_t named = watch_named(&g->config);
	bool changed = configuration != g->configuration || named != g->named;

	g->configuration = configuration;
	g->named = named;
	return changed;
}

void
generation_reopen(struct generation *g)
{
	service_reopen_audit(g->service); /* for workers that are started later */
	for (unsigned int i = 0; i < g->count; i++)
		if (g->workers[i].pid != -1)
			(void)kill(g->workers[i].pid, SIGUSR1);
}

void
generation_kill(struct generation *g)
{
	g->draining = true;
	for (unsigned int i = 0; i < g->count; i++)
		if (g->workers[i].pid != -1)
			(void)kill(g->workers[i].pid, SIGKILL);
}

bool
generation_reap(struct generation *g, int pid, int status)
{
	struct slot *s = pid == g->signer.pid ? &g->signer : NULL;

	for (unsigned int i = 0; i < g->count; i++)
		if (pid == g->workers[i].pid)
			s = &g->workers[i];
	if (s == NULL)
		return false;
	died(s);
	if (!g->draining || s == &g->signer)
		log_line(g->parts.log, LOG_LEVEL_ERROR,
		    "%s %d ended by %s %d; starting another",
		    s == &g->signer ? "Signer" : "Worker", pid,
		    WIFSIGNALED(status) ? "signal" : "exit status",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return true;
}

/* Milliseconds until the slot is due; -1 when its process runs; starts it when it is. */
static int
restart_slot(struct generation *g, struct slot *s)
{
	int64_t wait = s->due - clock_monotonic(&clock_system);
	struct error e = {0};

	if (s->pid != -1)
		return -1;
	if (wait > 0)
		return (int)(wait / (NANOSECONDS / 1000)) + 1;
	if (s == &g->signer ? start_signer(g, &e) == 0
			    : start_worker(g, (unsigned int)(s - g->workers)) == 0)
		return -1;
	if (*e.text != '\0')
		log_line(
		    g->parts.log, LOG_LEVEL_ERROR, "The signer cannot be started: %s", e.text);
	s->started = clock_monotonic(&clock_system);
	died(s);
	return s->backoff;
}

int
generation_restart(struct generation *g)
{
	int next;

	/* The signer is needed by what still drains; workers only by what does not. */
	next = generation_over(g) ? -1 : restart_slot(g, &g->signer);
	for (unsigned int i = 0; i < g->count && !g->draining; i++) {
		int wait = restart_slot(g, &g->workers[i]);

		if (wait != -1 && (next == -1 || wait < next))
			next = wait;
	}
	return next;
}

bool
generation_over(const struct generation *g)
{
	if (!g->draining)
		return false;
	for (unsigned int i = 0; i < g->count; i++)
		if (g->workers[i].pid != -1)
			return false;
	return true;
}

static void
end_process(struct slot *s)
{
	if (s->pid == -1)
		return;
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	s->pid = -1;
}

void
generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	end_process(&g->signer);
	for (unsigned int i = 0; i < LIMIT_WORKERS; i++) {
		end_process(&g->workers[i]);
		if (g->worker_ends[i] != -1)
			close(g->worker_ends[i]);
		if (g->signer_ends[i] != -1)
			close(g->signer_ends[i]);
	}
	service_close(g->service);
	policy_free(g->policy);
	config_free(&g->config);
	free(g);
}
