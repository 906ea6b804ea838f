/* What authserverctl revoke is told to do, and that it is done. */
#ifndef AUTHSERVERCTL_REVOKE_ORDER_H
#define AUTHSERVERCTL_REVOKE_ORDER_H

#include <stdbool.h>

#include "config/flags.h"

/* A token, an identifier or a subject, and one of them. */
struct revoke_arguments {
	struct flags flags;
	const char *source; /* of a token */
	const char *jti;
	const char *subject;
	const char *issuer;  /* NULL: ours */
	const char *before;  /* NULL: now */
	const char *expires; /* NULL: when everything has expired */
	bool token;          /* one is given, or comes from standard input */
	bool force;
};

/*
 * Revokes, and prints a line of what. A token must be valid for the configuration unless it is
 * forced. ERROR_MALFORMED for what a flag says, ERROR_DENIED for the token; ERROR_CONFIG,
 * ERROR_NO_INPUT, ERROR_UNAVAILABLE, ERROR_NO_PERMISSION.
 */
int revoke_order(const struct revoke_arguments *a, const struct config *c, struct error *e);

#endif
