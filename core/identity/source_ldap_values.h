/* Values of an entry of a directory. */
#ifndef IDENTITY_SOURCE_LDAP_VALUES_H
#define IDENTITY_SOURCE_LDAP_VALUES_H

#include <ldap.h>
#include <stdbool.h>
#include <stddef.h>

#include "identity/membership.h"

/* One attribute of one entry. */
struct attribute {
	LDAP *ld;
	LDAPMessage *entry;
	const char *name; /* NULL: one that is not asked for, and has no values */
};

/* Given each value, which a NUL follows. -1 and *e ends it. */
typedef int values_visit(void *context, const struct berval *value, struct error *e);

/* ERROR_UNAVAILABLE when the server gave but a part of the values (Active Directory has a most,
 * and then calls the attribute "member;range=0-1499"); *count, which may be NULL, is how many
 * there are. */
int values_each(const struct attribute *a, values_visit *visit, void *context, size_t *count,
    struct error *e);

/* Adds each value as a group's name. */
int values_add_names(
    const struct attribute *a, struct membership *m, size_t *count, struct error *e);

/* The same, but of a value that is a DN the name is the value of its first RDN. */
int values_add_first_rdn(const struct attribute *a, struct membership *m, struct error *e);

/* Puts the first value into to, "" when there is none. ERROR_UNAVAILABLE for one that is not
 * UTF-8, has control characters, or does not fit. */
int values_first(const struct attribute *a, char *to, size_t size, struct error *e);

/* Whether a value is text, byte by byte. */
int values_have(const struct attribute *a, const char *text, bool *found, struct error *e);

#endif
