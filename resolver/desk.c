#include "resolver/desk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "identity/chain.h"
#include "resolver/job.h"
#include "resolver/key_sets.h"
#include "resolver/memory.h"
#include "resolver/thread.h"

enum {
	THREADS_MAX = 8, /* that ask sources at the same time */
	GRACE = 200,     /* milliseconds beyond the sources' own timeouts */
};

struct desk {
	struct desk_parts parts;
	struct breaker breaker;
	int64_t deadline; /* nanoseconds */

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t work;
	struct memory *memory;
	struct key_sets *keys;
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

static void
desk_close(struct desk *d)
{
	memory_free(d->memory);
	chain_close(d->first);
	free(d);
}

int
desk_open(struct desk **out, const struct desk_parts *parts, struct error *e)
{
	struct desk *d = calloc(1, sizeof(*d));
	struct chain_parts chain = {.config = parts->groups, .clock = parts->clock};
	struct key_sets_parts keys = {
	    .sections = parts->verify, .clock = parts->clock, .log = parts->log};

	*out = NULL;
	if (d == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	chain.breaker = &d->breaker;
	keys.lock = &d->lock;
	d->parts = *parts;
	d->deadline =
	    groups_deadline(parts->groups) * NANOSECONDS + GRACE * (NANOSECONDS / 1000);
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->work, NULL);
	d->memory = memory_new(parts->groups);
	if (d->memory == NULL)
		error_set(e, ERROR_INTERNAL, "out of memory");
	else if (chain_open(&d->first, &chain, e) == 0 &&
		 key_sets_open(&d->keys, &keys, e) == 0) {
		*out = d;
		return 0;
	}
	desk_close(d);
	return -1;
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

	if (a->e != NULL && strings_have(&d->parts.groups->optional, a->source))
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
	d->again = now(d) + d->parts.groups->retry * NANOSECONDS;
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
	const struct chain_parts parts = {.config = d->parts.groups,
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
	failed = thread_start(thread_main, d);
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

void
desk_request(struct desk *d, struct outbox *box, const struct lookup_request *q)
{
	const struct waiter w = {.box = box, .id = q->head.id};
	const struct lookup_keys which = {
	    .section = q->name, .anew = q->head.kind == LOOKUP_KEYS_ANEW};

	switch (q->head.kind) {
	case LOOKUP_USER:
		request_user(d, &w, q->name);
		break;
	case LOOKUP_KEYS:
	case LOOKUP_KEYS_ANEW:
		key_sets_request(d->keys, &w, &which);
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
	key_sets_forget(d->keys);
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
