/* What a token needs to know of its subject beside the name. */
#ifndef SERVICE_KNOWLEDGE_H
#define SERVICE_KNOWLEDGE_H

#include <stdbool.h>

#include "config/config.h"
#include "identity/membership.h"
#include "identity/policy.h"

/* Whether a token by the profile (NULL: none) for the subject needs to know the subject. */
bool knowledge_needed(
    const struct config *c, const struct profile *profile, const char *subject);

/*
 * Lets the query lead to what is known of its subject, which must outlive it. 0, or -1 and
 * ERROR_DENIED: no source knows the subject, and the token is to have groups; or the subject is
 * in none of the groups that are required.
 */
int knowledge_use(struct query *q, const struct membership *m, const struct config *c,
    const struct profile *profile, struct error *e);

#endif
