#define _GNU_SOURCE /* strdup */
#include "identity/source_ldap_user.h"

#include <string.h>

#include "identity/ldap_filter.h"
#include "identity/source_ldap_values.h"

static int
take(void *context, LDAP *ld, LDAPMessage *entry, struct error *e)
{
	struct ldap_user *u = context;
	const struct attribute name = {ld, entry, u->config->name_attribute};
	bool same = true;
	char *dn;

	u->twice = u->dn != NULL;
	if (u->twice)
		return error_set(e, ERROR_UNAVAILABLE,
		    "more than one entry matches the user's name: make filter narrower");
	dn = ldap_get_dn(ld, entry);
	u->dn = dn != NULL ? strdup(dn) : NULL;
	ldap_memfree(dn);
	if (u->dn == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "the DN of the user cannot be read");
	if (name.name != NULL && values_have(&name, u->name, &same, e) == -1)
		return -1;
	u->other = !same;
	return u->other || u->visit == NULL ? 0 : u->visit(u->context, ld, entry, e);
}

int
ldap_user_find(struct session *s, struct ldap_user *u, struct error *e)
{
	struct search q = {.base = u->config->base,
	    .attributes = u->attributes,
	    .most = 2, /* enough to see that there is more than one */
	    .visit = take,
	    .context = u};
	struct buffer filter;
	int rc;

	buffer_init(&filter, LDAP_FILTER_MAX);
	rc = ldap_filter_fill(&filter, u->config->filter, &u->name, e);
	q.filter = filter.data;
	if (rc == 0)
		rc = session_search(s, &q, e);
	buffer_free(&filter);
	return rc;
}

int
ldap_check_dn(const char *key, const char *dn, struct error *e)
{
	LDAPDN parsed = NULL;
	int code = ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3);

	ldap_dnfree(parsed);
	if (code == LDAP_SUCCESS)
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "%s: '%.128s' is no DN, such as \"ou=people,dc=example,dc=com\"", key, dn);
}

int
ldap_user_check(const struct ldap_config *c, struct error *e)
{
	/* bind-dn may be what only Active Directory knows: user@example.com. */
	if (ldap_check_dn("base", c->base, e) == -1)
		return -1;
	if (ldap_filter_check(c->filter, 1, e) == -1)
		return error_prefix(e, "filter");
	return 0;
}
