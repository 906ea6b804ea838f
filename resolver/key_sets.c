#include "resolver/key_sets.h"

#include <stdlib.h>
#include <string.h>

#include "identity/key_source.h"
#include "resolver/key_age.h"
#include "resolver/thread.h"

/* Seconds after which whoever has keys asks whether there are others, so that all workers soon
 * have the same. */
enum { KEEP_MOST = 60 };

struct wait {
	struct waiter waiter;
	struct wait *next;
};

/* The keys of one section. */
struct shelf {
	const struct verify_section *section;
	const struct key_sets *all;
	struct key_source *source; /* that of the thread while there is one */
	bool fetching;             /* there is one */
	struct key_age age;
	struct key_set *set; /* in as many bytes as it has; NULL: none */
	struct error lost;   /* why the last fetch failed */
	struct wait *waits;
};

struct key_sets {
	struct key_sets_parts parts;
	size_t count;
	struct shelf shelves[LIMIT_VERIFY];
};

static int64_t
now(const struct shelf *s)
{
	return clock_monotonic(s->all->parts.clock);
}

int
key_sets_open(struct key_sets **out, const struct key_sets_parts *parts, struct error *e)
{
	struct key_sets *k = calloc(1, sizeof(*k));

	*out = NULL;
	if (k == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	k->parts = *parts;
	for (size_t i = 0; i < parts->sections->count; i++) {
		struct shelf *s = &k->shelves[k->count];

		s->all = k;
		s->section = &parts->sections->items[i];
		if (s->section->keys_url == NULL)
			continue;
		if (key_source_open(&s->source, s->section, e) == -1) {
			while (k->count > 0)
				key_source_close(k->shelves[--k->count].source);
			free(k);
			return -1;
		}
		k->count++;
	}
	*out = k;
	return 0;
}

/* --- what is there --- */

/* Answers with what is there and still counts, else with why there is nothing. */
static void
answer(struct shelf *s, const struct waiter *w)
{
	int64_t at = now(s);
	int64_t keep = key_age_keep(&s->age, at);
	struct error e;

	if (s->set == NULL || !key_age_is_trusted(&s->age, at)) {
		free(s->set);
		s->set = NULL;
		error_set(&e, ERROR_UNAVAILABLE, "the keys of '%s' cannot be fetched: %s",
		    s->section->name, s->lost.text);
		waiter_answer_keys(w, NULL, 0, &e);
		return;
	}
	s->set->trusted = s->age.trusted - at;
	if (keep > KEEP_MOST * NANOSECONDS)
		keep = KEEP_MOST * NANOSECONDS;
	waiter_answer_keys(w, s->set, keep, NULL);
}

static void
answer_all(struct shelf *s)
{
	while (s->waits != NULL) {
		struct wait *w = s->waits;

		s->waits = w->next;
		answer(s, &w->waiter);
		free(w);
	}
}

static void
lose(struct shelf *s, const struct error *e)
{
	const struct log *log = s->all->parts.log;
	int64_t at = now(s);
	int64_t seconds = key_age_fail(&s->age, at);

	s->lost = *e;
	if (s->set != NULL && key_age_is_trusted(&s->age, at))
		log_line(log, LOG_LEVEL_WARNING,
		    "The keys of '%s' are those of %lld seconds ago, and are fetched again in "
		    "%lld: %s",
		    s->section->name, (long long)((at - s->age.fetched) / NANOSECONDS),
		    (long long)seconds, e->text);
	else
		log_line(log, LOG_LEVEL_WARNING,
		    "The keys of '%s' cannot be fetched, and no token by them is valid: %s",
		    s->section->name, e->text);
}

static void
put(struct shelf *s, const struct buffer *json, int64_t fresh)
{
	const struct log *log = s->all->parts.log;
	struct key_set *set = malloc(offsetof(struct key_set, json) + json->length + 1);
	struct error e;

	if (set == NULL) {
		error_set(&e, ERROR_UNAVAILABLE, "out of memory");
		lose(s, &e);
		return;
	}
	memcpy(set->json, json->data, json->length + 1);
	if (s->age.failures > 0)
		log_line(log, LOG_LEVEL_INFO, "The keys of '%s' can be fetched again",
		    s->section->name);
	if (s->set != NULL && strcmp(s->set->json, set->json) != 0)
		log_line(
		    log, LOG_LEVEL_INFO, "The keys of '%s' have changed", s->section->name);
	key_age_succeed(&s->age, now(s), fresh, s->section->stale);
	free(s->set);
	s->set = set;
}

/* --- a fetch --- */

static void *
fetch(void *argument)
{
	struct shelf *s = argument;
	struct buffer json;
	struct error e = {0};
	int64_t fresh = 0;
	int rc;

	buffer_init(&json, LIMIT_JWK_SET - 1);
	rc = key_source_fetch(s->source, &json, &fresh, &e);
	(void)pthread_mutex_lock(s->all->parts.lock);
	if (rc == 0)
		put(s, &json, fresh);
	else
		lose(s, &e);
	s->fetching = false;
	answer_all(s);
	(void)pthread_mutex_unlock(s->all->parts.lock);
	buffer_free(&json);
	return NULL;
}

static void
start(struct shelf *s)
{
	int failed = thread_start(fetch, s);
	struct error e;

	s->fetching = failed == 0;
	if (failed == 0)
		return;
	error_set(&e, ERROR_UNAVAILABLE, "a thread cannot be started: %s", strerror(failed));
	lose(s, &e);
}

/* --- who asks --- */

static struct shelf *
find(struct key_sets *k, const char *section)
{
	for (size_t i = 0; i < k->count; i++)
		if (strcmp(k->shelves[i].section->name, section) == 0)
			return &k->shelves[i];
	return NULL;
}

/* Who is not among those who wait is told by a deadline of its own. */
static void
wait_for_fetch(struct shelf *s, const struct waiter *w)
{
	struct wait *kept = malloc(sizeof(*kept));

	if (kept == NULL)
		return;
	*kept = (struct wait){.waiter = *w, .next = s->waits};
	s->waits = kept;
}

void
key_sets_request(struct key_sets *k, const struct waiter *w, const struct lookup_keys *which)
{
	struct shelf *s = find(k, which->section);
	struct error e;

	if (s == NULL) {
		error_set(
		    &e, ERROR_UNAVAILABLE, "no section verify '%s' has a URL", which->section);
		waiter_answer_keys(w, NULL, 0, &e);
		return;
	}
	if (!s->fetching && key_age_is_due(&s->age, now(s), which->anew))
		start(s);
	if (s->fetching)
		wait_for_fetch(s, w);
	else
		answer(s, w);
}

void
key_sets_forget(struct key_sets *k)
{
	for (size_t i = 0; i < k->count; i++) {
		struct shelf *s = &k->shelves[i];

		while (s->waits != NULL) {
			struct wait *w = s->waits;

			s->waits = w->next;
			free(w);
		}
	}
}
