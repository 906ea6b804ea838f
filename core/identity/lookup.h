/*
 * Where memberships come from, as the service sees it: name a user, get called back with what
 * is known. Another process asks the sources (lookup_remote.h, lookup_process.h).
 */
#ifndef IDENTITY_LOOKUP_H
#define IDENTITY_LOOKUP_H

#include "base/error.h"
#include "identity/membership.h"

/* m is valid during the call, and NULL when the look-up failed; then e says why. A user whom
 * no source knows is no failure. */
typedef void lookup_done(void *context, const struct membership *m, const struct error *e);

struct lookup {
	int (*submit)(struct lookup *self, const char *user, lookup_done *done, void *context,
	    struct error *e);
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

#endif
