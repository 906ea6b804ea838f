#include "service/request.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "base/text.h"
#include "service/form.h"

/* The params that are used; no other has any effect. */
enum param {
	AUTHSERVER_GROUPS,
	AUTH_TYPE,
	CONTENT_LENGTH,
	CONTENT_TYPE,
	HTTP_ACCEPT,
	HTTP_AUTHORIZATION,
	HTTP_HOST,
	HTTP_IF_NONE_MATCH,
	HTTP_ORIGIN,
	HTTP_SEC_FETCH_SITE,
	PATH_INFO,
	QUERY_STRING,
	REMOTE_USER,
	REQUEST_ID,
	REQUEST_METHOD,
	UNIQUE_ID,
	PARAM_COUNT
};

static const char *const names[PARAM_COUNT] = {
    [AUTHSERVER_GROUPS] = "AUTHSERVER_GROUPS",
    [AUTH_TYPE] = "AUTH_TYPE",
    [CONTENT_LENGTH] = "CONTENT_LENGTH",
    [CONTENT_TYPE] = "CONTENT_TYPE",
    [HTTP_ACCEPT] = "HTTP_ACCEPT",
    [HTTP_AUTHORIZATION] = "HTTP_AUTHORIZATION",
    [HTTP_HOST] = "HTTP_HOST",
    [HTTP_IF_NONE_MATCH] = "HTTP_IF_NONE_MATCH",
    [HTTP_ORIGIN] = "HTTP_ORIGIN",
    [HTTP_SEC_FETCH_SITE] = "HTTP_SEC_FETCH_SITE",
    [PATH_INFO] = "PATH_INFO",
    [QUERY_STRING] = "QUERY_STRING",
    [REMOTE_USER] = "REMOTE_USER",
    [REQUEST_ID] = "REQUEST_ID",
    [REQUEST_METHOD] = "REQUEST_METHOD",
    [UNIQUE_ID] = "UNIQUE_ID",
};

static int
collect(const char *values[PARAM_COUNT], char *const *params, struct error *e)
{
	for (; *params != NULL; params++) {
		const char *equals = strchr(*params, '=');
		size_t length = equals == NULL ? 0 : (size_t)(equals - *params);
		int i = 0;

		while (i < PARAM_COUNT &&
		       (*names[i] != **params || strncmp(names[i], *params, length) != 0 ||
			   names[i][length] != '\0'))
			i++;
		if (length == 0 || i == PARAM_COUNT)
			continue;
		if (values[i] != NULL)
			return error_set(
			    e, ERROR_MALFORMED, "the web server sent %s twice", names[i]);
		values[i] = equals + 1;
	}
	return 0;
}

/* Whether the Host field's name is one of hosts; a port may follow it. */
static bool
host_listed(const char *host, const struct strings *hosts)
{
	const char *bracket = strrchr(host, ']');
	const char *colon = strrchr(bracket != NULL ? bracket : host, ':');
	size_t length = colon != NULL ? (size_t)(colon - host) : strlen(host);

	for (size_t i = 0; i < hosts->count; i++)
		if (strlen(hosts->items[i]) == length &&
		    strncasecmp(hosts->items[i], host, length) == 0)
			return true;
	return false;
}

/* A page in a browser, on this machine or by DNS rebinding, must not get a token. */
static int
check_origin(
    const char *const values[PARAM_COUNT], const struct config *config, struct error *e)
{
	const char *host = values[HTTP_HOST];
	const char *site = values[HTTP_SEC_FETCH_SITE];

	if (host == NULL || !host_listed(host, &config->hosts))
		return error_set(e, ERROR_DENIED,
		    "this host name is not served: use localhost, or list it in 'hosts'");
	if (values[HTTP_ORIGIN] != NULL)
		return error_set(e, ERROR_DENIED, "web pages are not served: Origin was sent");
	if (site != NULL && strcmp(site, "none") != 0 && strcmp(site, "same-origin") != 0)
		return error_set(
		    e, ERROR_DENIED, "web pages are not served: Sec-Fetch-Site was sent");
	return 0;
}

/* What everybody may read, and what only judges a token that comes along, makes none, so that
 * it does not matter by which name it is asked for: verifiers elsewhere, probes and the
 * requests that a web server asks us about have names of their own. */
static bool
makes_nothing(const char *path)
{
	return path != NULL &&
	       (strncmp(path, "/-/", 3) == 0 || strstr(path, "/.well-known/") != NULL ||
		   strcmp(path, "/api/validate") == 0 || strcmp(path, "/api/authorize") == 0);
}

static enum method
read_method(const char *text)
{
	if (text != NULL && strcmp(text, "GET") == 0)
		return METHOD_GET;
	if (text != NULL && strcmp(text, "POST") == 0)
		return METHOD_POST;
	return METHOD_OTHER;
}

/* The first media range that names a form we have; parameters are not weighed. */
static enum media
read_accept(const char *accept)
{
	while (accept != NULL && *accept != '\0') {
		size_t length;

		accept += strspn(accept, " \t,");
		length = strcspn(accept, " \t,;");
		if (length == 15 && strncasecmp(accept, "application/jwt", length) == 0)
			return MEDIA_JWT;
		if (length == 16 && strncasecmp(accept, "application/json", length) == 0)
			return MEDIA_JSON;
		if (length == 10 && strncasecmp(accept, "text/plain", length) == 0)
			return MEDIA_PATH;
		accept = strchr(accept, ',');
	}
	return MEDIA_PATH;
}

/* nginx's $request_id or Apache's UNIQUE_ID, so that its log and ours can be read together;
 * none rather than one that could not stand in a log. */
static const char *
read_id(const char *const values[PARAM_COUNT])
{
	const char *id = values[REQUEST_ID] != NULL ? values[REQUEST_ID] : values[UNIQUE_ID];

	if (id == NULL || strlen(id) >= LIMIT_REQUEST_ID ||
	    strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-") !=
		strlen(id))
		return "";
	return id;
}

int
request_read(
    struct request *r, const struct gateway *g, const struct config *config, struct error *e)
{
	const char *values[PARAM_COUNT] = {0};
	const char *length;

	*r = (struct request){.id = "", .since = r->since};
	if (collect(values, g->params, e) == -1)
		return -1;
	if (g->peer == NULL) /* a local process could take another request's */
		r->id = read_id(values);
	r->authorization = values[HTTP_AUTHORIZATION];
	r->required = values[AUTHSERVER_GROUPS];
	if (g->scope == SCOPE_AUTHORIZER) { /* the rest is not about us */
		r->path = "authorizer";
		r->query = "";
		return 0;
	}
	r->path = values[PATH_INFO]; /* for the log, whatever comes next */
	r->if_none_match = values[HTTP_IF_NONE_MATCH];
	/* No browser speaks FastCGI to a local socket. */
	if (g->peer == NULL && !makes_nothing(r->path) && check_origin(values, config, e) == -1)
		return -1;
	if (r->path == NULL || *r->path != '/')
		return error_set(e, ERROR_NOT_FOUND,
		    "the web server sent no PATH_INFO: compare its configuration with the one "
		    "shipped");
	r->query = values[QUERY_STRING] != NULL ? values[QUERY_STRING] : "";
	r->method = read_method(values[REQUEST_METHOD]);
	r->media = read_accept(values[HTTP_ACCEPT]);
	r->body = g->body.data;
	r->received = g->body.length;
	r->content_type = values[CONTENT_TYPE];
	length = values[CONTENT_LENGTH];
	if (length != NULL && *length != '\0' &&
	    parse_number(length, strlen(length), INT64_MAX, &r->body_length) == -1)
		return error_set(e, ERROR_MALFORMED, "Content-Length is not a number");
	if (g->body.length > r->body_length)
		r->body_length = g->body.length;
	if (g->oversize || r->body_length > LIMIT_BODY)
		return error_set(
		    e, ERROR_TOO_LARGE, "the body is larger than %d bytes", LIMIT_BODY);
	if (g->scope == SCOPE_VERIFICATION)
		return 0;
	r->remote_user = values[REMOTE_USER];
	if (g->peer != NULL)
		return principal_peer(&r->caller, g->peer, e);
	return principal_read(
	    &r->caller, values[REMOTE_USER], values[AUTH_TYPE], &config->realms, e);
}

int
request_whole(const struct request *r, struct error *e)
{
	if (r->received >= r->body_length)
		return 0;
	return error_set(e, ERROR_MALFORMED,
	    "the body ended after %zu bytes of the %" PRIu64 " of its Content-Length",
	    r->received, r->body_length);
}

static int
set_ttl(struct mint_query *m, const char *value, size_t length)
{
	return m->ttl != 0 ? -1 : parse_duration(value, length, &m->ttl);
}

static int
set_audience(struct mint_query *m, const char *value, size_t length)
{
	if (*m->audience != '\0' || length == 0 || !text_clean(value))
		return -1;
	memcpy(m->audience, value, length + 1);
	return 0;
}

static int
set_profile(struct mint_query *m, const char *value, size_t length)
{
	if (*m->profile != '\0' || length == 0 || length >= sizeof(m->profile) ||
	    !text_clean(value))
		return -1;
	memcpy(m->profile, value, length + 1);
	return 0;
}

int
request_mint_query(const char *query, struct mint_query *m, struct error *e)
{
	static const struct {
		const char *name;
		int (*set)(struct mint_query *m, const char *value, size_t length);
		const char *example;
	} known[] = {{"ttl", set_ttl, "90s, 15m or 24h"}, {"audience", set_audience, "okera"},
	    {"profile", set_profile, "slurm"}};
	enum { KNOWN = sizeof(known) / sizeof(known[0]) };
	char value[LIMIT_AUDIENCE];

	*m = (struct mint_query){0};
	if (strlen(query) >= LIMIT_QUERY)
		return error_set(e, ERROR_MALFORMED, "the query is too long");
	while (*query != '\0') {
		size_t length = strcspn(query, "&");
		size_t name = strcspn(query, "=&");
		int size = -1;
		size_t i = 0;

		while (i < KNOWN && (strncmp(known[i].name, query, name) != 0 ||
					known[i].name[name] != '\0'))
			i++;
		if (i == KNOWN || name == 0 || query[name] != '=')
			return error_set(e, ERROR_MALFORMED,
			    "unknown query parameter: ttl=DURATION, audience=TEXT and "
			    "profile=NAME exist");
		size = form_decode(value, sizeof(value), query + name + 1, length - name - 1);
		if (size == -1 || known[i].set(m, value, (size_t)size) == -1)
			return error_set(e, ERROR_MALFORMED,
			    "query parameter %s: once, and with a value such as %s",
			    known[i].name, known[i].example);
		query += length;
		if (*query == '&' && *++query == '\0')
			return error_set(e, ERROR_MALFORMED, "the query ends in &");
	}
	return 0;
}
