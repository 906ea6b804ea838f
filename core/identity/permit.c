/* What the rules make of a query: pure. */
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "identity/membership.h"
#include "identity/rules.h"

static bool
matches_who(const struct rule *r, const struct query *q)
{
	bool authenticated = principal_authenticated(&q->caller);

	/* The names of schemes are compared without regard to case (RFC 9110, 11.1). */
	if (r->scheme != NULL && strcasecmp(r->scheme, q->caller.scheme) != 0)
		return false;
	if (r->who == WHO_ANY)
		return true;
	if (!authenticated)
		return r->who == WHO_ANONYMOUS;
	if (r->who == WHO_NAME)
		return strcmp(r->name, q->caller.name) == 0;
	if (r->who == WHO_GROUP)
		return groups_have(q->caller_groups, r->name, strlen(r->name));
	return r->who == WHO_AUTHENTICATED;
}

static bool
matches_subject(const struct rule *r, const struct query *q)
{
	if (r->self && principal_authenticated(&q->caller) &&
	    strcmp(q->subject, q->caller.name) == 0)
		return true;
	for (char **s = r->subjects; *s != NULL; s++) {
		/* Most patterns differ in their first byte: that is cheap to see. */
		if (**s != *q->subject && strchr("*?[\\", **s) == NULL)
			continue;
		if (fnmatch(*s, q->subject, 0) == 0)
			return true;
	}
	return false;
}

static const struct rule *
find_rule(const struct policy *p, enum verb verb, const struct query *q)
{
	for (size_t i = p->count; i-- > 0;)
		if (p->rules[i].verb == verb && matches_who(&p->rules[i], q) &&
		    matches_subject(&p->rules[i], q))
			return &p->rules[i];
	return NULL;
}

static bool
listed(const words list, const char *name)
{
	for (char **w = list; w != NULL && *w != NULL; w++)
		if (strcmp(*w, name) == 0)
			return true;
	return list == NULL;
}

/* The one that is meant where none is named: a list of one leaves no choice. */
static const char *
sole(const words list)
{
	return list != NULL && list[1] == NULL ? list[0] : "";
}

static int
choose_profile(const struct policy *p, const struct rule *r, const struct query *q,
    struct grant *g, struct error *e)
{
	const char *name = *q->profile != '\0' ? q->profile : sole(r->profiles);

	if (*name == '\0')
		name = RULE_NO_PROFILE;
	g->profile = p->profiles == NULL ? NULL : config_profile(p->profiles, name);
	if (g->profile == NULL && strcmp(name, RULE_NO_PROFILE) != 0)
		return error_set(e, ERROR_MALFORMED, "there is no such profile");
	if (listed(r->profiles, name))
		return 0;
	return error_set(e, ERROR_DENIED, "%s",
	    *q->profile == '\0' ? "name a profile: ?profile=NAME"
				: "this profile is not allowed");
}

/* Whether the profile allows the audience; one with a list of its own has no other. */
static bool
profile_has(const struct profile *profile, const char *audience)
{
	return profile == NULL || profile->audience.count == 0 ||
	       strings_have(&profile->audience, audience);
}

/* Without one that is named, all that the profile has are meant, and the rule must allow
 * each of them. */
static int
choose_audience(const struct rule *r, const struct query *q, struct grant *g, struct error *e)
{
	const struct strings none = {0};
	const struct strings *own = g->profile != NULL ? &g->profile->audience : &none;
	const char *audience = q->audience;
	bool allowed = true;

	if (*audience == '\0' && own->count == 0)
		audience = sole(r->audiences);
	if (*audience == '\0' && own->count > 0) {
		for (size_t i = 0; i < own->count; i++)
			allowed = allowed && listed(r->audiences, own->items[i]);
	} else {
		allowed = listed(r->audiences, audience) &&
			  (*audience == '\0' || profile_has(g->profile, audience));
	}
	if (!allowed)
		return error_set(e, ERROR_DENIED, "%s",
		    *audience == '\0' ? "name an audience: ?audience=TEXT"
				      : "this audience is not allowed");
	memcpy(g->audience, audience, strlen(audience) + 1);
	return 0;
}

static int
choose_lifetime(const struct policy *p, const struct rule *r, const struct query *q,
    struct grant *g, struct error *e)
{
	int64_t most = p->lifetime;

	if (g->profile != NULL && g->profile->lifetime != 0 && g->profile->lifetime < most)
		most = g->profile->lifetime;
	if (r->ttl != 0 && r->ttl < most)
		most = r->ttl;
	if (q->lifetime > most)
		return error_set(
		    e, ERROR_DENIED, "ttl is over the limit of %lld seconds", (long long)most);
	g->lifetime = q->lifetime != 0 ? q->lifetime : most;
	return 0;
}

static int
refuse(const struct query *q, const char *what, struct error *e)
{
	if (!principal_authenticated(&q->caller))
		return error_set(e, ERROR_UNAUTHENTICATED,
		    "authenticate first: the web server named no user");
	return error_set(e, ERROR_DENIED, "%s may not %s %s", q->caller.name, what, q->subject);
}

int
policy_permit(const struct policy *p, const struct query *q, struct grant *g, struct error *e)
{
	bool authenticated = principal_authenticated(&q->caller);
	const struct rule *r = find_rule(p, VERB_AS, q);
	struct grant made = {0};

	*g = (struct grant){.where = r != NULL ? r->where : p->nowhere};
	if (r == NULL || !r->permit)
		return refuse(q, "have a token for", e);
	if (choose_profile(p, r, q, &made, e) == -1 || choose_audience(r, q, &made, e) == -1 ||
	    choose_lifetime(p, r, q, &made, e) == -1)
		return -1;
	made.live = r->live;
	made.where = g->where;
	memcpy(made.subject, q->subject, sizeof(made.subject));
	if (authenticated && strcmp(q->subject, q->caller.name) != 0)
		memcpy(made.actor, q->caller.name, sizeof(made.actor));
	*g = made;
	return 0;
}

int
policy_permit_groups(
    const struct policy *p, const struct query *q, const char **where, struct error *e)
{
	const struct rule *r = find_rule(p, VERB_GROUPS_OF, q);

	*where = r != NULL ? r->where : p->nowhere;
	return r != NULL && r->permit ? 0 : refuse(q, "read the groups of", e);
}
