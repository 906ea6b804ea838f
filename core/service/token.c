/* POST /oauth2/token: a token for a grant (RFC 6749, 4 to 6; RFC 8693). */
#include "service/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"

const char *const token_fields[] = {
    [FIELD_GRANT_TYPE] = "grant_type",
    [FIELD_CLIENT_ID] = "client_id",
    [FIELD_SCOPE] = "scope",
    [FIELD_AUDIENCE] = "audience",
    [FIELD_RESOURCE] = "resource",
    [FIELD_PROFILE] = "profile",
    [FIELD_TTL] = "ttl",
    [FIELD_USERNAME] = "username",
    [FIELD_PASSWORD] = "password",
    [FIELD_REFRESH_TOKEN] = "refresh_token",
    [FIELD_SUBJECT_TOKEN] = "subject_token",
    [FIELD_SUBJECT_TOKEN_TYPE] = "subject_token_type",
    [FIELD_ACTOR_TOKEN] = "actor_token",
    [FIELD_ACTOR_TOKEN_TYPE] = "actor_token_type",
    [FIELD_REQUESTED_TOKEN_TYPE] = "requested_token_type",
    NULL,
};

static const struct {
	const char *type; /* grant_type */
	const char *name; /* in the configuration */
	token_grant *grant;
} grants[] = {
    {"client_credentials", GRANT_CLIENT, grant_client},
    {"password", GRANT_PASSWORD, grant_password},
    {"refresh_token", GRANT_REFRESH, grant_refresh},
    {"urn:ietf:params:oauth:grant-type:token-exchange", GRANT_EXCHANGE, grant_exchange},
};

json_t *
token_grant_types(const struct config *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++)
		if (config_grants(c, grants[i].name))
			(void)json_array_append_new(list, json_string(grants[i].type));
	return list;
}

struct token_request *
token_new(struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	struct token_request *t = malloc(sizeof(*t));

	if (t == NULL)
		error_set(e, ERROR_UNAVAILABLE, "out of memory");
	else
		*t = (struct token_request){
		    .issue = {.service = s}, .gateway = g, .request = *r};
	return t;
}

static void
end(struct token_request *t, bool answered)
{
	if (t->settle != NULL)
		t->settle(t, answered);
	fields_free(&t->fields);
	issue_free(&t->issue);
	free(t);
}

static struct outcome
outcome_of(const struct token_request *t, const struct signature *s)
{
	struct outcome o = issue_outcome(&t->issue, s);

	o.grant_type = t->grant;
	o.retry = t->retry;
	return o;
}

void
token_refuse(struct token_request *t, const struct error *e)
{
	const struct outcome o = outcome_of(t, NULL);

	service_refuse(t->issue.service, t->gateway, &t->request, &o, e);
	end(t, false);
}

static json_t *
describe(const struct token_request *t, const struct signature *s)
{
	int64_t now = clock_realtime(t->issue.service->parts.clock) / NANOSECONDS;
	json_t *made;

	if (t->bare)
		return json_pack("{s:s}", "token", s->token);
	made = json_pack("{s:s, s:s, s:I}", "access_token", s->token, "token_type", "Bearer",
	    "expires_in", (json_int_t)(s->expires - now));
	if (t->issued_type != NULL)
		(void)json_object_set_new(
		    made, "issued_token_type", json_string(t->issued_type));
	return made;
}

/* With Pragma, as RFC 6749, 5.1 wants it. */
static int
render(struct response *r, struct token_request *t, const struct signature *s, struct error *e)
{
	static const char *const no_cache = "no-cache";
	json_t *object = describe(t, s);

	if (object != NULL && t->complete != NULL && t->complete(t, object, e) == -1) {
		json_decref(object);
		return -1;
	}
	if (response_json(r, object, e) == -1)
		return -1;
	return response_field(r, "Pragma", &no_cache, 1) == 0
		   ? 0
		   : error_set(e, ERROR_UNAVAILABLE, "out of memory");
}

static void
log_token(const struct token_request *t)
{
	const struct query *q = &t->issue.query;

	log_line(t->issue.service->parts.log, LOG_LEVEL_INFO,
	    "Issued a token by %s: subject %s, caller %s", t->grant, q->subject,
	    q->caller.name);
}

static void
issued(struct issue *i, const struct signature *s, const struct error *failure)
{
	struct token_request *t = (struct token_request *)i;
	const struct outcome o = outcome_of(t, s);
	struct error e = *failure;
	struct response r;

	response_init(&r, "application/json");
	if (s == NULL && t->denied != NULL && e.code < ERROR_INTERNAL) {
		t->denied(t, &e);
	} else if (s == NULL || render(&r, t, s, &e) == -1) {
		token_refuse(t, &e);
	} else {
		log_token(t);
		service_audit(i->service, &t->request, &o, 200, NULL);
		end(t, t->gateway->respond(t->gateway, &r));
	}
	response_free(&r);
}

void
token_issue(struct token_request *t)
{
	t->issue.then = issued;
	issue_token(&t->issue);
}

/* The audience that is asked for: RFC 8693, 2.1 has two names for it, and one of either is what
 * a token of ours can have. */
static int
read_audience(struct query *q, const struct fields *f, struct error *e)
{
	const char *audience = f->values[FIELD_AUDIENCE];
	const char *resource = f->values[FIELD_RESOURCE];

	if (audience != NULL && resource != NULL)
		return error_set(e, ERROR_TARGET, "give audience or resource, and not both");
	if (audience == NULL)
		audience = resource;
	if (audience == NULL)
		return 0;
	if (strlen(audience) >= sizeof(q->audience) || !text_clean(audience))
		return error_set(e, ERROR_TARGET, "an audience is UTF-8 of at most %zu bytes",
		    sizeof(q->audience) - 1);
	memcpy(q->audience, audience, strlen(audience) + 1);
	return 0;
}

int
token_read_wishes(struct token_request *t, struct error *e)
{
	const struct fields *f = &t->fields;
	const char *profile = f->values[FIELD_PROFILE], *ttl = f->values[FIELD_TTL];
	struct query *q = &t->issue.query;

	if (read_audience(q, f, e) == -1)
		return -1;
	if (profile != NULL && strlen(profile) >= sizeof(q->profile))
		return error_set(e, ERROR_MALFORMED, "there is no such profile");
	if (profile != NULL)
		memcpy(q->profile, profile, strlen(profile) + 1);
	if (ttl != NULL && parse_duration(ttl, strlen(ttl), &q->lifetime) == -1)
		return error_set(e, ERROR_MALFORMED, "ttl: want 90s, 15m or 24h");
	return 0;
}

/* What every grant shares (RFC 6749, 3.2). */
static int
check_request(const struct token_request *t, struct error *e)
{
	const struct principal *caller = &t->request.caller;
	const char *client = t->fields.values[FIELD_CLIENT_ID];

	if (t->fields.values[FIELD_SCOPE] != NULL)
		return error_set(e, ERROR_SCOPE,
		    "there are no scopes here: leave scope out, and name an audience or a "
		    "profile");
	if (client != NULL && principal_authenticated(caller) &&
	    strcmp(client, caller->name) != 0)
		return error_set(e, ERROR_MALFORMED,
		    "client_id is not the user that the web server authenticated");
	return 0;
}

static int
choose_grant(struct token_request *t, token_grant **grant, struct error *e)
{
	const char *type = t->fields.values[FIELD_GRANT_TYPE];

	if (type == NULL)
		return error_set(e, ERROR_MALFORMED, "want one field grant_type");
	for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
		if (strcmp(grants[i].type, type) != 0 ||
		    !config_grants(t->issue.service->parts.config, grants[i].name))
			continue;
		t->grant = grants[i].name;
		*grant = grants[i].grant;
		return 0;
	}
	return error_set(e, ERROR_GRANT_TYPE, "this grant_type is not taken here");
}

int
token_endpoint(struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	struct token_request *t;
	token_grant *grant = NULL;

	if (s->parts.config->grants.count == 0)
		return error_set(e, ERROR_NOT_FOUND, "no such resource: no grants are on");
	t = token_new(s, g, r, e);
	if (t == NULL)
		return -1;
	if (fields_read(&t->fields, token_fields, r, false, e) == -1 ||
	    check_request(t, e) == -1 || choose_grant(t, &grant, e) == -1)
		token_refuse(t, e);
	else
		grant(t);
	return 0;
}
