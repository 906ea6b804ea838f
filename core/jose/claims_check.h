/*
 * Whether claims hold (RFC 7519, 4.1): times, issuer, audience, and who the user is. Pure:
 * claims, rules and a time in, a verdict out. Says nothing about the signature.
 */
#ifndef JOSE_CLAIMS_CHECK_H
#define JOSE_CLAIMS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"

/* The item of audiences that stands for each. */
#define AUDIENCE_ANY "*"

/* What the keys of one party may vouch for. */
struct claims_rules {
	char *const *issuers; /* "iss" is one of these, byte by byte; none: any, or no "iss" */
	size_t issuer_count;
	char *const *audiences; /* whom we identify as; see claims_check() */
	size_t audience_count;
	bool audience_required; /* where there are audiences, "aud" must be, too */
	const char *user_claim; /* which claim names the user: "sub", or another */
};

/*
 * Whether the claims hold at now, seconds since 1970, where clocks may differ by skew seconds:
 *
 *   exp   is required; now is before exp + skew
 *   nbf   if there, is at most now + skew
 *   iat   if there, is at most now + skew
 *
 * each an integer from 0 on; neither a real number nor a string is one.
 *
 * iss    is one of the issuers, where there are any.
 * aud    if there, is a string or an array of strings of which one is among the audiences:
 *        without audiences we identify as nobody, and a token with "aud" is refused (RFC 7519,
 *        4.1.3). AUDIENCE_ANY among them takes every "aud", and none.
 * groups if there, is an array of at most LIMIT_GROUP_COUNT plain texts shorter than
 *        LIMIT_GROUP_NAME.
 *
 * The user claim is plain UTF-8, not empty, shorter than LIMIT_PRINCIPAL; *user gets it and
 * belongs to claims. 0, or -1 and ERROR_UNAUTHENTICATED with one message, and the reason as
 * detail; *user is then NULL.
 */
int claims_check(const json_t *claims, const struct claims_rules *rules, int64_t now,
    int64_t skew, const char **user, struct error *e);

#endif
