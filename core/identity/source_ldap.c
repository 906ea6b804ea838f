/*
 * A directory (RFC 4511): the entry of a user, and the groups that it names or that name it.
 * What compares names is the directory: most make no difference between ALICE and alice.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "identity/ldap_filter.h"
#include "identity/source.h"
#include "identity/source_ldap_groups.h"
#include "identity/source_ldap_session.h"
#include "identity/source_ldap_values.h"

enum { ATTRIBUTES_MAX = 4 };

struct ldap_source {
	struct source source; /* first, so that the one leads to the other */
	const struct ldap_config *config;
	struct session *session;
	const char *attributes[ATTRIBUTES_MAX + 1]; /* of a user's entry; NULL behind them */
};

/* A user's entry as it is read. */
struct reading {
	const struct ldap_config *config;
	const char *user;
	struct membership *m;
	char *dn;   /* NULL: there is no entry */
	bool other; /* the entry is of a name that is spelt otherwise */
};

static int
take_user(void *context, LDAP *ld, LDAPMessage *entry, struct error *e)
{
	struct reading *r = context;
	const struct ldap_config *c = r->config;
	const struct attribute name = {ld, entry, c->name_attribute};
	const struct attribute groups = {ld, entry, c->attribute};
	const struct attribute email = {ld, entry, c->email_attribute};
	const struct attribute space = {ld, entry, c->namespace_attribute};
	bool same = true;
	char *dn;

	if (r->dn != NULL)
		return error_set(e, ERROR_UNAVAILABLE,
		    "more than one entry matches the user's name: make filter narrower");
	dn = ldap_get_dn(ld, entry);
	r->dn = dn != NULL ? strdup(dn) : NULL;
	ldap_memfree(dn);
	if (r->dn == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "the DN of the user cannot be read");
	if (c->name_attribute != NULL && values_have(&name, r->user, &same, e) == -1)
		return -1;
	r->other = !same;
	if (r->other)
		return 0;
	if (values_add_first_rdn(&groups, r->m, e) == -1 ||
	    values_first(&email, r->m->email, sizeof(r->m->email), e) == -1)
		return -1;
	return values_first(&space, r->m->space, sizeof(r->m->space), e);
}

static int
find_user(struct ldap_source *s, struct reading *r, struct error *e)
{
	struct search q = {.base = s->config->base,
	    .attributes = s->attributes,
	    .most = 2, /* enough to see that there is more than one */
	    .visit = take_user,
	    .context = r};
	struct buffer filter;
	int rc;

	buffer_init(&filter, LDAP_FILTER_MAX);
	rc = ldap_filter_fill(&filter, s->config->filter, &r->user, e);
	q.filter = filter.data;
	if (rc == 0)
		rc = session_search(s->session, &q, e);
	buffer_free(&filter);
	return rc;
}

static int
look_up(struct ldap_source *s, const char *user, struct membership *m, struct error *e)
{
	struct reading r = {.config = s->config, .user = user, .m = m};
	int rc = find_user(s, &r, e);

	if (rc == 0 && r.dn != NULL && !r.other) {
		struct member member = {.user = user, .dn = r.dn};

		if (s->config->group_base != NULL)
			rc = ldap_groups_find(s->session, s->config, &member, m, e);
		m->known = rc == 0;
	}
	free(r.dn);
	return rc;
}

static int
ldap_lookup(struct source *self, const char *user, struct membership *m, struct error *e)
{
	struct ldap_source *s = (struct ldap_source *)self;
	int64_t deadline = clock_monotonic(&clock_system) + s->config->timeout * NANOSECONDS;
	int rc;

	session_begin(s->session, deadline);
	rc = look_up(s, user, m, e);
	if (rc == -1 && session_went_stale(s->session)) {
		*m = (struct membership){0};
		session_begin(s->session, deadline);
		rc = look_up(s, user, m, e);
	}
	return rc;
}

static void
ldap_close(struct source *self)
{
	struct ldap_source *s = (struct ldap_source *)self;

	session_free(s->session);
	free(s);
}

/* What of a user's entry is asked for; nothing would mean all. */
static void
list_attributes(struct ldap_source *s)
{
	const struct ldap_config *c = s->config;
	const char *const wanted[ATTRIBUTES_MAX] = {
	    c->attribute, c->name_attribute, c->email_attribute, c->namespace_attribute};
	size_t count = 0;

	for (size_t i = 0; i < ATTRIBUTES_MAX; i++)
		if (wanted[i] != NULL)
			s->attributes[count++] = wanted[i];
	if (count == 0)
		s->attributes[0] = LDAP_NO_ATTRS;
}

static int
check_dn(const char *key, const char *dn, struct error *e)
{
	LDAPDN parsed = NULL;
	int code = ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3);

	ldap_dnfree(parsed);
	if (code == LDAP_SUCCESS)
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "%s: '%.128s' is no DN, such as \"ou=people,dc=example,dc=com\"", key, dn);
}

static int
check(const struct ldap_config *c, struct error *e)
{
	/* bind-dn may be what only Active Directory knows: user@example.com. */
	if (check_dn("base", c->base, e) == -1 ||
	    (c->group_base != NULL && check_dn("group-base", c->group_base, e) == -1))
		return -1;
	if (ldap_filter_check(c->filter, 1, e) == -1)
		return error_prefix(e, "filter");
	if (ldap_filter_check(c->group_filter, 2, e) == -1)
		return error_prefix(e, "group-filter");
	return 0;
}

int
source_ldap_open(struct source **out, const struct groups_config *c, struct error *e)
{
	struct ldap_source *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	s->source = (struct source){.lookup = ldap_lookup, .close = ldap_close};
	s->config = &c->ldap;
	list_attributes(s);
	if (check(s->config, e) == -1 || session_new(&s->session, s->config, e) == -1) {
		ldap_close(&s->source);
		return error_prefix(e, "%s: groups: ldap", c->where);
	}
	*out = &s->source;
	return 0;
}
