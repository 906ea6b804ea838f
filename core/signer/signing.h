/*
 * From a query to a signed token: policy once more, claims, signature. Runs where the
 * key is: in the signer process, or in process for CGI and the command line.
 */
#ifndef SIGNER_SIGNING_H
#define SIGNER_SIGNING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/host.h"
#include "config/config.h"
#include "identity/policy.h"
#include "jose/key.h"

/* All that a signature needs; used by several threads at once, changed by none. */
struct signing {
	struct key *key;
	bool kid; /* whether headers carry "kid" */
	const struct policy *policy;
	const char *issuer; /* "iss" */
	const struct clock *clock;
	const struct entropy *entropy;
	char address[HOST_ADDRESS_MAX]; /* the issuer where none is configured */
};

/* Whether the configuration has what signing_open() needs, but for the key file itself.
 * 0, or -1 and ERROR_CONFIG. */
int signing_check(const struct config *c, struct error *e);

/*
 * Loads the key and fills *s, whose pointers lead to itself, to c, to p and to the clocks: all
 * of them stay where they are until signing_close(). ERROR_CONFIG, ERROR_NO_INPUT; there
 * is then nothing to close.
 */
int signing_open(struct signing *s, const struct config *c, const struct policy *p,
    const struct clock *clock, const struct entropy *entropy, struct error *e);
void signing_close(struct signing *s);

/*
 * Appends the compact JWS for q to token; *expires is its "exp", seconds since 1970.
 * Claims (RFC 7519, 4.1): sub, iss, iat, exp, jti in this order, then aud and act when
 * they apply. Errors as policy_permit() and jws_sign().
 */
int signing_mint(const struct signing *s, const struct query *q, struct buffer *token,
    int64_t *expires, struct error *e);

#endif
