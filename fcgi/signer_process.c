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

/* A thread a processor on each worker's socket. */
static int
start_threads(const struct signer_process *p, const struct signing *s, unsigned int threads,
    struct error *e)
{
	struct thread *jobs = calloc(p->count, sizeof(*jobs)); /* for as long as they run */
	pthread_attr_t attributes;
	pthread_t id;

	if (jobs == NULL || pthread_attr_init(&attributes) != 0 ||
	    pthread_attr_setstacksize(&attributes, STACK) != 0)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	for (unsigned int i = 0; i < p->count; i++) {
		jobs[i] = (struct thread){.fd = p->sockets[i], .signing = s};
		for (unsigned int t = 0; t < threads; t++)
			if (pthread_create(&id, &attributes, thread_main, &jobs[i]) != 0)
				return error_set(
				    e, ERROR_INTERNAL, "the signer cannot start its threads");
	}
	return 0;
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

/* All that the signer does before it is one: what it opens, and what it then leaves. */
static int
prepare(const struct signer_process *p, struct signing *s, struct error *e)
{
	unsigned int threads = thread_count(p->config); /* which a file says */

	(void)mallopt(M_ARENA_MAX, 2); /* an arena a thread would cost more than it saves */
	(void)key_memory_lock(p->config->private_key);
	if (signing_open(s, p->config, p->policy, &clock_system, &entropy_system, e) == -1 ||
	    keyring_test(s->ring, e) == -1)
		return -1;
	warn_exposed(s, p->log);
	if (sandbox_leave_files(p->sandbox, e) == -1)
		return -1;
	/* Before the report, so that the first workers start with it behind them. */
	for (unsigned int i = 0; i < p->count; i++)
		signer_hello(p->sockets[i]);
	if (start_threads(p, s, threads, e) == -1)
		return -1;
	return sandbox_enter_signer(p->sandbox, e);
}

static void
signer_main(const void *context, int ready)
{
	struct error e = {0};
	struct signing s;
	int rc = prepare(context, &s, &e);

	child_report(ready, &e);
	if (rc == -1)
		_exit(1);
	for (;;) /* the threads work */
		pause();
}

pid_t
signer_process_start(const struct signer_process *p, struct error *e)
{
	const struct server server = {.name = "signer",
	    .sockets = p->sockets,
	    .count = p->count,
	    .run = signer_main,
	    .context = p};

	return child_serve(&server, e);
}
