#define _GNU_SOURCE
#include "tools/authserver-keep/issuer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/owner.h"
#include "base/text.h"
#include "config/watch.h"
#include "identity/unix_account.h"
#include "jose/key_memory.h"
#include "service/knowledge.h"

/* The public halves, to know our tokens again. */
static int
open_public(struct issuer *i, struct error *e)
{
	struct signature made;
	struct buffer json;
	int rc;

	i->keys = keychain_new();
	if (i->keys == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	buffer_init(&json, LIMIT_JWK_SET);
	rc = signing_publish(&i->signing, &json, &made, e);
	if (rc == 0)
		rc = keychain_add_set(
		    i->keys, json.data, json.length, "our own keys", NULL, NULL, e);
	buffer_free(&json);
	return rc;
}

/* Loads the keys as the owner of their directory, if root may not trust what is in it. */
static int
open_signing(struct issuer *i, struct error *e)
{
	int rc;

	if (signing_check(&i->config, e) == -1 || owner_enter(i->config.private_key, e) == -1)
		return -1;
	(void)key_memory_lock(i->config.private_key);
	rc =
	    signing_open(&i->signing, &i->config, i->policy, &clock_system, &entropy_system, e);
	owner_leave();
	return rc;
}

int
issuer_open(struct issuer **out, const struct flags *flags, struct error *e)
{
	struct issuer *i = calloc(1, sizeof(*i));

	*out = NULL;
	if (i == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	i->lookup.fd = -1;
	i->configuration = watch_configuration(flags);
	if (flags_load(flags, &i->config, e) == -1)
		goto fail;
	i->named = watch_named(&i->config);
	lookup_process_init(&i->lookup, flags, &i->config);
	if (keep_check_lifetimes(&i->config, e) == 0 &&
	    subject_grammar_new(&i->grammar, i->config.subject_pattern, e) == 0 &&
	    policy_open(&i->policy, &i->config, e) == 0 && open_signing(i, e) == 0 &&
	    open_public(i, e) == 0 && audit_open(&i->audit, i->config.audit, e) == 0) {
		*out = i;
		return 0;
	}
fail:
	issuer_free(i);
	return -1;
}

void
issuer_free(struct issuer *i)
{
	if (i == NULL)
		return;
	audit_close(i->audit);
	lookup_process_end(&i->lookup);
	keychain_free(i->keys);
	signing_close(&i->signing);
	policy_free(i->policy);
	subject_grammar_free(i->grammar);
	config_free(&i->config);
	free(i);
}

bool
issuer_changed(const struct issuer *i, const struct flags *flags)
{
	return watch_configuration(flags) != i->configuration ||
	       watch_named(&i->config) != i->named;
}

/* What a look-up leaves. */
struct found {
	struct membership *m;
	struct error e;
};

static void
found(void *context, const struct membership *m, const struct error *e)
{
	struct found *f = context;

	f->e = *e;
	if (m == NULL)
		return;
	f->m = membership_keep(m);
	if (f->m == NULL)
		error_set(&f->e, ERROR_UNAVAILABLE, "out of memory");
}

/* Asks who the user is, once for one question. */
static int
look_up(struct issuer *i, const char *user, struct found *f, struct error *e)
{
	if (f->m != NULL)
		return 0;
	if (lookup_submit(&i->lookup.lookup, user, found, f, e) == -1)
		return -1;
	if (f->m != NULL)
		return 0;
	*e = f->e;
	return -1;
}

static int
put_text(char *field, size_t size, const char *value, const char *key, struct error *e)
{
	if (value == NULL)
		return 0;
	if (strlen(value) >= size || !text_clean(value))
		return error_set(e, ERROR_CONFIG,
		    "%s: longer than %zu bytes, not UTF-8 or with control characters", key,
		    size - 1);
	memcpy(field, value, strlen(value) + 1);
	return 0;
}

/* What the subject asks for itself, if its account is good. */
static int
make_query(struct query *q, const struct issuer *i, const struct keep_section *s,
    const char *subject, bool *blind, struct error *e)
{
	int64_t now = clock_realtime(&clock_system) / NANOSECONDS;

	if (principal_keep(&q->caller, subject, e) == -1 ||
	    subject_check(i->grammar, subject, e) == -1 ||
	    put_text(q->audience, sizeof(q->audience), s->audience, "audience", e) == -1 ||
	    put_text(q->profile, sizeof(q->profile), s->profile, "profile", e) == -1)
		return -1;
	memcpy(q->subject, subject, strlen(subject) + 1);
	return s->unix_account ? unix_account_check(subject, now, blind, e) : 0;
}

/* Policy is asked for the most there is first: who may have tokens, but shorter ones, is not
 * refused; the configuration is wrong. */
static int
ask_policy(struct issuer *i, const struct keep_section *s, struct issue_result *r,
    struct found *f, struct error *e)
{
	struct query *q = &r->query;

	if (policy_needs_groups(i->policy, VERB_AS)) {
		if (look_up(i, q->subject, f, e) == -1)
			return -1;
		q->caller_groups = f->m->groups;
	}
	if (policy_permit(i->policy, q, &r->grant, e) == -1)
		return -1;
	if (r->grant.lifetime < s->lifetime)
		return error_set(e, ERROR_CONFIG,
		    "%s: lifetime is %lld seconds, and by %s tokens have at most %lld",
		    s->where, (long long)s->lifetime, r->grant.where,
		    (long long)r->grant.lifetime);
	q->lifetime = r->grant.lifetime = s->lifetime;
	return 0;
}

static int
decide(struct issuer *i, const struct keep_section *s, struct issue_result *r, struct found *f,
    struct error *e)
{
	struct query *q = &r->query;

	if (ask_policy(i, s, r, f, e) == -1)
		return -1;
	if (!knowledge_needed(&i->config, r->grant.profile, q->subject))
		return 0;
	if (look_up(i, q->subject, f, e) == -1)
		return -1;
	return knowledge_use(q, f->m, &i->config, r->grant.profile, e);
}

int
issuer_issue(struct issuer *i, const struct keep_section *s, const char *subject,
    struct buffer *token, struct issue_result *r, struct error *e)
{
	struct found f = {0};
	int rc;

	*r = (struct issue_result){0};
	if (make_query(&r->query, i, s, subject, &r->blind, e) == -1)
		return -1;
	rc = decide(i, s, r, &f, e);
	if (rc == 0)
		rc = signing_mint(&i->signing, &r->query, token, &r->signature, e);
	if (rc == -1 && e->code == ERROR_DENIED && f.m != NULL && f.m->partial) {
		/* A group that is missing may be one that was not found. */
		e->code = ERROR_UNAVAILABLE;
		error_prefix(e, "a source of groups failed");
	}
	r->query.caller_groups = r->query.subject_groups = NULL;
	r->query.email = r->query.space = NULL;
	free(f.m);
	return rc;
}

void
issuer_audit(struct issuer *i, const struct issue_result *r, const char *path,
    const struct error *refusal, const struct log *log)
{
	const struct request request = {.path = path, .caller = r->query.caller};
	struct decision d = {.request = &request,
	    .query = &r->query,
	    .ttl = r->query.lifetime,
	    .rule = r->grant.where,
	    .status = 200,
	    .refusal = refusal};

	if (refusal == NULL) {
		d.grant = &r->grant;
		d.signature = &r->signature;
	} else {
		d.status = refusal->code == ERROR_DENIED ? 403 : 503;
	}
	if (audit_write(i->audit, &d, &clock_system) == -1)
		log_line(log, LOG_LEVEL_ERROR, "The audit log cannot be written: %s",
		    strerror(errno));
}
