/*
 * Where memberships and the keys of others come from, as the service sees it: name a user or a
 * section verify, get called back with what is known. Another process asks the sources and
 * fetches the keys (lookup_remote.h, lookup_process.h).
 */
#ifndef IDENTITY_LOOKUP_H
#define IDENTITY_LOOKUP_H

#include <stdbool.h>

#include "base/error.h"
#include "identity/key_set.h"
#include "identity/membership.h"

/* m is valid during the call, and NULL when the look-up failed; then e says why. A user whom
 * no source knows is no failure. */
typedef void lookup_done(void *context, const struct membership *m, const struct error *e);

/* The same with keys; keep is in nanoseconds: when they are over, better ones may be had. */
typedef void lookup_keys_done(
    void *context, const struct key_set *keys, int64_t keep, const struct error *e);

/* Which keys. */
struct lookup_keys {
	const char *section; /* verify, of this name */
	bool anew;           /* a kid is not among those that were there */
};

struct lookup {
	int (*submit)(struct lookup *self, const char *user, lookup_done *done, void *context,
	    struct error *e);
	int (*submit_keys)(struct lookup *self, const struct lookup_keys *which,
	    lookup_keys_done *done, void *context, struct error *e);
};

/*
 * Asks for a user's membership. 0: done is called exactly once, maybe before this returns.
 * -1: it is not called, and *e says why (ERROR_UNAVAILABLE).
 */
static inline int
lookup_submit(
    struct lookup *l, const char *user, lookup_done *done, void *context, struct error *e)
{
	return l->submit(l, user, done, context, e);
}

/* The same for keys; which need not outlive the call. */
static inline int
lookup_submit_keys(struct lookup *l, const struct lookup_keys *which, lookup_keys_done *done,
    void *context, struct error *e)
{
	return l->submit_keys(l, which, done, context, e);
}

#endif
