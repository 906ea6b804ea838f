/*
 * POST /oauth2/revoke (RFC 7009): a token is good no more. Who shows it may revoke it: whoever
 * has it could do worse. Of a refresh token the whole family ends.
 */
#include <string.h>

#include "service/check.h"
#include "service/fields.h"
#include "store/refresh.h"
#include "store/revocations.h"

static const char *const fields[] = {"token", NULL};

/* 200, also for a token that is not good anyway (RFC 7009, 2.2). */
static void
answer(struct gateway *g)
{
	struct response r;

	response_init(&r, "text/plain; charset=utf-8");
	g->respond(g, &r);
	response_free(&r);
}

static void
refuse(struct check *c, const struct error *e)
{
	static const struct outcome nothing = {0};

	service_refuse(c->service, c->gateway, &c->request, &nothing, e);
}

static int
revoke(const struct check *c, const struct verified *v, struct error *e)
{
	const struct service *s = c->service;
	const struct revocation_subject t =
	    revocation_subject_of(v->claims, v->user, c->token, v->own ? NULL : v->party);
	int64_t expires = json_integer_value(json_object_get(v->claims, "exp"));

	expires = clock_add(expires, s->parts.config->skew);
	if (revocation_add_token(s->state, &t, expires, e) == -1)
		return -1;
	log_line(s->parts.log, LOG_LEVEL_INFO, "Revoked a token of %s, jti %.64s, for %s",
	    v->user, t.jti != NULL ? t.jti : "none", c->request.caller.name);
	return 0;
}

static void
checked(struct check *c, const struct verified *v, const struct error *failure)
{
	struct error e = *failure;

	if (v == NULL ? e.code != ERROR_UNAUTHENTICATED : revoke(c, v, &e) == -1)
		refuse(c, &e);
	else
		answer(c->gateway);
}

int
revoke_endpoint(struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	struct check c = {.service = s, .gateway = g, .request = *r, .then = checked};
	struct fields f;
	int rc = 0;

	if (!s->parts.config->revocation)
		return error_set(e, ERROR_NOT_FOUND, "no such resource: revocation is off");
	if (fields_read(&f, fields, r, false, e) == -1)
		return -1;
	if (f.values[0] == NULL) {
		rc = error_set(e, ERROR_MALFORMED, "want one field token=TOKEN in the body");
	} else if (strchr(f.values[0], '.') == NULL) { /* no JWS */
		rc = refresh_end(s->state, f.values[0], e);
		if (rc == 0)
			answer(g);
	} else {
		c.token = f.values[0];
		f.values[0] = NULL;
		rc = check_token(&c, e);
	}
	fields_free(&f);
	return rc;
}
