/*
 * What is known of users, and for how long it counts: a whole answer for "cache", and for
 * "stale" longer while there is none that is newer; one that lacks what an optional source
 * would have said, only until that source is asked again. For one thread at a time.
 */
#ifndef RESOLVER_MEMORY_H
#define RESOLVER_MEMORY_H

#include "config/groups.h"
#include "identity/membership.h"

struct memory;

/* c must outlive it. NULL when memory is short; else memory_free() it. */
struct memory *memory_new(const struct groups_config *c);
void memory_free(struct memory *k);

/* Times are in monotonic nanoseconds. What is returned stays until the next memory_put(). */

/* What is good now, NULL: nothing; *keep becomes the nanoseconds for which it is. */
const struct membership *memory_good(
    const struct memory *k, const char *user, int64_t now, int64_t *keep);

/* What may stand in for a whole answer that cannot be had now, NULL: nothing; *keep becomes the
 * nanoseconds until another is to be tried for, *age the seconds since it was put. */
const struct membership *memory_before(
    const struct memory *k, const char *user, int64_t now, int64_t *keep, int64_t *age);

/* Whether something was put for the user after then, and is still there. */
bool memory_newer(const struct memory *k, const char *user, int64_t then);

/* Keeps a copy; returns the nanoseconds for which it is good. */
int64_t memory_put(struct memory *k, const char *user, const struct membership *m, int64_t now);

#endif
