/* The claims of a token: a shape and values in, JSON out. */
#ifndef SIGNER_CLAIMS_H
#define SIGNER_CLAIMS_H

#include <stdint.h>

#include "identity/policy.h"
#include "signer/shape.h"

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
	int64_t now;     /* seconds since 1970, as is the next */
	int64_t expires; /* "exp" */
};

/*
 * The claims (RFC 7519, 4.1) as JSON, to be freed with free(): sub, iss, iat, exp, jti in this
 * order, then aud, nbf, act, groups, client_id where they apply, then the profile's, of which
 * groups that are given take the place. One audience is a string, several are an array, as
 * groups always are. NULL when memory is short.
 */
char *claims_build(const struct shape *s, const struct claim_values *v);

#endif
