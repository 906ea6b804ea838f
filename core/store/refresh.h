/*
 * Families of refresh tokens (RFC 6749, 6; RFC 9700, 4.14.2). A token is used once: its use
 * gives the next one of the family. An old one that is used again was copied, by its user's
 * fault or by a thief, and ends the family: nobody can say which of the two has the newest.
 *
 * A token is 66 random bytes in base64url: the family's name, a proof, a secret. The file
 * STATE/refresh/family.NAME holds digests of proof and secret, so that reading it gives no
 * token. A secret that does not fit ends the family only beside the proof: who merely knows the
 * name of a family, as a listing or the log says it, cannot end it.
 *
 * A token that is being used is held by locks that go with their process, however that ends.
 * The file is replaced by one that knows both the successor and the old token until it is
 * confirmed that the successor was handed out. Whoever dies before leaves a family that takes
 * either of them, and then no more the other: the old one once more, as the client never got
 * the successor, or the successor, as it did. So a family is never lost, and there are never
 * two ways on.
 *
 * After a loss of power the file may be that of seconds before: then the old token is good once
 * more, and the newer one, which was handed out, counts as a copy and ends the family. Its user
 * has to log in again; nothing is won by it. What was ended stays ended.
 */
#ifndef STORE_REFRESH_H
#define STORE_REFRESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "store/state.h"

/* The parts of a token's text. */
enum {
	REFRESH_NAME = 24,
	REFRESH_PROOF = 24,
	REFRESH_SECRET = 40,
	REFRESH_TOKEN = REFRESH_NAME + REFRESH_PROOF + REFRESH_SECRET + 1,
};

/* What a family is good for. */
struct refresh_family {
	char caller[LIMIT_PRINCIPAL];
	char scheme[LIMIT_AUTH_TYPE];
	char subject[LIMIT_SUBJECT];
	char profile[LIMIT_PROFILE];
	char audience[LIMIT_AUDIENCE];
	int64_t lifetime;             /* seconds asked for each token; 0: none were */
	char client[LIMIT_PRINCIPAL]; /* whom the web server had authenticated, who alone may
					 use it; "": none */
	int64_t created;              /* seconds since 1970; set by refresh_begin() */
};

/* In seconds. */
struct refresh_limits {
	int64_t lifetime; /* of a family */
	int64_t idle;     /* from one use to the next */
};

/*
 * Begins a family and writes its first token, which the caller cleanses. Its limits stay with
 * it. 0, or -1 and no token: ERROR_UNAVAILABLE, ERROR_NO_PERMISSION; ERROR_CONFIG without a
 * state; ERROR_MALFORMED when a text is not UTF-8; ERROR_LIMITED as of state_bound().
 */
int refresh_begin(const struct state *s, const struct refresh_family *family,
    const struct refresh_limits *limits, int64_t now, const struct entropy *entropy,
    char token[REFRESH_TOKEN], struct error *e);

/* A family that is held by one request: nobody else can use it meanwhile. */
struct refresh_lease;

/*
 * Takes the token at now, seconds since 1970. Of its family's limits and those given here the
 * shorter ones hold; NULL: its own. 0 and *out, which is given to refresh_release(). -1 and
 * ERROR_GRANT with one text whatever the reason, which is the detail: malformed, unknown,
 * expired, idle for too long, being used at this moment; or an old one, and its family has
 * ended. ERROR_UNAVAILABLE when it cannot be said. A family from further in the future than it
 * may live was made before the clock was set back, and counts as expired.
 */
int refresh_take(struct refresh_lease **out, const struct state *s, const char *token,
    const struct refresh_limits *limits, int64_t now, struct error *e);

/* What it is good for; belongs to the lease. */
const struct refresh_family *refresh_family(const struct refresh_lease *lease);

/*
 * Once a lease: makes the successor and writes its token, which the caller cleanses. From here
 * on the family takes the successor. -1, and the old token is good as before:
 * ERROR_UNAVAILABLE, ERROR_NO_PERMISSION; ERROR_GRANT when the family was ended meanwhile.
 */
int refresh_rotate(struct refresh_lease *lease, int64_t now, const struct entropy *entropy,
    char token[REFRESH_TOKEN], struct error *e);

/* The successor was handed out, and the old token is an old one from now on. Without this it
 * may be taken again after refresh_release(). */
void refresh_confirm(struct refresh_lease *lease);

/* Ends the lease, NULL too. Without refresh_rotate() the token is good as before. */
void refresh_release(struct refresh_lease *lease);

/* Ends the family of the token, be it the newest or an old one (RFC 7009, 2.1), even if it is
 * being used. 0, also when there is none; -1 and ERROR_UNAVAILABLE, ERROR_NO_PERMISSION. */
int refresh_end(const struct state *s, const char *token, struct error *e);

/* Deletes the families that have ended by their own limits STATE_GRACE before now; *count gets
 * how many. Errors as of revocation_sweep(). */
int refresh_sweep(
    const struct state *s, int64_t now, bool dry_run, size_t *count, struct error *e);

#endif
