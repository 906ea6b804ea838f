/* The entry of a user in a directory. */
#ifndef IDENTITY_SOURCE_LDAP_USER_H
#define IDENTITY_SOURCE_LDAP_USER_H

#include "identity/source_ldap_session.h"

struct ldap_user {
	const struct ldap_config *config;
	const char *name;              /* as it must match */
	const char *const *attributes; /* of the entry that are wanted; NULL behind them */
	session_visit *visit;          /* given the entry; NULL: it is not looked at */
	void *context;
	char *dn;   /* NULL: there is no entry; else to be freed with free() */
	bool other; /* the entry is of a name that is spelt otherwise: it is not this user's */
	bool twice; /* there is more than one entry */
};

/*
 * Searches the entry; dn, other and twice are for it to set. ERROR_UNAVAILABLE as
 * session_search(), and for more than one entry. What is in dn is there on failure too.
 */
int ldap_user_find(struct session *s, struct ldap_user *u, struct error *e);

/* Whether what the configuration says of where users are makes sense. ERROR_CONFIG. */
int ldap_user_check(const struct ldap_config *c, struct error *e);

/* Whether the value of a key is a DN. ERROR_CONFIG. */
int ldap_check_dn(const char *key, const char *dn, struct error *e);

#endif
