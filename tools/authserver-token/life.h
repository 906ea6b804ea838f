/*
 * How long a token has still to live, by its own words (RFC 7519, 4.1). Its signature is not
 * verified, and cannot be: whoever asks for a token need not have the keys. Pure.
 */
#ifndef TOOLS_AUTHSERVER_TOKEN_LIFE_H
#define TOOLS_AUTHSERVER_TOKEN_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Times are seconds since 1970. */
struct life {
	bool ends;
	int64_t expires; /* "exp", where it ends */
	bool dated;
	int64_t issued;                /* "iat", where it is dated */
	char subject[LIMIT_PRINCIPAL]; /* "sub"; "": it has none, or one that is longer */
};

/* Reads it off the token, which must be one compact JWS and nothing else. ERROR_UNAVAILABLE,
 * with no byte of it in the text. */
int life_read(struct life *l, const char *token, size_t length, struct error *e);

/* Whether it has ended. One that does not say has not. */
bool life_ended(const struct life *l, int64_t now);

/*
 * Whether a token that was kept may be used: it says when it ends, that is at least min_life
 * seconds from now, and it is not of a future that no two clocks differ by. min_life 0 is a
 * tenth of the whole life, and at most a minute.
 */
bool life_enough(const struct life *l, int64_t now, int64_t min_life);

#endif
