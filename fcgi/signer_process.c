#define _GNU_SOURCE /* MCL_ONFAULT */
#include "fcgi/signer_process.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fcgi/child.h"
#include "jose/key_memory.h"
#include "signer/signer_serve.h"

enum { STACK = 256 * 1024 }; /* of a signing thread; RSA of 4,096 bits uses a tenth */

struct thread {
	pthread_t id;
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

struct threads {
	struct thread *each;
	size_t count;
};

/* So many on each worker's socket. */
static int
start_threads(struct threads *t, const struct signer_process *p, const struct signing *s,
    unsigned int threads, struct error *e)
{
	size_t wanted = (size_t)p->count * threads;
	pthread_attr_t attributes;

	if (wanted == 0)
		return error_set(e, ERROR_INTERNAL, "the signer has nobody to sign for");
	t->each = calloc(wanted, sizeof(*t->each));
	if (t->each == NULL || pthread_attr_init(&attributes) != 0 ||
	    pthread_attr_setstacksize(&attributes, STACK) != 0)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	for (t->count = 0; t->count < wanted; t->count++) {
		struct thread *each = &t->each[t->count];

		each->fd = p->sockets[t->count / threads];
		each->signing = s;
		if (pthread_create(&each->id, &attributes, thread_main, each) != 0)
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

/*
 * What OpenSSL derives from a key, such as its primes in Montgomery's form, is not where the
 * key is. Without a limit all memory of the process can be locked, as far as it is used; with
 * one that would count what is only reserved, and later allocations would fail.
 */
static void
lock_memory(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
		(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

static int
load(const struct signer_process *p, struct signing *s, struct error *e)
{
	(void)mallopt(M_ARENA_MAX, 2); /* an arena a thread would cost more than it saves */
	if (!key_memory_lock(p->config->private_key))
		log_line(p->log, LOG_LEVEL_WARNING,
		    "The private key is in memory that may be written to swap: raise "
		    "RLIMIT_MEMLOCK");
	lock_memory();
	if (signing_open(s, p->config, p->policy, &clock_system, &entropy_system, e) == -1)
		return -1;
	warn_exposed(s, p->log);
	return keyring_test(s->ring, e);
}

/* All that the signer does before it is one: what it opens, and what it then leaves. */
static int
prepare(struct threads *t, const struct signer_process *p, struct signing *s, struct error *e)
{
	unsigned int threads = config_signer_threads(p->config); /* which a file says */

	if (load(p, s, e) == -1 || sandbox_leave_files(p->sandbox, e) == -1)
		return -1;
	/* Before the report, so that the first workers start with it behind them. */
	for (unsigned int i = 0; i < p->count; i++)
		signer_hello(p->sockets[i]);
	if (start_threads(t, p, s, threads, e) == -1)
		return -1;
	return sandbox_enter_signer(p->sandbox, e);
}

/* Until the monitor shuts its sockets down. */
static void
signer_main(const void *context, int ready)
{
	struct threads t = {0};
	struct error e = {0};
	struct signing s;
	int rc = prepare(&t, context, &s, &e);

	if (child_report(ready, rc, &e) == -1)
		_exit(1);
	for (size_t i = 0; i < t.count; i++)
		(void)pthread_join(t.each[i].id, NULL);
	signing_close(&s); /* which cleanses the keys */
	free(t.each);
	_exit(0);
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
