/* GET /.well-known/jwks.json: the public keys (RFC 7517, 5), and for how long to keep them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jose/digest.h"
#include "service/internal.h"

/* Whether the client has what it would get: a list of entity tags, or "*" (RFC 9110, 13.1.2,
 * weak comparison). */
static bool
has_already(const char *if_none_match, const char *etag)
{
	char quoted[DIGEST_TEXT + 2];

	if (if_none_match == NULL)
		return false;
	(void)snprintf(quoted, sizeof(quoted), "\"%s\"", etag);
	return strcmp(if_none_match, "*") == 0 || strstr(if_none_match, quoted) != NULL;
}

static int
answer(const struct wait *w, const struct signature *s, struct error *e)
{
	int64_t now = clock_realtime(w->service->parts.clock) / NANOSECONDS;
	char etag[DIGEST_TEXT];
	struct response r;
	int rc = 0;

	if (digest_text(etag, s->token, s->length, e) == -1)
		return -1;
	response_init(&r, "application/jwk-set+json");
	r.etag = etag;
	r.max_age = s->expires - now;
	if (has_already(w->request.if_none_match, etag))
		r.status = 304;
	else if (buffer_append(&r.body, s->token, s->length) == -1)
		rc = error_set(e, ERROR_UNAVAILABLE, "out of memory");
	if (rc == 0)
		w->gateway->respond(w->gateway, &r);
	response_free(&r);
	return rc;
}

static void
published(void *context, const struct signature *s, const struct error *failure)
{
	static const struct outcome nothing = {0};
	struct wait *w = context;
	struct error e = *failure;

	if (s == NULL || answer(w, s, &e) == -1)
		service_refuse(w->service, w->gateway, &w->request, &nothing, &e);
	free(w);
}

int
keys_ask(struct service *s, struct gateway *g, const struct request *r, signer_done *done,
    struct error *e)
{
	struct wait *w = malloc(sizeof(*w));

	if (w == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	*w = (struct wait){.service = s, .gateway = g, .request = *r};
	if (signer_publish(s->parts.signer, done, w, e) == 0)
		return 0;
	free(w);
	return -1;
}

int
keys_endpoint(struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	return keys_ask(s, g, r, published, e);
}
