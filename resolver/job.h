/* Users who are being looked up, and who waits for the answer. For one thread at a time. */
#ifndef RESOLVER_JOB_H
#define RESOLVER_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "identity/lookup_message.h"
#include "resolver/outbox.h"

struct chain;

/* A request that is to be answered. */
struct waiter {
	struct outbox *box;
	uint64_t id;
};

struct job {
	char user[LIMIT_PRINCIPAL];
	int64_t since;       /* monotonic nanoseconds */
	bool taken;          /* a thread has it */
	bool late;           /* nobody waits for it any more */
	struct chain *chain; /* that thread's, once it asks */
	size_t count;
	struct waiter *waiters;
	struct job *next; /* a younger one */
};

/* In the order in which they came. */
struct jobs {
	struct job *oldest;
	size_t queued;    /* that no thread has taken */
	struct job *late; /* those that a thread has, but nobody waits for any more */
};

/* Sends the answer: m, or the error when m is NULL. */
void waiter_answer(
    const struct waiter *w, const struct membership *m, int64_t keep, const struct error *e);

/* The same with keys. */
void waiter_answer_keys(
    const struct waiter *w, const struct key_set *keys, int64_t keep, const struct error *e);

/* The user's, that one can still join; NULL: there is none. */
struct job *jobs_find(const struct jobs *jobs, const char *user);

/* A new one; NULL when memory is short. */
struct job *jobs_add(struct jobs *jobs, const char *user, int64_t now);

/* The one that has waited longest; NULL: there is none. */
struct job *jobs_oldest(const struct jobs *jobs);

/* The oldest that no thread has, which now has one; NULL: there is none. */
struct job *jobs_take(struct jobs *jobs);

/* Frees one that a thread is done with. */
void jobs_remove(struct jobs *jobs, struct job *j);

/* Nobody waits for it any more: it is freed now, or when its thread is done. */
void jobs_abandon(struct jobs *jobs, struct job *j);

/* 0, or -1 when memory is short. */
int job_wait(struct job *j, const struct waiter *w);

/* Nobody waits for any of them any more: where the answers would go is about to end. */
void jobs_forget(struct jobs *jobs);

/* Answers all who wait, who then do not wait any more. */
void job_answer(struct job *j, const struct membership *m, int64_t keep, const struct error *e);

#endif
