/* Whether a user's account on this host is good: it is there, has not expired, and nobody has
 * locked it. Says nothing about how the user logs in. */
#ifndef IDENTITY_UNIX_ACCOUNT_H
#define IDENTITY_UNIX_ACCOUNT_H

#include <shadow.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * What a line of shadow(5) says on a day (since 1970). Refused, as pam_unix(8) does: an account
 * on and after the day it expires, and one whose password is older than its maximum age and
 * the days of inactivity behind that. Refused too: a password that was locked, which is a "!"
 * before something else than "!" and "*"; these alone say that there never was a password, as
 * for users of Kerberos. 0, or -1 and ERROR_DENIED.
 */
int unix_account_judge(const struct spwd *shadow, int64_t day, struct error *e);

/*
 * The same for the account of this name at now, seconds since 1970. *blind is whether its line
 * of shadow(5) exists but may not be read by us: then it is good when it is there.
 * ERROR_DENIED, and ERROR_UNAVAILABLE when the look-up failed.
 */
int unix_account_check(const char *name, int64_t now, bool *blind, struct error *e);

#endif
