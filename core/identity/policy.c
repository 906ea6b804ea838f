#include "identity/policy.h"

#include <fnmatch.h>
#include <string.h>

static const char *const everybody[] = {"*", NULL};
static const char *const privileged[] = {"okera", "root", NULL};

/* The switch adds the last rule and nothing else, so they are one table. */
static const struct rule builtin[] = {
    {RULE_PERMIT, WHO_AUTHENTICATED, true, NULL, "permit authenticated as self"},
    {RULE_DENY, WHO_ANY, false, privileged, "deny any as okera root"},
    {RULE_PERMIT, WHO_ANONYMOUS, false, everybody, "permit anonymous as *"},
};

struct policy
policy_builtin(bool permit_anonymous, int64_t lifetime)
{
	size_t count = sizeof(builtin) / sizeof(builtin[0]);

	return (struct policy){
	    .rules = builtin,
	    .count = permit_anonymous ? count : count - 1,
	    .lifetime = lifetime,
	};
}

static bool
matches(const struct rule *r, const struct query *q)
{
	bool authenticated = principal_authenticated(&q->caller);

	if (r->who == WHO_AUTHENTICATED && !authenticated)
		return false;
	if (r->who == WHO_ANONYMOUS && authenticated)
		return false;
	if (r->self)
		return authenticated && strcmp(q->subject, q->caller.name) == 0;
	for (const char *const *s = r->subjects; *s != NULL; s++)
		if (fnmatch(*s, q->subject, 0) == 0)
			return true;
	return false;
}

int
policy_permit(const struct policy *p, const struct query *q, struct grant *g, struct error *e)
{
	bool authenticated = principal_authenticated(&q->caller);
	const struct rule *last = NULL;

	*g = (struct grant){0};
	for (size_t i = 0; i < p->count; i++)
		if (matches(&p->rules[i], q))
			last = &p->rules[i];
	if (last == NULL || last->action == RULE_DENY) {
		if (!authenticated)
			return error_set(e, ERROR_UNAUTHENTICATED,
			    "authenticate first: the web server named no user");
		return error_set(e, ERROR_DENIED, "%s may not have a token for %s",
		    q->caller.name, q->subject);
	}
	if (q->lifetime > p->lifetime)
		return error_set(e, ERROR_DENIED, "ttl is over the limit of %lld seconds",
		    (long long)p->lifetime);
	memcpy(g->subject, q->subject, sizeof(g->subject));
	memcpy(g->audience, q->audience, sizeof(g->audience));
	if (authenticated && strcmp(q->subject, q->caller.name) != 0)
		memcpy(g->actor, q->caller.name, sizeof(g->actor));
	g->lifetime = q->lifetime != 0 ? q->lifetime : p->lifetime;
	g->rule = last->text;
	return 0;
}
