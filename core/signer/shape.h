/*
 * A profile made ready to mint by: what it says is checked once, at the start, so that a
 * mint only fills in values.
 */
#ifndef SIGNER_SHAPE_H
#define SIGNER_SHAPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "identity/policy.h"
#include "jose/algorithm.h"

struct shape {
	const struct profile *profile; /* NULL: a token without one */
	const char *type;              /* "typ" */
	const struct algorithm *algorithm;
	bool kid;      /* whether headers carry "kid" */
	json_t *extra; /* claims to add, with ${NAME} in them; NULL: none */
};

/*
 * The shape of tokens by the profile, NULL for those without one; it leads to c and to the
 * profile, which must outlive it. ERROR_CONFIG with FILE:LINE: an algorithm that does not
 * exist, claims that are no JSON object, that name a claim of ours or an unknown ${NAME}, a
 * renaming that would lose a claim.
 */
int shape_open(
    struct shape *s, const struct config *c, const struct profile *profile, struct error *e);
void shape_close(struct shape *s);

/* What a token's claims are made of. */
struct claim_values {
	const struct grant *grant;
	const char *caller;
	const char *groups; /* each ended by a newline; NULL: no claim of them */
	const char *issuer;
	const char *host;
	const char *email;
	const char *space; /* the subject's namespace */
	const char *jti;
	int64_t now; /* seconds since 1970 */
};

/*
 * The claims (RFC 7519, 4.1) as JSON, to be freed with free(): sub, iss, iat, exp, jti in this
 * order, then aud, nbf, act, groups, client_id where they apply, then the profile's, of which
 * groups that are given take the place. One audience is a string, several are an array, as
 * groups always are. NULL when memory is short.
 */
char *shape_claims(const struct shape *s, const struct claim_values *v);

#endif
