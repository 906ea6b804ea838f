/*
 * Token exchange (RFC 8693): the token of a party that is trusted for it, or one of ours, for
 * one that says no more: it is for the same subject, ends no later, and has no group and no
 * audience that the other has not, but for audiences that the configuration lists.
 */
#define _GNU_SOURCE /* strdup */
#include <stdlib.h>
#include <string.h>

#include "service/check.h"
#include "service/token.h"

#define TYPE "urn:ietf:params:oauth:token-type:"

/* Who is known by a token. */
struct known {
	struct principal principal;
	struct membership *groups; /* that the token has */
};

struct exchange {
	struct known subject;
	struct known actor;
	json_t *claims;                  /* of the subject's token */
	const char *party;               /* whose that is */
	const struct strings *audiences; /* that the configuration lists for it */
};

/* What the configuration says of a party's tokens. */
struct terms {
	const char *party;
	const char *user_claim;
	const char *groups_claim;
	const char *realm;
	const struct strings *audiences;
};

static void
settle(struct token_request *t, bool answered)
{
	struct exchange *x = t->own;

	(void)answered;
	free(x->subject.groups);
	free(x->actor.groups);
	json_decref(x->claims);
	free(x);
}

static bool
is_jwt_type(const char *type)
{
	return type != NULL &&
	       (strcmp(type, TYPE "jwt") == 0 || strcmp(type, TYPE "access_token") == 0 ||
		   strcmp(type, TYPE "id_token") == 0);
}

/* RFC 8693, 2.1. */
static int
check_fields(struct token_request *t, struct error *e)
{
	char *const *values = t->fields.values;
	const char *wanted = values[FIELD_REQUESTED_TOKEN_TYPE];

	if (values[FIELD_SUBJECT_TOKEN] == NULL ||
	    !is_jwt_type(values[FIELD_SUBJECT_TOKEN_TYPE]))
		return error_set(e, ERROR_MALFORMED,
		    "want subject_token, a JWT, and subject_token_type " TYPE "jwt");
	if (values[FIELD_ACTOR_TOKEN] == NULL ? values[FIELD_ACTOR_TOKEN_TYPE] != NULL
					      : !is_jwt_type(values[FIELD_ACTOR_TOKEN_TYPE]))
		return error_set(e, ERROR_MALFORMED,
		    "want actor_token, a JWT, and actor_token_type " TYPE "jwt, or neither");
	if (wanted != NULL && strcmp(wanted, TYPE "jwt") != 0 &&
	    strcmp(wanted, TYPE "access_token") != 0)
		return error_set(
		    e, ERROR_MALFORMED, "requested_token_type: " TYPE "jwt is what there is");
	t->issued_type = wanted != NULL && strcmp(wanted, TYPE "jwt") == 0 ? TYPE "jwt"
									   : TYPE
			     "access_token";
	return token_read_wishes(t, e);
}

static int
find_terms(
    const struct service *s, const struct verified *v, struct terms *terms, struct error *e)
{
	const struct config *c = s->parts.config;
	const struct verify_sections *sections = &c->verify;

	if (v->own && c->exchange_own) {
		*terms = (struct terms){"own", "sub", "groups", NULL, &c->exchange_audience};
		return 0;
	}
	for (size_t i = 0; i < sections->count; i++) {
		const struct verify_section *section = &sections->items[i];

		if (section->name != v->party || !section->exchange)
			continue;
		*terms = (struct terms){section->name, section->user_claim,
		    section->groups_claim, section->realm, &section->exchange_audience};
		return 0;
	}
	return error_set(e, ERROR_MALFORMED, "tokens of this issuer are not exchanged here");
}

/* No such claim is no groups. */
static int
read_groups(struct membership **out, const json_t *claim, struct error *e)
{
	struct membership m = {.known = true};
	json_t *group;
	size_t i;

	if (claim != NULL && !json_is_array(claim))
		return error_set(e, ERROR_MALFORMED, "the token's groups are no list");
	json_array_foreach ((json_t *)claim, i, group)
		if (!json_is_string(group) || membership_add(&m, json_string_value(group),
						  json_string_length(group), e) == -1)
			return error_set(e, ERROR_MALFORMED,
			    "the token's groups are no names of groups, or too many");
	*out = membership_keep(&m);
	return *out != NULL ? 0 : error_set(e, ERROR_UNAVAILABLE, "out of memory");
}

static int
know(struct known *k, const struct verified *v, const struct terms *terms, struct error *e)
{
	if (principal_token(&k->principal, v->user, terms->party, terms->realm, e) == -1)
		return -1;
	return read_groups(&k->groups, json_object_get(v->claims, terms->groups_claim), e);
}

/* What is wrong with a token that is shown is invalid_request (RFC 8693, 2.2.2). */
static void
refuse_token(struct token_request *t, const char *field, const struct error *failure)
{
	struct error e = *failure;

	if (e.code == ERROR_UNAUTHENTICATED) {
		e.code = ERROR_MALFORMED;
		error_prefix(&e, "%s", field);
	}
	token_refuse(t, &e);
}

/* The i-th audience of the token; NULL behind the last. */
static const char *
audience_at(const json_t *claim, size_t i)
{
	if (json_is_string(claim))
		return i == 0 ? json_string_value(claim) : NULL;
	return json_string_value(json_array_get(claim, i));
}

/* Those that may be had: of the configuration's list, or of the token. */
static const char *
allowed_at(const struct exchange *x, size_t i)
{
	if (x->audiences->count > 0)
		return i < x->audiences->count ? x->audiences->items[i] : NULL;
	return audience_at(json_object_get(x->claims, "aud"), i);
}

static bool
is_allowed(const struct exchange *x, const char *audience)
{
	const char *allowed = allowed_at(x, 0);

	for (size_t i = 1; allowed != NULL && strcmp(allowed, audience) != 0; i++)
		allowed = allowed_at(x, i);
	return allowed != NULL;
}

/* Where there is one choice it is made; what may not be had is refused by admit(). */
static int
choose_audience(struct query *q, const struct exchange *x, struct error *e)
{
	const char *only = allowed_at(x, 0);

	if (only == NULL || *q->audience != '\0')
		return 0;
	if (allowed_at(x, 1) != NULL)
		return error_set(
		    e, ERROR_TARGET, "there are several audiences to choose from: name one");
	if (strlen(only) >= sizeof(q->audience))
		return error_set(e, ERROR_TARGET, "the token's audience is too long");
	memcpy(q->audience, only, strlen(only) + 1);
	return 0;
}

/* Whether the audiences are allowed that were granted: by request, rule or profile. */
static int
admit(const struct issue *i, struct error *e)
{
	const struct exchange *x = ((const struct token_request *)i)->own;
	const struct profile *p = i->grant.profile;
	bool allowed = *i->grant.audience == '\0' || is_allowed(x, i->grant.audience);

	for (size_t n = 0; *i->grant.audience == '\0' && p != NULL && n < p->audience.count;
	     n++)
		allowed = allowed && is_allowed(x, p->audience.items[n]);
	return allowed ? 0
		       : error_set(e, ERROR_TARGET,
			     "the token that is shown is not for this audience");
}

/* A token that someone has for another stays one: that someone is the caller again. */
static int
keep_actor(struct token_request *t, const struct terms *terms, struct error *e)
{
	const struct exchange *x = t->own;
	const json_t *act = json_object_get(x->claims, "act");
	/* Users of a party are known by one claim, wherever they stand. */
	const char *sub = json_string_value(json_object_get(act, terms->user_claim));

	if (act == NULL)
		return 0;
	if (sub == NULL || json_object_size(act) != 1 ||
	    t->fields.values[FIELD_ACTOR_TOKEN] != NULL)
		return error_set(e, ERROR_MALFORMED,
		    "the token has an actor, and chains of actors are not issued here");
	t->issue.caller_claimed = NULL;
	return principal_token(&t->issue.query.caller, sub, terms->party, terms->realm, e);
}

static int
take_claims(struct exchange *x, const struct verified *v, const struct terms *terms,
    struct query *q, struct error *e)
{
	x->claims = json_incref(v->claims);
	x->party = v->party;
	x->audiences = terms->audiences;
	q->not_after = json_integer_value(json_object_get(v->claims, "exp"));
	return choose_audience(q, x, e);
}

static int
take_subject(struct token_request *t, const struct verified *v, struct error *e)
{
	struct exchange *x = t->own;
	struct query *q = &t->issue.query;
	struct terms terms;

	if (find_terms(t->issue.service, v, &terms, e) == -1 ||
	    know(&x->subject, v, &terms, e) == -1 ||
	    subject_check(t->issue.service->grammar, x->subject.principal.name, e) == -1 ||
	    take_claims(x, v, &terms, q, e) == -1)
		return -1;
	q->caller = x->subject.principal;
	memcpy(q->subject, x->subject.principal.name, strlen(x->subject.principal.name) + 1);
	t->issue.admit = admit;
	t->issue.subject_claimed = x->subject.groups->groups;
	t->issue.caller_claimed = t->issue.subject_claimed;
	return keep_actor(t, &terms, e);
}

/* Whether the subject's token names this one as its actor, if it names any (RFC 8693, 4.4):
 * without "iss" it is one of the same issuer. */
static bool
may_act(const struct exchange *x, const struct verified *actor)
{
	json_t *wanted = json_object_get(x->claims, "may_act");
	const char *name;
	json_t *value;

	if (wanted == NULL)
		return true;
	if (json_object_size(wanted) == 0 ||
	    (json_object_get(wanted, "iss") == NULL && actor->party != x->party))
		return false;
	json_object_foreach (wanted, name, value)
		if (!json_equal(value, json_object_get(actor->claims, name)))
			return false;
	return true;
}

static int
take_actor(struct token_request *t, const struct verified *v, struct error *e)
{
	int64_t exp = json_integer_value(json_object_get(v->claims, "exp"));
	struct exchange *x = t->own;
	struct query *q = &t->issue.query;
	struct terms terms;

	if (find_terms(t->issue.service, v, &terms, e) == -1 ||
	    know(&x->actor, v, &terms, e) == -1)
		return -1;
	if (json_object_get(v->claims, "act") != NULL)
		return error_set(e, ERROR_MALFORMED,
		    "the actor's token has an actor, and chains of actors are not issued here");
	if (!may_act(x, v))
		return error_set(
		    e, ERROR_DENIED, "the subject's token names another actor (may_act)");
	q->caller = x->actor.principal;
	if (exp < q->not_after)
		q->not_after = exp;
	t->issue.caller_claimed = x->actor.groups->groups;
	return 0;
}

static void
actor_checked(struct check *c, const struct verified *v, const struct error *failure)
{
	struct token_request *t = c->own;
	struct error e = *failure;

	if (v == NULL || take_actor(t, v, &e) == -1)
		refuse_token(t, "actor_token", &e);
	else
		token_issue(t);
}

/* Has the token of a field verified. */
static void
show(struct token_request *t, enum token_field field,
    void (*then)(struct check *c, const struct verified *v, const struct error *e))
{
	struct check c = {.service = t->issue.service,
	    .gateway = t->gateway,
	    .request = t->request,
	    .token = strdup(t->fields.values[field]),
	    .own = t,
	    .then = then};
	struct error e = {0};

	if (c.token == NULL)
		error_set(&e, ERROR_UNAVAILABLE, "out of memory");
	if (c.token == NULL || check_token(&c, &e) == -1)
		token_refuse(t, &e);
}

static void
subject_checked(struct check *c, const struct verified *v, const struct error *failure)
{
	struct token_request *t = c->own;
	struct error e = *failure;

	if (v == NULL || take_subject(t, v, &e) == -1)
		refuse_token(t, "subject_token", &e);
	else if (t->fields.values[FIELD_ACTOR_TOKEN] != NULL)
		show(t, FIELD_ACTOR_TOKEN, actor_checked);
	else
		token_issue(t);
}

void
grant_exchange(struct token_request *t)
{
	struct error e = {0};

	if (check_fields(t, &e) == 0) {
		t->own = calloc(1, sizeof(struct exchange));
		if (t->own == NULL)
			error_set(&e, ERROR_UNAVAILABLE, "out of memory");
		else
			t->settle = settle;
	}
	if (t->own == NULL)
		token_refuse(t, &e);
	else
		show(t, FIELD_SUBJECT_TOKEN, subject_checked);
}
