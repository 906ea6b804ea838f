/* One attempt for all who want the same token at the same time. */
#ifndef TOOLS_AUTHSERVER_TOKEN_FLIGHT_H
#define TOOLS_AUTHSERVER_TOKEN_FLIGHT_H

#include <stdint.h>

#include "base/clock.h"
#include "tools/authserver-token/cache.h"

struct flight {
	/* Asks for a token, which has not ended. 0, or -1 and *e. */
	int (*ask)(void *context, struct buffer *token, struct error *e);
	void *context;
	error_tell
	    *tell; /* that what came of it was not kept; the token is good all the same */
	const struct clock *clock;
	int64_t min_life; /* as for life_enough() */
	int timeout;      /* seconds that another's attempt is waited for */
};

/*
 * Appends the token that is kept where that will do. Else one process asks, and those that
 * come meanwhile have what it gets: the token, or the reason why there is none. Where the one
 * that asks is killed, another asks. 0, or -1 and *e.
 */
int flight_token(
    struct buffer *token, const struct cache *c, const struct flight *f, struct error *e);

#endif
