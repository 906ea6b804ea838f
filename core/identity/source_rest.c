/* A service that answers GET URL with {"groups": [...]}. */
#include <stdlib.h>

#include "identity/http.h"
#include "identity/source.h"
#include "identity/source_rest_url.h"

enum { LIMIT_URL = LIMIT_PATH + 3 * LIMIT_PRINCIPAL };

struct rest_source {
	struct source source; /* first, so that the one leads to the other */
	const struct rest_config *config;
	struct http *http;
	struct buffer url;
};

static int
rest_lookup(struct source *self, const char *user, struct membership *m, struct error *e)
{
	struct rest_source *s = (struct rest_source *)self;
	const struct buffer *body;
	long status = 0;
	int rc;

	if (rest_url_of(&s->url, s->config->url, user, e) == -1)
		return -1;
	rc = http_get(s->http, s->url.data, &status, &body, e);
	if (rc == 0 && status == 200)
		rc = source_reply(m, body->data, body->length, e);
	else if (rc == 0 && status != 404)
		rc = error_set(
		    e, ERROR_UNAVAILABLE, "the service answered with status %ld", status);
	http_forget(s->http);
	return rc;
}

static void
rest_close(struct source *self)
{
	struct rest_source *s = (struct rest_source *)self;

	http_close(s->http);
	buffer_free(&s->url);
	free(s);
}

int
source_rest_open(struct source **out, const struct groups_config *c, struct error *e)
{
	const struct http_config http = {.accept = "application/json",
	    .token_file = c->rest.token_file,
	    .certificate = c->rest.certificate,
	    .key = c->rest.key,
	    .ca_file = c->rest.ca_file,
	    .timeout = c->rest.timeout,
	    .limit = LIMIT_REPLY};
	struct rest_source *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	s->source = (struct source){.lookup = rest_lookup, .close = rest_close};
	s->config = &c->rest;
	buffer_init(&s->url, LIMIT_URL);
	if (rest_url_check(&c->rest, e) == 0 && http_open(&s->http, &http, e) == 0) {
		*out = &s->source;
		return 0;
	}
	rest_close(&s->source);
	return error_prefix(e, "%s: groups: rest", c->where);
}
