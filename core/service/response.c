#include "service/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/dump.h"
#include "base/text.h"

#define BASIC "Basic realm=\"authserver\""

/* What a status says, and what else must be told with it. */
static const struct status {
	int code;
	const char *phrase;
	bool retry; /* whether Retry-After goes with it */
} statuses[] = {
    {200, "OK", false},
    {204, "No Content", false},
    {304, "Not Modified", false},
    {400, "Bad Request", false},
    {401, "Unauthorized", false},
    {403, "Forbidden", false},
    {404, "Not Found", false},
    {405, "Method Not Allowed", false},
    {413, "Content Too Large", false},
    {415, "Unsupported Media Type", false},
    {429, "Too Many Requests", true},
    {500, "Internal Server Error", false},
    {503, "Service Unavailable", true},
};

static const struct {
	int status;
	const char *name; /* RFC 6749, 4.1.2.1 and 5.2, where that has one */
	const char *text; /* NULL: the error's own */
} answers[] = {
    [ERROR_NONE] = {500, "server_error", "a defect of the server: see its log"},
    [ERROR_MALFORMED] = {400, "invalid_request", NULL},
    [ERROR_GRANT] = {400, "invalid_grant", NULL},
    [ERROR_GRANT_TYPE] = {400, "unsupported_grant_type", NULL},
    [ERROR_SCOPE] = {400, "invalid_scope", NULL},
    [ERROR_TARGET] = {400, "invalid_target", NULL},
    [ERROR_UNAUTHENTICATED] = {401, "invalid_client", NULL},
    [ERROR_DENIED] = {403, "access_denied", NULL},
    [ERROR_NOT_FOUND] = {404, "not_found", NULL},
    [ERROR_METHOD] = {405, "method_not_allowed", NULL},
    [ERROR_TOO_LARGE] = {413, "invalid_request", NULL},
    [ERROR_MEDIA_TYPE] = {415, "invalid_request", NULL},
    [ERROR_LIMITED] = {429, "temporarily_unavailable", NULL},
    [ERROR_INTERNAL] = {500, "server_error", "a defect of the server: see its log"},
    [ERROR_UNAVAILABLE] = {503, "temporarily_unavailable",
	"this cannot be answered now: try again in a moment"},
    [ERROR_CONFIG] = {503, "server_error", "this cannot be answered now: see the server's log"},
    [ERROR_NO_INPUT] = {503, "server_error",
	"this cannot be answered now: see the server's log"},
    [ERROR_NO_PERMISSION] = {503, "server_error",
	"this cannot be answered now: see the server's log"},
};

static const struct status *
find_status(int code)
{
	size_t i = 0;

	while (i + 1 < sizeof(statuses) / sizeof(statuses[0]) && statuses[i].code != code)
		i++;
	return &statuses[i];
}

void
response_init(struct response *r, const char *content_type)
{
	*r = (struct response){.status = 200, .content_type = content_type};
	buffer_init(&r->body, LIMIT_RESPONSE);
	buffer_init(&r->fields, LIMIT_FIELDS);
}

void
response_free(struct response *r)
{
	buffer_free(&r->body);
	buffer_free(&r->fields);
}

static int
encode(struct buffer *to, const char *text)
{
	static const char apart[] = " ,\"%";
	int rc = 0;

	for (; rc == 0 && *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		rc = c > ' ' && c < 0x7f && strchr(apart, c) == NULL
			 ? buffer_append(to, text, 1)
			 : buffer_printf(to, "%%%02X", c);
	}
	return rc;
}

int
response_field(struct response *r, const char *name, const char *const *texts, size_t count)
{
	size_t before = r->fields.length;
	int rc = buffer_printf(&r->fields, "%s: ", name);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = i == 0 ? 0 : buffer_append(&r->fields, ",", 1);
		if (rc == 0)
			rc = encode(&r->fields, texts[i]);
	}
	if (rc == 0)
		rc = buffer_append(&r->fields, "\r\n", 2);
	if (rc == -1)
		r->fields.length = before;
	return rc;
}

int
response_json(struct response *r, json_t *object, struct error *e)
{
	char *text =
	    object == NULL ? NULL : dump_json(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
	int rc = text == NULL ? -1 : buffer_append(&r->body, text, strlen(text));

	free(text);
	json_decref(object);
	return rc == 0 ? 0
		       : error_set(e, ERROR_UNAVAILABLE,
			     "out of memory, or the answer is longer than %d bytes",
			     LIMIT_RESPONSE);
}

static void
put_json(struct buffer *body, const char *name, const char *text)
{
	json_t *object = json_pack("{s:s, s:s}", "error", name, "error_description", text);
	char plain[LIMIT_ERROR_TEXT];
	char *line;

	/* A name in it may have been cut in the middle of a character. */
	if (object == NULL) {
		(void)snprintf(plain, sizeof(plain), "%s", text);
		text_plain(plain);
		object = json_pack("{s:s, s:s}", "error", name, "error_description", plain);
	}
	line = object == NULL ? NULL : dump_json(object, JSON_COMPACT);
	if (line != NULL)
		(void)buffer_printf(body, "%s\n", line);
	free(line);
	json_decref(object);
}

void
response_error(struct response *r, const struct error *e, bool json)
{
	const char *text = answers[e->code].text != NULL ? answers[e->code].text : e->text;
	/* Where a token was wanted (RFC 6750, 3.1). */
	bool token = e->code == ERROR_UNAUTHENTICATED && r->challenge != NULL;

	buffer_free(&r->body);
	r->status = answers[e->code].status;
	r->content_type = json ? "application/json" : "text/plain; charset=utf-8";
	/* Out of memory: the status alone has to do. */
	if (json)
		put_json(&r->body, token ? "invalid_token" : answers[e->code].name, text);
	else
		(void)buffer_printf(&r->body, "%s\n", text);
}

int
response_render(const struct response *r, struct buffer *out)
{
	const struct status *s = find_status(r->status);

	if (buffer_printf(out, "Status: %d %s\r\n", s->code, s->phrase) == -1)
		return -1;
	if (r->bare)
		return buffer_append(out, r->fields.data, r->fields.length) == -1
			   ? -1
			   : buffer_append(out, "\r\n", 2);
	/* A 304 describes a body that it does not have (RFC 9110, 15.4.5); a 204 has none. */
	if (s->code != 304 && s->code != 204 &&
	    buffer_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", r->content_type,
		r->body.length) == -1)
		return -1;
	if ((r->max_age > 0 ? buffer_printf(out, "Cache-Control: public, max-age=%lld\r\n",
				  (long long)r->max_age)
			    : buffer_printf(out, "Cache-Control: no-store\r\n")) == -1)
		return -1;
	if (r->etag != NULL && buffer_printf(out, "ETag: \"%s\"\r\n", r->etag) == -1)
		return -1;
	if (r->allow != NULL && buffer_printf(out, "Allow: %s\r\n", r->allow) == -1)
		return -1;
	if (s->code == 401 || r->challenge != NULL)
		if (buffer_printf(out, "WWW-Authenticate: %s\r\n",
			r->challenge != NULL ? r->challenge : BASIC) == -1)
			return -1;
	if (s->retry && buffer_printf(out, "Retry-After: %lld\r\n",
			    r->retry > 0 ? (long long)r->retry : 1LL) == -1)
		return -1;
	if (buffer_append(out, r->fields.data, r->fields.length) == -1 ||
	    buffer_append(out, "\r\n", 2) == -1)
		return -1;
	return buffer_append(out, r->body.data, r->body.length);
}
