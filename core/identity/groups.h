/*
 * The groups of a caller or subject, from the host's own accounts (getgrouplist(3), so
 * also from what nsswitch.conf adds: sssd, LDAP). Names are case-sensitive.
 */
#ifndef IDENTITY_GROUPS_H
#define IDENTITY_GROUPS_H

#include "base/error.h"
#include "base/limits.h"

/*
 * Writes the names of user's groups, each ended by a newline. A user without an account
 * has none. A failure is never "no groups": ERROR_UNAVAILABLE when the look-up fails or
 * when there are more than fit.
 */
int groups_lookup(const char *user, char groups[LIMIT_GROUPS], struct error *e);

#endif
