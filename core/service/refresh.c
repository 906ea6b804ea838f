/*
 * grant_type=refresh_token (RFC 6749, 6): what was granted before, once more, if it still would
 * be. Policy, the sources of groups, revocations and, where passwords are checked, the account
 * are asked again; until a token is about to be handed out, the old refresh token stays good.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "service/refresh.h"

#include <string.h>

#include "store/refresh.h"
#include "store/revocations.h"

static int64_t
now(const struct token_request *t)
{
	return clock_realtime(t->issue.service->parts.clock) / NANOSECONDS;
}

static struct refresh_limits
limits_of(const struct config *c)
{
	return (struct refresh_limits){
	    .lifetime = c->refresh_lifetime, .idle = c->refresh_idle};
}

/* Puts a token into the answer and cleanses it. */
static int
put(json_t *answer, char token[REFRESH_TOKEN], struct error *e)
{
	int rc = json_object_set_new(answer, "refresh_token", json_string(token));

	explicit_bzero(token, REFRESH_TOKEN);
	return rc == 0 ? 0 : error_set(e, ERROR_UNAVAILABLE, "out of memory");
}

/* Whom the web server has authenticated; "" is nobody. */
static const char *
client_of(const struct token_request *t)
{
	return principal_authenticated(&t->request.caller) ? t->request.caller.name : "";
}

int
refresh_add(struct token_request *t, json_t *answer, struct error *e)
{
	const struct service *s = t->issue.service;
	const struct query *q = &t->issue.query;
	const struct refresh_limits limits = limits_of(s->parts.config);
	struct refresh_family family = {.lifetime = q->lifetime};
	char token[REFRESH_TOKEN];

	memcpy(family.caller, q->caller.name, sizeof(family.caller));
	memcpy(family.scheme, q->caller.scheme, sizeof(family.scheme));
	memcpy(family.subject, q->subject, sizeof(family.subject));
	memcpy(family.profile, q->profile, sizeof(family.profile));
	memcpy(family.audience, q->audience, sizeof(family.audience));
	memcpy(family.client, client_of(t), strlen(client_of(t)) + 1);
	if (refresh_begin(s->state, &family, &limits, now(t), s->parts.entropy, token, e) == -1)
		return -1;
	return put(answer, token, e);
}

static int
rotate(struct token_request *t, json_t *answer, struct error *e)
{
	char token[REFRESH_TOKEN];

	if (refresh_rotate(t->own, now(t), t->issue.service->parts.entropy, token, e) == -1)
		return -1;
	return put(answer, token, e);
}

static void
settle(struct token_request *t, bool answered)
{
	if (answered)
		refresh_confirm(t->own);
	refresh_release(t->own);
}

/* The refresh token's text is all that was shown, so that whatever speaks against a new token
 * is one error (RFC 6749, 5.2). */
static void
refuse_grant(struct token_request *t, const struct error *why)
{
	struct error e;

	error_set(&e, ERROR_GRANT,
	    "the refresh token is not valid: it has expired, was used or was revoked: log in "
	    "again");
	error_detail(&e, "%s%s%s", why->text, *why->detail != '\0' ? ": " : "", why->detail);
	token_refuse(t, &e);
}

/* Whether the family may still be used, by its subject and by who uses it. */
static int
check_family(struct token_request *t, const struct refresh_family *f, struct error *e)
{
	const struct service *s = t->issue.service;
	const struct revocation_subject r = {
	    .issuer = s->issuer, .subject = f->subject, .issued = f->created};

	if (strcmp(f->client, client_of(t)) != 0)
		return error_set(e, ERROR_DENIED, "it was given to another client");
	return revocation_check(s->state, &r, e);
}

/* What is granted was said at the log-in: who asks for less must not believe to have it. */
static int
check_fields(const struct fields *f, struct error *e)
{
	if (f->values[FIELD_REFRESH_TOKEN] == NULL)
		return error_set(e, ERROR_MALFORMED, "want one field refresh_token");
	if (f->values[FIELD_AUDIENCE] != NULL || f->values[FIELD_RESOURCE] != NULL ||
	    f->values[FIELD_PROFILE] != NULL || f->values[FIELD_TTL] != NULL)
		return error_set(e, ERROR_MALFORMED,
		    "audience, resource, profile and ttl go with the log-in: leave them out");
	return 0;
}

static void
fill_query(struct query *q, const struct refresh_family *f)
{
	memcpy(q->caller.name, f->caller, sizeof(f->caller));
	memcpy(q->caller.scheme, f->scheme, sizeof(f->scheme));
	memcpy(q->subject, f->subject, sizeof(f->subject));
	memcpy(q->profile, f->profile, sizeof(f->profile));
	memcpy(q->audience, f->audience, sizeof(f->audience));
	q->lifetime = f->lifetime;
}

static void
account_checked(void *context, enum password_verdict verdict, const struct error *failure)
{
	struct token_request *t = context;
	struct error e = {0};

	if (failure != NULL) {
		token_refuse(t, failure);
	} else if (verdict != PASSWORD_RIGHT) {
		error_set(&e, ERROR_DENIED, "the account may not be used any more");
		refuse_grant(t, &e);
	} else {
		token_issue(t);
	}
}

void
grant_refresh(struct token_request *t)
{
	const struct service *s = t->issue.service;
	const struct refresh_limits limits = limits_of(s->parts.config);
	const char *token = t->fields.values[FIELD_REFRESH_TOKEN];
	struct refresh_lease *lease;
	struct password_question q;
	struct error e = {0};

	if (check_fields(&t->fields, &e) == -1) {
		token_refuse(t, &e);
		return;
	}
	if (refresh_take(&lease, s->state, token, &limits, now(t), &e) == -1) {
		token_refuse(t, &e);
		return;
	}
	t->own = lease;
	t->complete = rotate;
	t->settle = settle;
	t->denied = refuse_grant;
	fill_query(&t->issue.query, refresh_family(lease));
	q = (struct password_question){.user = t->issue.query.caller.name};
	if (check_family(t, refresh_family(lease), &e) == -1) {
		if (e.code == ERROR_UNAVAILABLE)
			token_refuse(t, &e);
		else
			refuse_grant(t, &e);
	} else if (password_submit(s->parts.passwords, &q, account_checked, t, &e) == -1) {
		token_refuse(t, &e);
	}
}
