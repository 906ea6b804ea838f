/*
 * What was revoked before it expires (RFC 7009): single tokens, and all that a subject had up
 * to a time. That a file exists says so, which every process and every face of the validator
 * sees at once; nothing of it is kept in memory.
 *
 *   STATE/revoked/token.DIGEST     of issuer and "jti"
 *   STATE/revoked/signed.DIGEST    of HEADER.PAYLOAD, where there is no "jti"
 *   STATE/revoked/subject.DIGEST   of issuer and "sub"
 *
 * What a token says of itself, whoever made it has chosen, and another party's may say that it
 * is ours. So the digest of a token is of the party, too, whose key signed it: who can show one
 * of theirs revokes none of ours.
 *
 * Each holds "EXPIRES BEFORE", two times of 19 digits, and goes when what it is about has
 * expired anyway. "iat" is in whole seconds (RFC 7519, 2), so that a token which a subject got
 * in the very second of its revocation is revoked as well, whether it was made before or after.
 */
#ifndef STORE_REVOCATIONS_H
#define STORE_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "store/state.h"

/* What is known of a token. For a family of refresh tokens: issuer, subject, issued. */
struct revocation_subject {
	const char *party;       /* whose key signed it; NULL: ours, or nobody knows */
	const char *issuer;      /* "iss"; "": none */
	const char *jti;         /* NULL: none */
	const char *subject;     /* "sub"; NULL: none */
	int64_t issued;          /* "iat"; 0: none, and the token is older than any time */
	const char *signed_part; /* HEADER.PAYLOAD as it stands; NULL: not known */
	size_t signed_length;
};

/* That of a compact JWS which was found valid: user is whom it names, party the section whose
 * key verified it, NULL for ours. It leads to all four. */
struct revocation_subject revocation_subject_of(
    const json_t *claims, const char *user, const char *token, const char *party);

/*
 * 0: not revoked, as when there is no state. -1 and ERROR_UNAUTHENTICATED, with the message of
 * a token that is not valid: it is. -1 and ERROR_UNAVAILABLE: it cannot be said, and the token
 * must not be taken. A token is asked for by all that is known of it, and one of another party
 * also by what was revoked without a party.
 */
int revocation_check(
    const struct state *s, const struct revocation_subject *t, struct error *e);

/*
 * Revokes the token, by its jti or else by its signed part, until expires, the time (seconds
 * since 1970) from which nobody takes it anyway. Again is fine: the later time holds. It is on
 * the disk when this returns 0. -1 and ERROR_UNAVAILABLE, ERROR_NO_PERMISSION; ERROR_CONFIG
 * when there is no state; ERROR_MALFORMED when the token has neither jti nor signed_part;
 * ERROR_LIMITED as of state_bound().
 */
int revocation_add_token(const struct state *s, const struct revocation_subject *t,
    int64_t expires, struct error *e);

/* The same for all tokens of the subject that were issued at before or earlier, none of which
 * is valid at expires. Of two, the later before and the later expires hold. */
int revocation_add_subject(const struct state *s, const char *issuer, const char *subject,
    int64_t before, int64_t expires, struct error *e);

/* Deletes those that expired STATE_GRACE before now; *count gets how many. ERROR_UNAVAILABLE,
 * ERROR_NO_PERMISSION; what can be deleted is, first. */
int revocation_sweep(
    const struct state *s, int64_t now, bool dry_run, size_t *count, struct error *e);

#endif
