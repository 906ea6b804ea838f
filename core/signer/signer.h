/*
 * Where tokens are signed, as the service sees it: hand in a query, get called back
 * with the token. Whether the key is in this process (signer_local.h) or in another
 * (signer_remote.h) is not visible here.
 */
#ifndef SIGNER_SIGNER_H
#define SIGNER_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "identity/policy.h"

/* A signed token; valid during the call that hands it over. */
struct signature {
	const char *token; /* the compact JWS, NUL-terminated */
	size_t length;
	int64_t expires;     /* its "exp", seconds since 1970 */
	char jti[LIMIT_JTI]; /* its "jti" */
	char kid[LIMIT_KID]; /* of the key that signed it, whether or not its header says so */
};

/* s is NULL when there is none, and then e says why. */
typedef void signer_done(void *context, const struct signature *s, const struct error *e);

struct signer {
	/* See signer_submit() and signer_publish(). */
	int (*submit)(struct signer *self, const struct query *q, signer_done *done,
	    void *context, struct error *e);
	int (*publish)(struct signer *self, signer_done *done, void *context, struct error *e);
};

/*
 * Asks for a token. 0: done is called exactly once, maybe before this returns.
 * -1: it is not called, and *e says why (ERROR_UNAVAILABLE).
 */
static inline int
signer_submit(
    struct signer *s, const struct query *q, signer_done *done, void *context, struct error *e)
{
	return s->submit(s, q, done, context, e);
}

/*
 * Asks for the public keys, in the same manner: what done gets as the token is the JWK Set
 * (RFC 7517, 5), and as its end the second until which it may be kept; its kid is that of the
 * key that signs tokens without a profile, or "" while a token of some profile has none.
 */
static inline int
signer_publish(struct signer *s, signer_done *done, void *context, struct error *e)
{
	return s->publish(s, done, context, e);
}

#endif
