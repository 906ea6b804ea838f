#include "service/issue.h"

#include <stdlib.h>
#include <string.h>

#include "identity/claimed.h"

void
issue_fail(struct issue *i, const struct error *e)
{
	i->then(i, NULL, e);
}

static void
signed_or_not(void *context, const struct signature *s, const struct error *e)
{
	struct issue *i = context;

	i->then(i, s, e);
}

void
issue_sign(struct issue *i)
{
	struct signer *signer = i->signer != NULL ? i->signer : i->service->parts.signer;
	struct error e = {0};

	if (signer_submit(signer, &i->query, signed_or_not, i, &e) == -1)
		issue_fail(i, &e);
}

static void
order(struct issue *i)
{
	if (i->prepare != NULL)
		i->prepare(i);
	else
		issue_sign(i);
}

typedef int adapt(
    const struct groups_config *c, const char *claimed, struct membership *m, struct error *e);

/* Keeps what a look-up found, with regard to a token that was shown. 0, or -1 and what went
 * wrong. */
static int
keep(const struct issue *i, struct membership **kept, const struct membership *m,
    const char *claimed, adapt *regard, struct error *e)
{
	struct membership whole = {0};

	if (m == NULL)
		return -1;
	if (claimed != NULL) {
		membership_copy(&whole, m);
		if (regard(&i->service->parts.config->groups, claimed, &whole, e) == -1)
			return -1;
		m = &whole;
	}
	*kept = membership_keep(m);
	return *kept != NULL ? 0 : error_set(e, ERROR_UNAVAILABLE, "out of memory");
}

/* Looks the user up, unless the token that was shown says all that is to be known. */
static int
look_up(
    struct issue *i, const char *user, const char *claimed, lookup_done *done, struct error *e)
{
	static const struct membership nothing = {0};
	static const struct error none = {0};

	if (claimed == NULL || *claimed == '\0' ||
	    !claimed_suffice(&i->service->parts.config->groups))
		return lookup_submit(i->service->parts.lookup, user, done, i, e);
	done(i, &nothing, &none);
	return 0;
}

static void
subject_known(void *context, const struct membership *found, const struct error *failure)
{
	struct issue *i = context;
	struct error e = *failure;

	if (keep(i, &i->subject, found, i->subject_claimed, claimed_apply, &e) == -1 ||
	    knowledge_use(
		&i->query, i->subject, i->service->parts.config, i->grant.profile, &e) == -1)
		issue_fail(i, &e);
	else
		order(i);
}

/* Whether policy permits it, whichever of the caller's groups count. */
static int
permit(struct issue *i, struct error *e)
{
	const struct policy *p = i->service->parts.policy;
	struct query *q = &i->query;

	if (i->whole != NULL) {
		q->caller_groups = i->whole->groups;
		if (policy_permit(p, q, &i->grant, e) == -1)
			return -1;
	}
	if (i->caller != NULL)
		q->caller_groups = i->caller->groups;
	return policy_permit(p, q, &i->grant, e);
}

/* Asks policy, and then who the subject is; the signer asks policy again, and it is the
 * signer's grant that counts. */
static void
decide(struct issue *i)
{
	static const struct error none = {0};
	const struct service *s = i->service;
	struct query *q = &i->query;
	struct error e = {0};

	i->asked = true;
	if (permit(i, &e) == -1 || subject_check(s->grammar, q->subject, &e) == -1 ||
	    (i->admit != NULL && i->admit(i, &e) == -1))
		issue_fail(i, &e);
	else if (!knowledge_needed(s->parts.config, i->grant.profile, q->subject))
		order(i);
	else if (i->caller != NULL && i->caller_claimed == i->subject_claimed &&
		 strcmp(q->caller.name, q->subject) == 0)
		subject_known(i, i->caller, &none);
	else if (look_up(i, q->subject, i->subject_claimed, subject_known, &e) == -1)
		issue_fail(i, &e);
}

static void
caller_known(void *context, const struct membership *found, const struct error *failure)
{
	struct issue *i = context;
	struct error e = *failure;

	if (keep(i, &i->caller, found, i->caller_claimed, claimed_apply, &e) == -1 ||
	    (i->caller_claimed != NULL &&
		keep(i, &i->whole, found, i->caller_claimed, claimed_join, &e) == -1))
		issue_fail(i, &e);
	else
		decide(i);
}

void
issue_token(struct issue *i)
{
	const struct service *s = i->service;
	const struct principal *caller = &i->query.caller;
	struct error e = {0};

	if (!policy_needs_groups(s->parts.policy, VERB_AS) || !principal_authenticated(caller))
		decide(i);
	else if (look_up(i, caller->name, i->caller_claimed, caller_known, &e) == -1)
		issue_fail(i, &e);
}

struct outcome
issue_outcome(const struct issue *i, const struct signature *s)
{
	return (struct outcome){.query = &i->query,
	    .grant = s != NULL ? &i->grant : NULL,
	    .signature = s,
	    .ttl = s != NULL ? i->grant.lifetime : i->query.lifetime,
	    .rule = i->asked ? i->grant.where : NULL};
}

void
issue_free(struct issue *i)
{
	free(i->caller);
	free(i->subject);
	free(i->whole);
}
