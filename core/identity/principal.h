/*
 * The caller: whom the web server authenticated, from REMOTE_USER and AUTH_TYPE
 * (RFC 3875, 4.1.1, 4.1.11) and from nothing else.
 */
#ifndef IDENTITY_PRINCIPAL_H
#define IDENTITY_PRINCIPAL_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"

struct principal {
	char name[LIMIT_PRINCIPAL];   /* without its realm; "anonymous" when nobody is known */
	char scheme[LIMIT_AUTH_TYPE]; /* AUTH_TYPE; empty when nobody is known */
};

/*
 * remote_user counts only beside an auth_type that is not empty: stock nginx passes
 * REMOTE_USER for any user:password sent to a location that checks nothing. Either may
 * be NULL. A principal USER@REALM becomes USER when realms holds REALM (compared
 * exactly), and is refused otherwise.
 * ERROR_MALFORMED (too long, control bytes, a scheme of those below),
 * ERROR_UNAUTHENTICATED (a scheme that names nobody), ERROR_DENIED (the realm).
 */
int principal_read(struct principal *p, const char *remote_user, const char *auth_type,
    const struct strings *realms, struct error *e);

/*
 * The caller is the Unix account at the other end of a local connection; its scheme is
 * "peer". No realm is cut: the kernel knows none. ERROR_MALFORMED as above.
 */
int principal_peer(struct principal *p, const char *account, struct error *e);

/*
 * The caller is whom a token names that was shown (RFC 8693), by party's word; its scheme is
 * "token:PARTY". With a realm only USER@REALM is taken, and becomes USER; realm NULL: the name
 * is taken whole. party is shorter than LIMIT_PARTY. ERROR_DENIED, ERROR_MALFORMED.
 */
int principal_token(struct principal *p, const char *user, const char *party, const char *realm,
    struct error *e);

/* The caller is whom a password has proved (RFC 6749, 4.3); its scheme is "password".
 * ERROR_MALFORMED. */
int principal_password(struct principal *p, const char *user, struct error *e);

/* The caller is the subject whose token file authserver-keep(1) keeps fresh; its scheme is
 * "keep". ERROR_MALFORMED. */
int principal_keep(struct principal *p, const char *subject, struct error *e);

bool principal_authenticated(const struct principal *p);

#endif
