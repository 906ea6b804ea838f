#include "identity/source_ldap_groups.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "identity/ldap_filter.h"
#include "identity/source_ldap_values.h"

/* A group that was found, the number of groups from the user to it, itself included. */
struct found {
	char *dn;
	unsigned int level;
};

struct finding {
	const struct ldap_config *config;
	struct membership *m;
	struct found *groups; /* in the order they were found, each once */
	size_t count;
	unsigned int level; /* of what is found now */
};

/* Servers name an entry in one way. Where they do not, it is searched once more, no worse. */
static bool
is_known(const struct finding *f, const char *dn)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcasecmp(f->groups[i].dn, dn) == 0)
			return true;
	return false;
}

static int
note(struct finding *f, const char *dn, struct error *e)
{
	struct found *grown;
	char *copy;

	if (f->count == LIMIT_GROUP_COUNT)
		return error_set(e, ERROR_UNAVAILABLE, "the user is in more than %d groups",
		    LIMIT_GROUP_COUNT);
	if (f->level > LDAP_GROUPS_LEVELS)
		return error_set(e, ERROR_UNAVAILABLE,
		    "'%.128s' is more than %d groups of groups away from the user", dn,
		    LDAP_GROUPS_LEVELS);
	grown = realloc(f->groups, (f->count + 1) * sizeof(*grown));
	if (grown != NULL)
		f->groups = grown;
	copy = grown != NULL ? strdup(dn) : NULL;
	if (copy == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	f->groups[f->count++] = (struct found){.dn = copy, .level = f->level};
	return 0;
}

/* A group that cannot be named is not passed over: rules may deny by it. */
static int
take_group(void *context, LDAP *ld, LDAPMessage *entry, struct error *e)
{
	struct finding *f = context;
	const struct attribute names = {ld, entry, f->config->group_name};
	char *dn = ldap_get_dn(ld, entry);
	size_t count = 0;
	int rc = 0;

	if (dn == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "a group's DN cannot be read");
	if (!is_known(f, dn)) {
		rc = note(f, dn, e);
		if (rc == 0)
			rc = values_add_names(&names, f->m, &count, e);
		if (rc == 0 && count == 0)
			rc = error_set(e, ERROR_UNAVAILABLE,
			    "'%.128s' has no '%.64s', or who binds may not see it: check "
			    "group-name",
			    dn, f->config->group_name);
	}
	ldap_memfree(dn);
	return rc;
}

static int
search(struct session *s, struct finding *f, const struct member *member, struct error *e)
{
	const struct ldap_config *c = f->config;
	const char *const values[] = {member->user, member->dn};
	const char *const attributes[] = {c->group_name, NULL};
	struct search q = {.base = c->group_base,
	    .attributes = attributes,
	    .most = LIMIT_GROUP_COUNT,
	    .visit = take_group,
	    .context = f};
	struct buffer filter;
	int rc;

	buffer_init(&filter, LDAP_FILTER_MAX);
	rc = ldap_filter_fill(&filter, c->group_filter, values, e);
	q.filter = filter.data;
	if (rc == 0)
		rc = session_search(s, &q, e);
	buffer_free(&filter);
	return rc;
}

int
ldap_groups_find(struct session *s, const struct ldap_config *c, const struct member *member,
    struct membership *m, struct error *e)
{
	struct finding f = {.config = c, .m = m, .level = 1};
	int rc = search(s, &f, member, e);

	/* The nearest first, so that the level of a group is the least that it has. */
	for (size_t i = 0; rc == 0 && c->nested && i < f.count; i++) {
		struct member group = {.user = member->user, .dn = f.groups[i].dn};

		f.level = f.groups[i].level + 1;
		rc = search(s, &f, &group, e);
	}
	for (size_t i = 0; i < f.count; i++)
		free(f.groups[i].dn);
	free(f.groups);
	return rc;
}
