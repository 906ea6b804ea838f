/*
 * Verdicts on tokens by a verifier of which some parties publish their keys at a URL. A token
 * that the keys which are there verify is good at once. Another one waits for the keys of those
 * parties that have none yet and, if nobody knows its "kid", for newer ones. What is old is
 * asked for anew while it goes on to be used, until it may not be trusted any more.
 *
 * For one thread; asks by a lookup, which may answer before it returns.
 */
#ifndef SERVICE_TRUST_H
#define SERVICE_TRUST_H

#include "base/clock.h"
#include "identity/lookup.h"
#include "jose/verifier.h"

struct trust;

/* v and the clock must outlive it. 0, or -1 and ERROR_INTERNAL; *out is NULL on failure, else
 * trust_free() it. */
int trust_open(
    struct trust **out, struct verifier *v, const struct clock *clock, struct error *e);

/* Nobody is called any more who still waits. */
void trust_free(struct trust *t);

/* Who has the keys; NULL, as at first: nobody. */
void trust_set_lookup(struct trust *t, struct lookup *l);

/* v is valid during the call, and NULL when the token is not good: then e says why, as
 * verifier_verify() or, with ERROR_UNAVAILABLE, that it cannot be said. */
typedef void trust_done(void *context, const struct verified *v, const struct error *e);

/* Judges a token, which must stay until done is called: exactly once, maybe before this
 * returns. */
void trust_judge(
    struct trust *t, const char *token, size_t length, trust_done *done, void *context);

#endif
