#include "resolver/job.h"

#include <stdlib.h>
#include <string.h>

void
waiter_answer(
    const struct waiter *w, const struct membership *m, int64_t keep, const struct error *e)
{
	struct lookup_answer a;

	lookup_answer_init(&a, w->id, m, keep, e);
	outbox_send(w->box, &a, lookup_answer_size(&a));
}

void
waiter_answer_keys(
    const struct waiter *w, const struct key_set *keys, int64_t keep, const struct error *e)
{
	struct lookup_answer a;

	lookup_answer_init_keys(&a, w->id, keys, keep, e);
	outbox_send(w->box, &a, lookup_answer_size(&a));
}

struct job *
jobs_find(const struct jobs *jobs, const char *user)
{
	struct job *j = jobs->oldest;

	while (j != NULL && strcmp(j->user, user) != 0)
		j = j->next;
	return j;
}

struct job *
jobs_add(struct jobs *jobs, const char *user, int64_t now)
{
	struct job **end = &jobs->oldest;
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	memcpy(j->user, user, strlen(user) + 1); /* no longer than in a request */
	j->since = now;
	while (*end != NULL)
		end = &(*end)->next;
	*end = j;
	jobs->queued++;
	return j;
}

struct job *
jobs_oldest(const struct jobs *jobs)
{
	return jobs->oldest;
}

struct job *
jobs_take(struct jobs *jobs)
{
	struct job *j = jobs->oldest;

	while (j != NULL && j->taken)
		j = j->next;
	if (j != NULL) {
		j->taken = true;
		jobs->queued--;
	}
	return j;
}

/* Whether it was in the list. */
static bool
take_out(struct job **list, struct job *j)
{
	while (*list != NULL && *list != j)
		list = &(*list)->next;
	if (*list == NULL)
		return false;
	*list = j->next;
	return true;
}

static void
job_free(struct job *j)
{
	free(j->waiters);
	free(j);
}

void
jobs_remove(struct jobs *jobs, struct job *j)
{
	if (!take_out(&jobs->oldest, j))
		(void)take_out(&jobs->late, j);
	job_free(j);
}

void
jobs_abandon(struct jobs *jobs, struct job *j)
{
	(void)take_out(&jobs->oldest, j);
	j->late = true;
	if (j->taken) {
		j->next = jobs->late;
		jobs->late = j;
		return;
	}
	jobs->queued--;
	job_free(j);
}

int
job_wait(struct job *j, const struct waiter *w)
{
	struct waiter *waiters = realloc(j->waiters, (j->count + 1) * sizeof(*waiters));

	if (waiters == NULL)
		return -1;
	j->waiters = waiters;
	waiters[j->count++] = *w;
	return 0;
}

void
job_answer(struct job *j, const struct membership *m, int64_t keep, const struct error *e)
{
	for (size_t i = 0; i < j->count; i++)
		waiter_answer(&j->waiters[i], m, keep, e);
	j->count = 0;
}

void
jobs_forget(struct jobs *jobs)
{
	for (struct job *j = jobs->oldest; j != NULL; j = j->next)
		j->count = 0;
}
