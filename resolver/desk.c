#include "resolver/desk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "identity/chain.h"
#include "resolver/job.h"
#include "resolver/memory.h"

enum {
	THREADS_MAX = 8, /* that ask sources at the same time */
	STACK = 512 * 1024,
	GRACE = 200, /* milliseconds beyond the sources' own timeouts */
};

struct desk {
	struct desk_parts parts;
	struct breaker breaker;
	int64_t deadline; /* nanoseconds */

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t work;
	struct memory *memory;
	struct jobs jobs;
	unsigned int threads, idle;
	struct chain *first; /* of the first thread; the others borrow from it */
	bool taken;          /* whether that thread has it */
	int64_t again;       /* no thread is started before, since one could not be */
	struct error lost;   /* why */
};

static int64_t
now(const struct desk *d)
{
	return clock_monotonic(d->parts.clock);
}

int
desk_open(struct desk **out, const struct desk_parts *parts, struct error *e)
{
	struct desk *d = calloc(1, sizeof(*d));
	struct chain_parts chain = {.config = parts->config, .clock = parts->clock};

	*out = NULL;
	if (d == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	chain.breaker = &d->breaker;
	d->parts = *parts;
	d->deadline =
	    groups_deadline(parts->config) * NANOSECONDS + GRACE * (NANOSECONDS / 1000);
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->work, NULL);
	d->memory = memory_new(parts->config);
	if (d->memory == NULL) {
		free(d);
		return error_set(e, ERROR_INTERNAL, "out of memory");
	}
	if (chain_open(&d->first, &chain, e) == -1) {
		memory_free(d->memory);
		free(d);
		return -1;
	}
	*out = d;
	return 0;
}

/* Answers with what was known before, when the configuration says that it still counts. */
static bool
answer_before(struct desk *d, struct job *j, const char *why)
{
	int64_t keep, age;
	const struct membership *m = memory_before(d->memory, j->user, now(d), &keep, &age);

	if (m == NULL)
		return false;
	if (j->count > 0)
		log_line(d->parts.log, LOG_LEVEL_WARNING,
		    "The groups of %s are those of %lld seconds ago: %s", j->user,
		    (long long)age, why);
	job_answer(j, m, keep, NULL);
	return true;
}

static void
fail(struct desk *d, struct job *j, const struct error *e)
{
	if (j->count > 0 && !answer_before(d, j, e->text))
		job_answer(j, NULL, 0, e);
}

/* A part is worth less than the whole that was known before, and what was asked for too long
 * ago less than what another thread has learnt since. */
static void
succeed(struct desk *d, struct job *j, const struct membership *m)
{
	int64_t keep = 0;

	if (m->partial && answer_before(d, j, "an optional source failed"))
		return;
	if (!j->late || !memory_newer(d->memory, j->user, j->since))
		keep = memory_put(d->memory, j->user, m, now(d));
	job_answer(j, m, keep, NULL);
}

/* Tells of sources that do not matter: nobody else does. */
static void
tell_failure(void *context, const struct chain_answer *a)
{
	const struct desk *d = context;

	if (a->e != NULL && strings_have(&d->parts.config->optional, a->source))
		log_line(d->parts.log, LOG_LEVEL_WARNING,
		    "Groups from %s, which is optional: %s", a->source, a->e->text);
}

/* Does one job without the lock. */
static void
look_up(struct desk *d, struct chain *chain, struct job *j)
{
	const struct chain_question q = {.user = j->user};
	struct membership m;
	struct error e = {0};
	int rc;

	j->chain = chain;
	(void)pthread_mutex_unlock(&d->lock);
	rc = chain_lookup(chain, &q, &m, tell_failure, d, &e);
	(void)pthread_mutex_lock(&d->lock);
	if (rc == 0)
		succeed(d, j, &m);
	else
		fail(d, j, &e);
	jobs_remove(&d->jobs, j);
}

/* Fails what no thread has, and none will have. */
static void
fail_queued(struct desk *d)
{
	struct job *j;

	while ((j = jobs_take(&d->jobs)) != NULL) {
		fail(d, j, &d->lost);
		jobs_remove(&d->jobs, j);
	}
}

/* A thread that was counted cannot work: no other is tried for a while. */
static void
lose_thread(struct desk *d, const struct error *e)
{
	d->threads--;
	d->again = now(d) + d->parts.config->retry * NANOSECONDS;
	error_set(&d->lost, ERROR_UNAVAILABLE, "%s", e->text);
	log_line(d->parts.log, LOG_LEVEL_ERROR, "%u threads look up groups, and no more: %s",
	    d->threads, e->text);
	if (d->threads == 0)
		fail_queued(d);
}

/* A thread's chain: the first one, or one that is opened without the lock, since that reads
 * files. NULL and *e on failure. */
static struct chain *
take_chain(struct desk *d, struct error *e)
{
	const struct chain_parts parts = {.config = d->parts.config,
	    .breaker = &d->breaker,
	    .clock = d->parts.clock,
	    .lender = d->first};
	struct chain *chain;

	if (!d->taken) {
		d->taken = true;
		return d->first;
	}
	(void)pthread_mutex_unlock(&d->lock);
	(void)chain_open(&chain, &parts, e);
	(void)pthread_mutex_lock(&d->lock);
	return chain;
}

/* A thread of its own has sources of its own, but for those that threads may share. */
static void *
thread_main(void *argument)
{
	struct desk *d = argument;
	struct chain *chain;
	struct error e = {0};
	struct job *j;

	(void)pthread_mutex_lock(&d->lock);
	chain = take_chain(d, &e);
	if (chain == NULL) {
		lose_thread(d, &e);
		(void)pthread_mutex_unlock(&d->lock);
		return NULL;
	}
	for (;;) {
		j = jobs_take(&d->jobs);
		if (j != NULL) {
			look_up(d, chain, j);
			continue;
		}
		d->idle++;
		(void)pthread_cond_wait(&d->work, &d->lock);
		d->idle--;
	}
	return NULL;
}

/* 0, or why it cannot be, as errno. */
static int
start_thread(struct desk *d)
{
	pthread_attr_t attributes;
	pthread_t id;
	int failed = pthread_attr_init(&attributes);

	if (failed != 0)
		return failed;
	(void)pthread_attr_setstacksize(&attributes, STACK);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	failed = pthread_create(&id, &attributes, thread_main, d);
	(void)pthread_attr_destroy(&attributes);
	return failed;
}

/* One more, unless one is idle or there are enough. */
static void
wake_thread(struct desk *d)
{
	struct error e;
	int failed;

	(void)pthread_cond_signal(&d->work);
	if (d->jobs.queued <= d->idle || d->threads == THREADS_MAX)
		return;
	if (now(d) < d->again) {
		if (d->threads == 0)
			fail_queued(d);
		return;
	}
	d->threads++;
	failed = start_thread(d);
	if (failed == 0)
		return;
	error_set(&e, ERROR_UNAVAILABLE, "a thread cannot be started: %s", strerror(failed));
	lose_thread(d, &e);
}

static void
request_user(struct desk *d, const struct waiter *w, const char *user)
{
	int64_t keep, at = now(d);
	const struct membership *m = memory_good(d->memory, user, at, &keep);
	struct job *j;

	if (m != NULL) {
		waiter_answer(w, m, keep, NULL);
		return;
	}
	j = jobs_find(&d->jobs, user);
	if (j == NULL)
		j = jobs_add(&d->jobs, user, at);
	/* Who is not among those who wait is told by a deadline of its own. */
	if (j != NULL && job_wait(j, w) == 0)
		wake_thread(d);
}

static void
request_keys(const struct waiter *w, const char *section)
{
	struct error e;

	error_set(&e, ERROR_UNAVAILABLE, "no section verify '%s' has a URL", section);
	waiter_answer_keys(w, NULL, 0, &e);
}

void
desk_request(struct desk *d, struct outbox *box, const struct lookup_request *q)
{
	const struct waiter w = {.box = box, .id = q->head.id};

	switch (q->head.kind) {
	case LOOKUP_USER:
		request_user(d, &w, q->name);
		break;
	case LOOKUP_KEYS:
	case LOOKUP_KEYS_ANEW:
		request_keys(&w, q->name);
		break;
	}
}

int
desk_expire(struct desk *d)
{
	struct error late;
	struct job *j;

	error_set(&late, ERROR_UNAVAILABLE, "the sources of groups did not answer in time");
	while ((j = jobs_oldest(&d->jobs)) != NULL) {
		int64_t left = j->since + d->deadline - now(d);

		if (left > 0)
			return (int)(left / (NANOSECONDS / 1000)) + 1;
		if (j->chain != NULL)
			chain_overdue(j->chain);
		fail(d, j, &late);
		jobs_abandon(&d->jobs, j);
	}
	return -1;
}

void
desk_forget(struct desk *d)
{
	jobs_forget(&d->jobs);
}

void
desk_lock(struct desk *d)
{
	(void)pthread_mutex_lock(&d->lock);
}

void
desk_unlock(struct desk *d)
{
	(void)pthread_mutex_unlock(&d->lock);
}
