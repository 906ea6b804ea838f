/*
 * The keys of all sections verify that have a URL, kept for all who ask. However many do, they
 * are fetched once, by a thread of the section's own: a web server that hangs holds up nobody
 * but those who wait for its keys. What is there already is used while a fetch fails, but not
 * for ever (key_age.h).
 */
#ifndef RESOLVER_KEY_SETS_H
#define RESOLVER_KEY_SETS_H

#include <pthread.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "config/verify.h"
#include "identity/lookup.h"
#include "resolver/job.h"

struct key_sets;

/* All of this must outlive them. */
struct key_sets_parts {
	const struct verify_sections *sections;
	const struct clock *clock;
	const struct log *log;
	pthread_mutex_t *lock; /* to be held around what follows; threads take it to answer */
};

/* Errors as key_source_open(). *out is NULL on failure; else it lasts as long as the process.
 */
int key_sets_open(struct key_sets **out, const struct key_sets_parts *parts, struct error *e);

/* Answers w, now or later; until key_sets_forget(), where it leads to stays where it is. */
void key_sets_request(
    struct key_sets *k, const struct waiter *w, const struct lookup_keys *which);

/* Nobody is answered any more who has asked until now. */
void key_sets_forget(struct key_sets *k);

#endif
