/*
 * What reads tokens asks whether one is good: POST /api/validate, as ODAS asks its
 * JWT_AUTHENTICATION_SERVER_URL; GET /api/get-user, the same in another shape; GET
 * /api/authorize, for a web server that asks before it serves a request; and the same as a
 * FastCGI authorizer.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "service/bearer.h"

/* Answers with one member, the user. */
static int
answer_user(struct gateway *g, const char *member, const struct verified *v, struct error *e)
{
	struct response r;
	int rc;

	response_init(&r, "application/json");
	rc = response_json(&r, json_pack("{s:s}", member, v->user), e);
	if (rc == 0)
		g->respond(g, &r);
	response_free(&r);
	return rc;
}

static int
validated(struct gateway *g, const struct request *r, const struct verified *v, struct error *e)
{
	(void)r;
	return answer_user(g, "sub", v, e);
}

int
validate_endpoint(
    struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	return bearer_verify(s, g, r, validated, e);
}

static int
named(struct gateway *g, const struct request *r, const struct verified *v, struct error *e)
{
	(void)r;
	return answer_user(g, "user", v, e);
}

int
user_endpoint(struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	return bearer_verify(s, g, r, named, e);
}

/* Whether the token has one of the groups that the web server wants, parted by commas. */
static bool
has_required(const json_t *groups, const char *required)
{
	json_t *group;
	size_t i;

	for (const char *at = required; *at != '\0'; at += strcspn(at, ",")) {
		size_t length;

		at += strspn(at, ", ");
		length = strcspn(at, ",");
		while (length > 0 && at[length - 1] == ' ')
			length--;
		json_array_foreach ((json_t *)groups, i, group)
			if (length > 0 && json_string_length(group) == length &&
			    memcmp(json_string_value(group), at, length) == 0)
				return true;
	}
	return false;
}

/* How a web server is told whose token it was. What an authorizer gives a name that begins with
 * Variable- is a variable of the request's (FastCGI specification 1.0, 6.3). */
static const struct told {
	int status;
	const char *subject;
	const char *groups;
	const char *jti;
} by_fields = {204, "X-Auth-Subject", "X-Auth-Groups", "X-Auth-Jti"},
  by_variables = {200, "Variable-AUTH_SUBJECT", "Variable-AUTH_GROUPS", "Variable-AUTH_JTI"};

static int
put_groups(struct response *response, const char *name, const json_t *groups)
{
	size_t count = json_array_size(groups);
	const char **names = calloc(count + 1, sizeof(*names));
	int rc = -1;

	for (size_t i = 0; names != NULL && i < count; i++)
		names[i] = json_string_value(json_array_get(groups, i));
	if (names != NULL)
		rc = response_field(response, name, names, count);
	free(names);
	return rc;
}

static int
authorized(
    struct gateway *g, const struct request *r, const struct verified *v, struct error *e)
{
	const json_t *groups = json_object_get(v->claims, "groups");
	const char *jti = json_string_value(json_object_get(v->claims, "jti"));
	const struct told *told = g->scope == SCOPE_AUTHORIZER ? &by_variables : &by_fields;
	struct response response;
	int rc = 0;

	if (r->required != NULL && !has_required(groups, r->required)) {
		error_set(
		    e, ERROR_DENIED, "the token has none of the groups that are required");
		/* Not for the answer: Apache makes a page of that, and it is another's word. */
		return error_detail(e, "it is %s's", v->user);
	}
	response_init(&response, "");
	response.status = told->status;
	response.bare = g->scope == SCOPE_AUTHORIZER;
	if (response_field(&response, told->subject, &v->user, 1) == -1 ||
	    put_groups(&response, told->groups, groups) == -1 ||
	    (jti != NULL && response_field(&response, told->jti, &jti, 1) == -1))
		rc =
		    error_set(e, ERROR_UNAVAILABLE, "the claims do not fit into header fields");
	else
		g->respond(g, &response);
	response_free(&response);
	return rc;
}

int
authorize_endpoint(
    struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	return bearer_verify(s, g, r, authorized, e);
}
