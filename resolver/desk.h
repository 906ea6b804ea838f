/*
 * Where look-ups are answered: from what is kept, or by threads that ask the
 * sources; keys by key_sets.h. However many ask for one user at once, the sources are asked
 * once. Whoever waits is answered within the deadline, even when a source hangs.
 */
#ifndef RESOLVER_DESK_H
#define RESOLVER_DESK_H

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "config/groups.h"
#include "config/verify.h"
#include "identity/lookup_message.h"
#include "resolver/outbox.h"

struct desk;

struct desk_parts {
	const struct groups_config *groups;
	const struct verify_sections *verify;
	const struct clock *clock;
	const struct log *log;
};

/* Opens the sources of groups and of keys, so that what is wrong with them is said at once.
 * Errors as chain_open() and key_sets_open(). *out is NULL on failure. */
int desk_open(struct desk **out, const struct desk_parts *parts, struct error *e);

/* To be held around what follows: threads answer, too. */
void desk_lock(struct desk *d);
void desk_unlock(struct desk *d);

/* Answers the request to box, now or later; until desk_forget(), box stays where it is. */
void desk_request(struct desk *d, struct outbox *box, const struct lookup_request *q);

/* Answers who has waited long enough; milliseconds until the next has, -1: nobody waits. */
int desk_expire(struct desk *d);

/* Nobody is answered any more who has asked until now. */
void desk_forget(struct desk *d);

#endif
