/* Groups of a directory that have a user, or a group of the user's, as a member. */
#ifndef IDENTITY_SOURCE_LDAP_GROUPS_H
#define IDENTITY_SOURCE_LDAP_GROUPS_H

#include "identity/membership.h"
#include "identity/source_ldap_session.h"

/* Who is a member: {0} and {1} of the group filter. */
struct member {
	const char *user;
	const char *dn;
};

/* Groups of groups that are followed; a chain of more is a failure. */
enum { LDAP_GROUPS_LEVELS = 10 };

/* Adds the names to *m. ERROR_UNAVAILABLE when they cannot all be found. */
int ldap_groups_find(struct session *s, const struct ldap_config *c,
    const struct member *member, struct membership *m, struct error *e);

#endif
