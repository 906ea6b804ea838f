/* The names of the files that say what was revoked. For the files of this folder. */
#ifndef STORE_REVOCATION_NAME_H
#define STORE_REVOCATION_NAME_H

#include "jose/digest.h"
#include "store/revocation_entry.h"
#include "store/revocations.h"

enum {
	REVOCATION_NAME = sizeof(REVOCATION_SUBJECT) + DIGEST_TEXT,
	REVOCATION_NAMES = 4, /* that one token may have */
};

/*
 * The names under which a token may be revoked. The first one is that which its revocation
 * gets; there is none when the token has neither jti nor signed_part. A token of another party
 * has each name twice: with that party, and as if it were ours, which whoever has the run of
 * the state directory may revoke for all. 0, or -1 and ERROR_UNAVAILABLE.
 */
int revocation_name_token(char names[REVOCATION_NAMES][REVOCATION_NAME], size_t *count,
    const struct revocation_subject *t, struct error *e);

/* That for all of a subject. */
int revocation_name_subject(
    char name[REVOCATION_NAME], const char *issuer, const char *subject, struct error *e);

#endif
