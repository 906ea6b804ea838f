#include "service/knowledge.h"

#include <string.h>

#include "identity/required.h"
#include "service/service.h"

static bool
has_groups(const struct config *c, const struct profile *profile)
{
	return profile != NULL ? profile->groups : c->groups.claim;
}

/* A source may know them, where sources are configured; the host's accounts do not. */
static bool
has_attributes(const struct config *c, const struct profile *profile)
{
	return c->groups.where != NULL && profile != NULL && profile->claims != NULL &&
	       (strstr(profile->claims, "${email}") != NULL ||
		   strstr(profile->claims, "${namespace}") != NULL);
}

bool
knowledge_needed(const struct config *c, const struct profile *profile, const char *subject)
{
	return has_groups(c, profile) || has_attributes(c, profile) ||
	       required_asks(&c->groups, subject);
}

bool
service_needs_resolver(const struct config *c, const struct policy *p)
{
	bool needed = policy_needs_groups(p, VERB_AS) || policy_serves_groups(p) ||
		      c->groups.required.count > 0 || c->groups.claim ||
		      c->password.source != PASSWORD_NONE || verify_deadline(&c->verify) > 0;

	for (size_t i = 0; i < c->profiles.count; i++)
		needed = needed || has_groups(c, &c->profiles.items[i]) ||
			 has_attributes(c, &c->profiles.items[i]);
	return needed;
}

int
knowledge_use(struct query *q, const struct membership *m, const struct config *c,
    const struct profile *profile, struct error *e)
{
	/* Who is exempt need not be known: an administrator's own accounts. */
	bool exempt = strings_have(&c->groups.exempt, q->subject);

	q->subject_groups = m->known || exempt ? m->groups : NULL;
	q->email = m->email;
	q->space = m->space;
	if (q->subject_groups == NULL && has_groups(c, profile))
		return error_set(e, ERROR_DENIED, "no source of groups knows %s", q->subject);
	return required_check(&c->groups, q->subject, q->subject_groups, e);
}
