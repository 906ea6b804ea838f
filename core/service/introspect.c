/*
 * POST /oauth2/introspect (RFC 7662): what a token says, for a caller that the web server has
 * authenticated; of one that is not good, that and nothing else.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "service/check.h"
#include "service/fields.h"
#include "service/form.h"

/* The claims, and beside them what RFC 7662, 2.2 gives names. */
static json_t *
describe(const struct verified *v)
{
	json_t *object = json_pack("{s:b}", "active", 1);

	(void)json_object_update(object, v->claims);
	(void)json_object_set_new(object, "active", json_true());
	(void)json_object_set_new(object, "username", json_string(v->user));
	(void)json_object_set_new(object, "token_type", json_string("Bearer"));
	return object;
}

static int
answer(struct gateway *g, json_t *object, struct error *e)
{
	struct response r;
	int rc;

	response_init(&r, "application/json");
	rc = response_json(&r, object, e);
	if (rc == 0)
		g->respond(g, &r);
	response_free(&r);
	return rc;
}

/* The log has why a token is not good; the caller has asked, and was not refused. */
static void
checked(struct check *c, const struct verified *v, const struct error *failure)
{
	static const struct outcome nothing = {0};
	struct error e = *failure;
	int rc = -1;

	if (v != NULL) {
		rc = answer(c->gateway, describe(v), &e);
	} else if (e.code == ERROR_UNAUTHENTICATED) {
		log_line(c->service->parts.log, LOG_LEVEL_INFO,
		    "Introspected for %s: not active: %s", c->request.caller.name, e.detail);
		rc = answer(c->gateway, json_pack("{s:b}", "active", 0), &e);
	}
	if (rc == -1)
		service_refuse(c->service, c->gateway, &c->request, &nothing, &e);
}

/* The field token of the form, to be freed with free(); one that no token can be becomes "".
 * Other fields do not matter, such as token_type_hint (RFC 7662, 2.1). */
static char *
read_token(const struct request *r, struct error *e)
{
	bool twice = false;
	size_t length = 0;
	const char *field =
	    r->body == NULL ? NULL : form_find(r->body, r->received, "token", &length, &twice);
	char *token;

	if (request_whole(r, e) == -1)
		return NULL;
	if (field == NULL || twice) {
		error_set(e, ERROR_MALFORMED, "want one field token=TOKEN in the body");
		return NULL;
	}
	token = malloc(LIMIT_TOKEN + 1);
	if (token == NULL)
		error_set(e, ERROR_UNAVAILABLE, "out of memory");
	else if (form_decode(token, LIMIT_TOKEN + 1, field, length) == -1)
		*token = '\0';
	return token;
}

int
introspect_endpoint(
    struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	struct check c = {.service = s, .gateway = g, .request = *r, .then = checked};

	if (!s->parts.config->introspection)
		return error_set(e, ERROR_NOT_FOUND, "no such resource: introspection is off");
	if (!principal_authenticated(&r->caller))
		return error_set(e, ERROR_UNAUTHENTICATED,
		    "authenticate first: the web server named no user");
	if (!fields_is_form(r->content_type))
		return error_set(e, ERROR_MEDIA_TYPE,
		    "want a body of type application/x-www-form-urlencoded");
	c.token = read_token(r, e);
	return c.token == NULL ? -1 : check_token(&c, e);
}
