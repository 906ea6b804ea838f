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
#include "identity/source_ldap_user.h"
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
	struct membership *m;
};

static int
take_user(void *context, LDAP *ld, LDAPMessage *entry, struct error *e)
{
	const struct reading *r = context;
	const struct ldap_config *c = r->config;
	const struct attribute groups = {ld, entry, c->attribute};
	const struct attribute email = {ld, entry, c->email_attribute};
	const struct attribute space = {ld, entry, c->namespace_attribute};

	if (values_add_first_rdn(&groups, r->m, e) == -1 ||
	    values_first(&email, r->m->email, sizeof(r->m->email), e) == -1)
		return -1;
	return values_first(&space, r->m->space, sizeof(r->m->space), e);
}

static int
look_up(struct ldap_source *s, const char *user, struct membership *m, struct error *e)
{
	struct reading r = {.config = s->config, .m = m};
	struct ldap_user u = {.config = s->config,
	    .name = user,
	    .attributes = s->attributes,
	    .visit = take_user,
	    .context = &r};
	int rc = ldap_user_find(s->session, &u, e);

	if (rc == 0 && u.dn != NULL && !u.other) {
		struct member member = {.user = user, .dn = u.dn};

		if (s->config->group_base != NULL)
			rc = ldap_groups_find(s->session, s->config, &member, m, e);
		m->known = rc == 0;
	}
	free(u.dn);
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
check(const struct ldap_config *c, struct error *e)
{
	if (ldap_user_check(c, e) == -1 ||
	    (c->group_base != NULL && ldap_check_dn("group-base", c->group_base, e) == -1))
		return -1;
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
