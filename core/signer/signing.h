/*
 * From a query to a signed token: policy once more, claims, signature. Runs where the
 * key is: in the signer process, or in process for CGI and the command line.
 */
#ifndef SIGNER_SIGNING_H
#define SIGNER_SIGNING_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/host.h"
#include "config/config.h"
#include "identity/attributes.h"
#include "identity/policy.h"
#include "jose/keyring.h"
#include "signer/shape.h"
#include "signer/signer.h"

/* All that a signature needs; used by several threads at once, changed by none. */
struct signing {
	struct keyring *ring;
	const struct profile *profiles; /* the first of the configuration's */
	size_t profile_count;
	struct shape *shapes; /* one a profile, and then one for tokens without */
	struct attributes *attributes;
	const struct policy *policy;
	const struct groups_config *groups;
	const char *issuer; /* "iss" */
	const struct clock *clock;
	const struct entropy *entropy;
	char address[HOST_ADDRESS_MAX]; /* the issuer where none is configured */
	char host[HOST_NAME_SIZE];
};

/* Whether the configuration has what signing_open() needs, but for the files that it names.
 * 0, or -1 and ERROR_CONFIG. */
int signing_check(const struct config *c, struct error *e);

/*
 * The same to the end: tell is called with each thing that is wrong. With a ring also with
 * each profile that has no key in it at now (seconds since 1970).
 */
void signing_lint(const struct config *c, const struct keyring *ring, int64_t now,
    error_tell *tell, void *context);

/* Where the configuration's keys are; it leads to c, whose private_key is not NULL. */
struct keyring_source signing_keys(const struct config *c);

/*
 * Loads the keys and the attributes and fills *s, whose pointers lead to itself, to c, to p
 * and to the clocks: all of them stay where they are until signing_close(). An algorithm that
 * a profile names must have a key that signs with it now. ERROR_CONFIG, ERROR_NO_INPUT; there
 * is then nothing to close.
 */
int signing_open(struct signing *s, const struct config *c, const struct policy *p,
    const struct clock *clock, const struct entropy *entropy, struct error *e);
void signing_close(struct signing *s);

/*
 * Appends the compact JWS for q to token, and tells of it in *made, whose token is that
 * buffer's text. Errors as policy_permit(), keyring_pick() and jws_sign().
 */
int signing_mint(const struct signing *s, const struct query *q, struct buffer *token,
    struct signature *made, struct error *e);

/* What is to be signed, after it was decided that it may be. */
struct signing_order {
	const struct grant *grant;
	const char *caller;
	const char *groups; /* "groups", each ended by a newline; NULL: no such claim */
	/* What is known of the subject where the file of attributes has nothing; NULL: nothing.
	 */
	const char *email;
	const char *space;
	int64_t not_after; /* as of a query */
};

/* The same for what whoever calls answers for: neither policy nor required groups are asked.
 * A token that is to have groups is not signed without. */
int signing_sign(const struct signing *s, const struct signing_order *o, struct buffer *token,
    struct signature *made, struct error *e);

/* Appends the JWK Set to json, in the same manner: made->expires is until when it may be
 * kept. */
int signing_publish(
    const struct signing *s, struct buffer *json, struct signature *made, struct error *e);

#endif
