/* Groups of which a subject must be in one. */
#ifndef IDENTITY_REQUIRED_H
#define IDENTITY_REQUIRED_H

#include "config/groups.h"

#include "base/error.h"

/* Whether the configuration wants the subject to be in certain groups. */
bool required_asks(const struct groups_config *c, const char *subject);

/*
 * Whether the subject, who is in these groups (each ended by a newline; NULL: no source knows
 * the subject), may have a token. 0, or -1 and ERROR_DENIED.
 */
int required_check(
    const struct groups_config *c, const char *subject, const char *groups, struct error *e);

#endif
