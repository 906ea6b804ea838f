/*
 * GET /-/ready: whether a token could be had now: the signer answers and has its keys, and the
 * token directory is there. It also says whether the configuration in force is the one on disk.
 */
#include <stdlib.h>

#include "service/internal.h"

static void
answer(const struct service *s, struct gateway *g, bool signer, bool keys)
{
	const struct condition *c = s->parts.condition;
	struct error e = {0};
	bool directory = directory_check(&s->directory, &e) == 0;
	bool ready = signer && keys && directory;
	struct response r;

	response_init(&r, "application/json");
	r.status = ready ? 200 : 503;
	/* Out of memory: the status alone has to do. */
	(void)buffer_printf(&r.body,
	    "{\"ready\":%s,\"signer\":\"%s\",\"keys\":\"%s\",\"directory\":\"%s\","
	    "\"configuration\":\"%s\",\"sandbox\":\"%s\"}\n",
	    ready ? "true" : "false", signer ? "ok" : "does not answer",
	    keys ? "ok" : "none signs now", directory ? "ok" : "gone",
	    c != NULL && c->stale ? "an older one: the last reload failed, see the log" : "ok",
	    s->parts.sandbox != NULL ? s->parts.sandbox : "none");
	g->respond(g, &r);
	response_free(&r);
}

static void
published(void *context, const struct signature *s, const struct error *failure)
{
	struct wait *w = context;

	(void)failure;
	answer(w->service, w->gateway, s != NULL, s != NULL && *s->kid != '\0');
	free(w);
}

int
ready_endpoint(struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	if (keys_ask(s, g, r, published, e) == -1)
		answer(s, g, false, false);
	return 0;
}
