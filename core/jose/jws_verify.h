/* The signature of a JWS by one key (RFC 7515, 5.2 step 8). */
#ifndef JOSE_JWS_VERIFY_H
#define JOSE_JWS_VERIFY_H

#include "base/error.h"
#include "jose/jws_parse.h"
#include "jose/public_key.h"

/*
 * Whether k signed the token. Its header must name k's algorithm, in this very spelling, and
 * its signature must have k's length, which is looked at before anything is decoded. 0, or -1
 * and ERROR_UNAUTHENTICATED with one message, and the reason as detail; ERROR_UNAVAILABLE when
 * memory is short, which says nothing about the token.
 */
int jws_verify(const struct jws *j, const struct public_key *k, struct error *e);

#endif
