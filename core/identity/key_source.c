#include "identity/key_source.h"

#include <stdlib.h>

#include "identity/freshness.h"
#include "identity/http.h"
#include "identity/http_url.h"
#include "jose/keychain.h"

enum { LIMIT_FIELD = 1024 }; /* bytes of what the answer says of its own age */

struct key_source {
	const struct verify_section *section;
	struct http *http;
};

/* What is wrong with the URL; NULL when nothing is. */
static const char *
find_wrong(const struct verify_section *s)
{
	struct http_url url;
	const char *wrong = http_url_read(&url, s->keys_url);

	if (wrong != NULL)
		return wrong;
	if (url.user)
		return "it has a user name, and a JWK Set is public";
	if (url.fragment)
		return "it has a fragment, which is never sent: write # as %23";
	if (!s->insecure && url.open)
		return "it is not https: anybody on the way could be anybody; accept that by "
		       "insecure = true";
	return NULL;
}

int
key_source_open(struct key_source **out, const struct verify_section *s, struct error *e)
{
	const struct http_config http = {.accept = "application/jwk-set+json, application/json",
	    .ca_file = s->ca_file,
	    .timeout = s->timeout,
	    .limit = LIMIT_JWK_SET_GIVEN};
	const char *wrong = find_wrong(s);
	struct key_source *k = calloc(1, sizeof(*k));

	*out = NULL;
	if (k == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	k->section = s;
	if (wrong != NULL)
		error_set(e, ERROR_CONFIG, "keys-url: %s", wrong);
	else if (http_open(&k->http, &http, e) == 0) {
		*out = k;
		return 0;
	}
	key_source_close(k);
	return error_prefix(e, "%s: verify '%s'", s->where, s->name);
}

void
key_source_close(struct key_source *k)
{
	if (k == NULL)
		return;
	http_close(k->http);
	free(k);
}

/* A field that is longer than any that is meant says nothing; NULL: it is not there. */
static const char *
read_field(const struct http *h, const char *name, struct buffer *to)
{
	buffer_init(to, LIMIT_FIELD);
	return http_field(h, name, to) == 0 ? to->data : NULL;
}

static int64_t
read_freshness(const struct http *h)
{
	struct buffer control, age;
	int64_t seconds =
	    freshness_of(read_field(h, "Cache-Control", &control), read_field(h, "Age", &age));

	buffer_free(&control);
	buffer_free(&age);
	return seconds;
}

int
key_source_fetch(struct key_source *k, struct buffer *to, int64_t *fresh, struct error *e)
{
	const struct buffer *body;
	long status = 0;
	int rc = http_get(k->http, k->section->keys_url, &status, &body, e);

	if (rc == 0 && status != 200)
		rc = error_set(
		    e, ERROR_UNAVAILABLE, "the web server answered with status %ld", status);
	if (rc == 0) {
		*fresh = read_freshness(k->http);
		rc = keychain_pick(to, body->data, body->length, "the answer", e);
	}
	http_forget(k->http);
	if (rc == -1)
		e->code = ERROR_UNAVAILABLE;
	return rc;
}
