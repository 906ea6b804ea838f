#include "identity/policy.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "identity/rule.h"

struct policy {
	char *name; /* the file's */
	struct rule *rules;
	size_t count;
	int64_t lifetime;
	const struct profiles *profiles; /* NULL: there are none */
};

/* Takes over what *r owns. */
static int
add_rule(struct policy *p, struct rule *r, struct error *e)
{
	struct rule *rules;

	if (p->count == LIMIT_RULES) {
		rule_free(r);
		return error_set(e, ERROR_CONFIG, "more than %d rules", LIMIT_RULES);
	}
	/* Doubles whenever the count is a power of two. */
	rules = p->rules;
	if ((p->count & (p->count - 1)) == 0)
		rules = realloc(p->rules, (p->count == 0 ? 1 : 2 * p->count) * sizeof(*rules));
	if (rules == NULL) {
		rule_free(r);
		return error_set(e, ERROR_INTERNAL, "out of memory");
	}
	p->rules = rules;
	rules[p->count++] = *r;
	return 0;
}

static int
add_lines(struct policy *p, const char *text, size_t length, struct error *e)
{
	unsigned int number = 0;
	const char *line;
	size_t size;

	while (rule_next_line(&text, &length, &line, &size)) {
		struct rule r;
		int found = rule_parse(&r, line, size, e);

		r.line = ++number;
		if (found == -1 || (found == 1 && add_rule(p, &r, e) == -1))
			return error_prefix(e, "%s:%u", p->name, number);
	}
	return 0;
}

int
policy_parse(
    struct policy **out, const char *text, size_t length, const char *name, struct error *e)
{
	struct policy *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (p != NULL)
		p->name = strdup(name);
	if (p == NULL || p->name == NULL) {
		free(p);
		return error_set(e, ERROR_INTERNAL, "out of memory");
	}
	p->lifetime = INT64_MAX;
	if (add_lines(p, text, length, e) == -1) {
		policy_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

int
policy_builtin(struct policy **out, struct error *e)
{
	static const char text[] = "permit authenticated as self\n"
				   "deny any as okera root\n";

	return policy_parse(out, text, strlen(text), "built-in policy", e);
}

int
policy_read(struct policy **out, const char *path, struct error *e)
{
	struct buffer text;
	int rc = -1;

	*out = NULL;
	buffer_init(&text, LIMIT_POLICY_FILE);
	if (file_read_trusted(path, &text, NULL, e) == 0)
		rc = policy_parse(out, text.data, text.length, path, e);
	buffer_free(&text);
	return rc;
}

int
policy_open(struct policy **out, const struct config *c, struct error *e)
{
	int rc = c->policy != NULL ? policy_read(out, c->policy, e) : policy_builtin(out, e);

	if (rc == -1)
		return -1;
	policy_set_limits(*out, c->lifetime, &c->profiles);
	if (policy_check_profiles(*out, e) == 0 &&
	    (!c->permit_anonymous || policy_permit_anonymous(*out, e) == 0))
		return 0;
	policy_free(*out);
	*out = NULL;
	return -1;
}

void
policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		rule_free(&p->rules[i]);
	free(p->rules);
	free(p->name);
	free(p);
}

int
policy_permit_anonymous(struct policy *p, struct error *e)
{
	static const char text[] = "permit anonymous as *";
	struct rule r;

	if (rule_parse(&r, text, strlen(text), e) != 1)
		return -1;
	return add_rule(p, &r, e); /* line 0: no line of the file's */
}

void
policy_set_limits(struct policy *p, int64_t lifetime, const struct profiles *profiles)
{
	p->lifetime = lifetime;
	p->profiles = profiles;
}

static const struct profile *
find_profile(const struct policy *p, const char *name)
{
	return p->profiles == NULL ? NULL : config_profile(p->profiles, name);
}

int
policy_check_profiles(const struct policy *p, struct error *e)
{
	for (size_t i = 0; i < p->count; i++)
		for (char **name = p->rules[i].profiles; name != NULL && *name != NULL; name++)
			if (find_profile(p, *name) == NULL &&
			    strcmp(*name, RULE_NO_PROFILE) != 0)
				return error_set(e, ERROR_CONFIG,
				    "%s:%u: profile '%.64s' is not in the configuration",
				    p->name, p->rules[i].line, *name);
	return 0;
}

size_t
policy_count(const struct policy *p)
{
	return p->count;
}

bool
policy_needs_groups(const struct policy *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->rules[i].who == WHO_GROUP)
			return true;
	return false;
}

/* groups are names with a newline behind each. */
static bool
in_group(const char *groups, const char *name)
{
	size_t length = strlen(name);

	while (groups != NULL && *groups != '\0') {
		if (*groups == *name && strncmp(groups, name, length) == 0 &&
		    groups[length] == '\n')
			return true;
		groups = strchr(groups, '\n');
		groups += groups != NULL;
	}
	return false;
}

static bool
matches_who(const struct rule *r, const struct query *q)
{
	bool authenticated = principal_authenticated(&q->caller);

	/* The names of schemes are compared without regard to case (RFC 9110, 11.1). */
	if (r->scheme != NULL && strcasecmp(r->scheme, q->caller.scheme) != 0)
		return false;
	switch (r->who) {
	case WHO_ANY:
		return true;
	case WHO_AUTHENTICATED:
		return authenticated;
	case WHO_ANONYMOUS:
		return !authenticated;
	case WHO_NAME:
		return authenticated && strcmp(r->name, q->caller.name) == 0;
	case WHO_GROUP:
		return authenticated && in_group(q->groups, r->name);
	}
	return false;
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
find_rule(const struct policy *p, const struct query *q)
{
	for (size_t i = p->count; i-- > 0;)
		if (matches_who(&p->rules[i], q) && matches_subject(&p->rules[i], q))
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
	g->profile = find_profile(p, name);
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
	if (profile == NULL || profile->audience.count == 0)
		return true;
	for (size_t i = 0; i < profile->audience.count; i++)
		if (strcmp(profile->audience.items[i], audience) == 0)
			return true;
	return false;
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

static void
put_where(struct grant *g, const struct policy *p, const struct rule *r)
{
	if (r == NULL)
		(void)snprintf(g->where, sizeof(g->where), "no rule of %s", p->name);
	else if (r->line == 0)
		(void)snprintf(g->where, sizeof(g->where), "permit-anonymous");
	else
		(void)snprintf(g->where, sizeof(g->where), "%s:%u", p->name, r->line);
}

int
policy_permit(const struct policy *p, const struct query *q, struct grant *g, struct error *e)
{
	bool authenticated = principal_authenticated(&q->caller);
	const struct rule *r = find_rule(p, q);
	struct grant made = {0};

	*g = (struct grant){0};
	put_where(g, p, r);
	if (r == NULL || !r->permit) {
		if (!authenticated)
			return error_set(e, ERROR_UNAUTHENTICATED,
			    "authenticate first: the web server named no user");
		return error_set(e, ERROR_DENIED, "%s may not have a token for %s",
		    q->caller.name, q->subject);
	}
	if (choose_profile(p, r, q, &made, e) == -1 || choose_audience(r, q, &made, e) == -1 ||
	    choose_lifetime(p, r, q, &made, e) == -1)
		return -1;
	made.live = r->live;
	memcpy(made.where, g->where, sizeof(made.where));
	memcpy(made.subject, q->subject, sizeof(made.subject));
	if (authenticated && strcmp(q->subject, q->caller.name) != 0)
		memcpy(made.actor, q->caller.name, sizeof(made.actor));
	*g = made;
	return 0;
}
