/* One question about a password, for a person. */
#ifndef RESOLVER_TRY_H
#define RESOLVER_TRY_H

#include <stdbool.h>

#include "config/flags.h"

struct
try {
	const char *user;
	bool account; /* whether the account may be used; no password is read */
};

/*
 * Reads the password, the first line of stdin, without showing it, and prints what a check by
 * the section password comes to, at once: "right", "wrong: WHY". 0: right. 1: wrong. -1 and *e:
 * it cannot be said.
 */
int try_password(
    const struct config *c, const struct flags *flags, const struct try *t, struct error *e);

#endif
