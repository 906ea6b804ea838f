#define _GNU_SOURCE /* pipe2 */
#include "fcgi/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/accounts_process.h"
#include "fcgi/apart.h"
#include "fcgi/child.h"
#include "fcgi/links.h"
#include "fcgi/resolver_process.h"
#include "fcgi/sandbox.h"
#include "fcgi/signer_process.h"
#include "fcgi/slot.h"
#include "fcgi/worker_process.h"
#include "config/watch.h"
#include "signer/signing.h"

enum { SIGNER_ENDS = 200 }; /* milliseconds to cleanse its keys; a module may hang */

struct generation {
	struct config config;
	struct policy *policy;
	struct service *service;
	struct sandbox sandbox;
	struct generation_parts parts;
	struct listeners listeners;
	const struct flags *flags;
	uint64_t configuration; /* state of the file before it was read */
	uint64_t named;         /* and of those that it names */
	bool draining;
	unsigned int count;
	int gate;      /* where the first workers wait for each other; -1 later */
	bool resolves; /* whether there is a resolver */
	struct slot signer;
	struct slot resolver;
	struct slot accounts;
	struct slot workers[LIMIT_WORKERS];
	struct links to_signer;
	struct links to_resolver; /* without a resolver not open */
	struct links to_accounts; /* the same */
};

static int
start_worker(struct generation *g, unsigned int i, struct error *e)
{
	const struct worker_parts parts = {
	    .gate = g->gate,
	    .listeners = &g->listeners,
	    .handover = g->parts.handover,
	    .tcp = listener_is_tcp(g->listeners.web),
	    .signer = g->to_signer.worker[i],
	    .signer_threads = config_signer_threads(&g->config),
	    .resolver = g->to_resolver.worker[i],
	    .accounts = g->to_accounts.worker[i],
	    .lookup_deadline = config_resolver_deadline(&g->config) + 1,
	    .peers = &g->config.peers,
	    .service = g->service,
	    .sandbox = &g->sandbox,
	    .log = g->parts.log,
	    .clock = &clock_system,
	    .entropy = &entropy_system,
	};
	pid_t pid = worker_process_start(&parts, e);

	if (pid == -1)
		return -1;
	slot_started(&g->workers[i], pid);
	return 0;
}

static int
start_signer(struct generation *g, struct error *e)
{
	const struct signer_process parts = {
	    .config = &g->config,
	    .policy = g->policy,
	    .sandbox = &g->sandbox,
	    .log = g->parts.log,
	    .sockets = g->to_signer.other,
	    .count = g->count,
	};
	pid_t pid = signer_process_start(&parts, e);

	if (pid == -1)
		return -1;
	slot_started(&g->signer, pid);
	return 0;
}

static int
start_resolver(struct generation *g, struct error *e)
{
	pid_t pid = resolver_process_start(
	    g->flags, g->to_resolver.other, g->count, g->sandbox.resolver_unprivileged, e);

	if (pid == -1)
		return -1;
	slot_started(&g->resolver, pid);
	return 0;
}

static int
start_accounts(struct generation *g, struct error *e)
{
	const struct accounts_process parts = {.sandbox = &g->sandbox,
	    .sockets = g->to_accounts.other,
	    .count = g->count,
	    .log = g->parts.log};
	pid_t pid = accounts_process_start(&parts, e);

	if (pid == -1)
		return -1;
	slot_started(&g->accounts, pid);
	return 0;
}

/* What the workers ask, before there are any. */
static int
start_servers(struct generation *g, struct error *e)
{
	if (links_open(&g->to_signer, g->count, e) == -1 || start_signer(g, e) == -1)
		return -1;
	if (g->resolves &&
	    (links_open(&g->to_resolver, g->count, e) == -1 || start_resolver(g, e) == -1))
		return -1;
	if (g->sandbox.accounts &&
	    (links_open(&g->to_accounts, g->count, e) == -1 || start_accounts(g, e) == -1))
		return -1;
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
	    .sandbox = g->sandbox.text,
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
	if (sandbox_plan(&g->sandbox, &g->config, g->parts.listeners->peer != -1, e) == -1)
		return -1;
	if (g->sandbox.landlock && apart_check(&g->config, flags->config_file, e) == -1)
		return -1;
	parts.policy = g->policy;
	g->resolves = service_needs_resolver(&g->config, g->policy);
	return service_open(&g->service, &parts, e);
}

static int
rehearse_service(void *context, struct error *e)
{
	struct generation *g = context;

	return open_service(g, g->flags, e);
}

/* Where the address stays the socket does, with the connections that wait there. */
static int
open_verification(struct generation *g, const struct generation *before, struct error *e)
{
	const char *wanted = g->config.verify_listen;
	const char *had = before != NULL ? before->config.verify_listen : NULL;

	if (wanted == NULL)
		return 0;
	if (had == NULL || strcmp(had, wanted) != 0) {
		g->listeners.verification = listener_open_verification(wanted, e);
		return g->listeners.verification == -1 ? -1 : 0;
	}
	g->listeners.verification =
	    fcntl(before->listeners.verification, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return g->listeners.verification != -1
		   ? 0
		   : error_set(e, ERROR_INTERNAL, "verify-listen: %s", strerror(errno));
}

/* Once, and again when it is another one. */
static void
say_sandbox(const struct generation *g, const struct generation *before)
{
	if (before == NULL || strcmp(before->sandbox.text, g->sandbox.text) != 0)
		log_line(g->parts.log,
		    g->sandbox.seccomp && g->sandbox.landlock ? LOG_LEVEL_INFO
							      : LOG_LEVEL_WARNING,
		    "Sandbox: %s", g->sandbox.text);
}

/* All of them, or an error: then those that there are have taken nothing. */
static int
start_workers(struct generation *g, struct error *e)
{
	int gate[2], rc = 0;

	if (pipe2(gate, O_CLOEXEC) == -1)
		return error_set(e, ERROR_INTERNAL, "pipe: %s", strerror(errno));
	g->gate = gate[0];
	for (unsigned int i = 0; i < g->count && rc == 0; i++)
		rc = start_worker(g, i, e);
	for (unsigned int i = 0; i < g->count && rc == -1; i++)
		slot_end(&g->workers[i]); /* before the gate opens */
	close(gate[0]);
	close(gate[1]);
	g->gate = -1;
	return rc;
}

int
generation_start(struct generation **out, const struct generation_parts *parts,
    const struct generation *before, const struct flags *flags, struct error *e)
{
	struct generation *g = calloc(1, sizeof(*g));
	int log_before = parts->log->fd;

	*out = NULL;
	if (g == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	g->parts = *parts;
	g->listeners = *parts->listeners;
	g->flags = flags;
	g->signer.pid = g->resolver.pid = g->accounts.pid = g->gate = -1;
	for (unsigned int i = 0; i < LIMIT_WORKERS; i++)
		g->workers[i].pid = -1;
	links_init(&g->to_signer);
	links_init(&g->to_resolver);
	links_init(&g->to_accounts);
	/* What serves already is not to end by it: libraries that read a configuration, or look
	 * up a group, need not survive that memory ends. What ends it later, such as the kernel
	 * for want of memory, does so in us. */
	if (before != NULL && child_rehearse(rehearse_service, g, e) == -1)
		goto fail;
	if (open_service(g, flags, e) == -1 || open_verification(g, before, e) == -1)
		goto fail;
	g->count = g->config.workers;
	if (start_servers(g, e) == -1 || start_workers(g, e) == -1)
		goto fail;
	say_sandbox(g, before);
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

int64_t
generation_patience(const struct generation *g)
{
	return config_resolver_deadline(&g->config);
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
	for (unsigned int i = 0; i < g->count; i++)
		if (g->workers[i].pid != -1 && kill(g->workers[i].pid, SIGKILL) == 0)
			log_line(g->parts.log, LOG_LEVEL_WARNING,
			    "Worker %d has not come to its end, and is killed",
			    (int)g->workers[i].pid);
	g->draining = true;
}

/* The process's slot, and what it is called; NULL when it is none of ours. */
static struct slot *
find_slot(struct generation *g, int pid, const char **name)
{
	*name = "Signer";
	if (pid == g->signer.pid)
		return &g->signer;
	*name = "Resolver";
	if (pid == g->resolver.pid)
		return &g->resolver;
	*name = "Process for accounts";
	if (pid == g->accounts.pid)
		return &g->accounts;
	*name = "Worker";
	for (unsigned int i = 0; i < g->count; i++)
		if (pid == g->workers[i].pid)
			return &g->workers[i];
	return NULL;
}

/* Whether workers ask it, also while they drain. */
static bool
is_server(const struct generation *g, const struct slot *s)
{
	return s == &g->signer || s == &g->resolver || s == &g->accounts;
}

bool
generation_reap(struct generation *g, int pid, int status)
{
	const char *name;
	struct slot *s = find_slot(g, pid, &name);

	if (s == NULL)
		return false;
	slot_died(s);
	if (!g->draining || is_server(g, s))
		log_line(g->parts.log, LOG_LEVEL_ERROR,
		    "%s %d ended by %s %d; starting another", name, pid,
		    WIFSIGNALED(status) ? "signal" : "exit status",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return true;
}

static int
start_slot(struct generation *g, struct slot *s, struct error *e)
{
	if (s == &g->signer)
		return start_signer(g, e);
	if (s == &g->resolver)
		return start_resolver(g, e);
	if (s == &g->accounts)
		return start_accounts(g, e);
	return start_worker(g, (unsigned int)(s - g->workers), e);
}

/* Starts the slot's process when it is due; *next becomes the milliseconds until one is, if
 * that is sooner. */
static void
restart_slot(struct generation *g, struct slot *s, const char *name, int *next)
{
	int wait = slot_wait(s);
	struct error e = {0};

	if (wait == 0 && start_slot(g, s, &e) == -1) {
		log_line(g->parts.log, LOG_LEVEL_ERROR, "The %s cannot be started: %s", name,
		    e.text);
		slot_failed(s);
		wait = slot_wait(s);
	}
	if (wait > 0 && (*next == -1 || wait < *next))
		*next = wait;
}

int
generation_restart(struct generation *g)
{
	int next = -1;

	/* Those that workers ask are needed by what still drains; workers only by what does
	 * not. */
	if (!generation_over(g)) {
		restart_slot(g, &g->signer, "signer", &next);
		if (g->resolves)
			restart_slot(g, &g->resolver, "resolver", &next);
		if (g->sandbox.accounts)
			restart_slot(g, &g->accounts, "process for accounts", &next);
	}
	for (unsigned int i = 0; i < g->count && !g->draining; i++)
		restart_slot(g, &g->workers[i], "worker", &next);
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

void
generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	for (unsigned int i = 0; i < LIMIT_WORKERS; i++)
		slot_end(&g->workers[i]);
	slot_end(&g->resolver);
	slot_end(&g->accounts);
	/* Nobody asks it any more: it cleanses its keys, and ends by itself. */
	links_shutdown(&g->to_signer);
	slot_let_end(&g->signer, SIGNER_ENDS);
	links_close(&g->to_signer);
	links_close(&g->to_resolver);
	links_close(&g->to_accounts);
	if (g->listeners.verification != -1)
		close(g->listeners.verification);
	service_close(g->service);
	policy_free(g->policy);
	config_free(&g->config);
	free(g);
}
