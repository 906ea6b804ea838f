/*
 * What clients of ODAS ask their server for: POST /api/get-token, a token for the caller whom
 * the web server has authenticated, maybe one that it got before; GET
 * /api/health-authenticated, who that is.
 */
#include <jansson.h>
#include <string.h>

#include "service/token.h"

static int
check(const struct service *s, const struct request *r, struct error *e)
{
	if (!s->parts.config->odas)
		return error_set(e, ERROR_NOT_FOUND, "no such resource: odas is off");
	if (!principal_authenticated(&r->caller))
		return error_set(e, ERROR_UNAUTHENTICATED,
		    "authenticate first: the web server named no user");
	return 0;
}

int
get_token_endpoint(
    struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	struct token_request *t;

	if (check(s, r, e) == -1)
		return -1;
	t = token_new(s, g, r, e);
	if (t == NULL)
		return -1;
	t->grant = GRANT_CLIENT;
	t->bare = true;
	t->issue.signer = signer_reuse_signer(s->reuse, s->parts.signer);
	grant_client(t);
	return 0;
}

int
authenticated_endpoint(
    struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	/* With its realm, as it came; over the local socket there is none. */
	const char *user = g->peer == NULL ? r->remote_user : r->caller.name;
	struct response response;
	int rc;

	if (check(s, r, e) == -1)
		return -1;
	response_init(&response, "application/json");
	rc = response_json(
	    &response, json_pack("{s:s, s:n, s:s}", "health", "ok", "token", "user", user), e);
	if (rc == 0)
		g->respond(g, &response);
	response_free(&response);
	return rc;
}
