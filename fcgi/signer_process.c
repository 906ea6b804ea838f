#include "fcgi/signer_process.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "fcgi/child.h"
#include "signer/signer_serve.h"

enum { STACK = 256 * 1024 }; /* of a signing thread; RSA of 4,096 bits uses a tenth */

struct thread {
	int fd;
	const struct signing *signing;
};

static void *
thread_main(void *argument)
{
	struct thread *t = argument;

	signer_serve(t->fd, t->signing);
	return NULL;
}

static unsigned int
thread_count(const struct config *c)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (c->signer_threads != 0)
		return c->signer_threads;
	if (processors < 1)
		return 1;
	return processors < LIMIT_SIGNER_THREADS ? (unsigned int)processors
						 : LIMIT_SIGNER_THREADS;
}

/* A thread a processor on each worker's socket; this thread waits for them for good. */
static int
run_threads(
    const struct config *c, const struct signing *s, const int *sockets, unsigned int count)
{
	unsigned int threads = thread_count(c);
	/* NOLINTNEXTLINE(clang-analyzer-optin.portability.UnixAPI): there is a worker */
	struct thread *jobs = calloc(count, sizeof(*jobs));
	pthread_attr_t attributes;
	pthread_t id;

	if (jobs == NULL || pthread_attr_init(&attributes) != 0 ||
	    pthread_attr_setstacksize(&attributes, STACK) != 0)
		return -1;
	for (unsigned int i = 0; i < count; i++) {
		jobs[i] = (struct thread){.fd = sockets[i], .signing = s};
		for (unsigned int t = 0; t < threads; t++)
			if (pthread_create(&id, &attributes, thread_main, &jobs[i]) != 0)
				return -1;
	}
	for (;;)
		pause();
}

static void
warn_exposed(const struct signing *s, const struct log *log)
{
	for (size_t i = 0; i < keyring_count(s->ring); i++) {
		struct keyring_entry k = keyring_get(s->ring, i, 0);

		if (key_exposed(k.key))
			log_line(log, LOG_LEVEL_WARNING,
			    "Every user of this host can read the private key %s: chmod 0600 "
			    "it",
			    k.file);
	}
}

struct job {
	const struct config *config;
	const struct policy *policy;
	const struct log *log;
	const int *sockets;
	unsigned int count;
};

static void
signer_main(const void *context, int ready)
{
	const struct job *j = context;
	struct error e = {0};
	struct signing s;

	(void)mallopt(M_ARENA_MAX, 2); /* an arena a thread would cost more than it saves */
	(void)key_memory_lock(j->config->private_key);
	if (signing_open(&s, j->config, j->policy, &clock_system, &entropy_system, &e) == -1 ||
	    keyring_test(s.ring, &e) == -1) {
		child_report(ready, &e);
		_exit(1);
	}
	warn_exposed(&s, j->log);
	/* Before the report, so that the first workers start with it behind them. */
	for (unsigned int i = 0; i < j->count; i++)
		signer_hello(j->sockets[i]);
	child_report(ready, &e);
	if (run_threads(j->config, &s, j->sockets, j->count) == -1)
		log_line(j->log, LOG_LEVEL_ERROR, "The signer cannot start its threads");
	_exit(1);
}

pid_t
signer_process_start(const struct config *config, const struct policy *policy,
    const int *sockets, unsigned int count, const struct log *log, struct error *e)
{
	const struct job job = {
	    .config = config, .policy = policy, .log = log, .sockets = sockets, .count = count};
	const struct server server = {.name = "signer",
	    .sockets = sockets,
	    .count = count,
	    .run = signer_main,
	    .context = &job};

	return child_serve(&server, e);
}
