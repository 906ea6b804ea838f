/*
 * service/request: who is asking, from where, for what. Input: a byte that says by which way
 * the request comes, and its params, a line each.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "service/request.h"
#include "tests/fuzz/fuzz.h"

enum { PARAMS = 64 };

static char *hosts[] = {"localhost", "127.0.0.1", "[::1]"};
static char *realms[] = {"EXAMPLE.COM"};
static const struct config config = {.hosts = {hosts, 3}, .realms = {realms, 1}};

/* The value, NULL when there is none; it must be there once. */
static const char *
find(char *const *params, const char *name)
{
	const char *found = NULL;

	for (; *params != NULL; params++) {
		if (strncmp(*params, name, strlen(name)) != 0 || (*params)[strlen(name)] != '=')
			continue;
		REQUIRE(found == NULL);
		found = *params + strlen(name) + 1;
	}
	return found;
}

/* What DNS rebinding and web pages are kept out by. */
static void
check_browser(char *const *params)
{
	const char *host = find(params, "HTTP_HOST");
	const char *site = find(params, "HTTP_SEC_FETCH_SITE");
	bool listed = false;

	REQUIRE(host != NULL && find(params, "HTTP_ORIGIN") == NULL);
	for (size_t i = 0; i < config.hosts.count; i++) {
		size_t length = strlen(hosts[i]);

		listed = listed || (strncasecmp(host, hosts[i], length) == 0 &&
				       (host[length] == '\0' || host[length] == ':'));
	}
	REQUIRE(listed);
	REQUIRE(site == NULL || strcmp(site, "none") == 0 || strcmp(site, "same-origin") == 0);
}

static void
check_caller(const struct request *r, const struct gateway *g)
{
	const char *user = find(g->params, "REMOTE_USER");
	const char *type = find(g->params, "AUTH_TYPE");
	const struct principal *p = &r->caller;

	REQUIRE(*p->name != '\0' && strlen(p->name) < sizeof(p->name) && text_clean(p->name));
	if (g->peer != NULL) {
		REQUIRE(strcmp(p->scheme, "peer") == 0 && strcmp(p->name, g->peer) == 0);
		return;
	}
	if (!principal_authenticated(p)) {
		REQUIRE(strcmp(p->name, "anonymous") == 0 && (type == NULL || *type == '\0'));
		return;
	}
	REQUIRE(user != NULL && type != NULL && *type != '\0' && strcmp(p->scheme, type) == 0);
	REQUIRE(strcmp(type, "peer") != 0 && strncmp(type, "token:", 6) != 0);
	/* It is the user's name, or that and a realm which is cut. */
	REQUIRE(strncmp(user, p->name, strlen(p->name)) == 0);
	REQUIRE(user[strlen(p->name)] == '\0' ||
		strcmp(user + strlen(p->name), "@EXAMPLE.COM") == 0);
	REQUIRE(strrchr(user, '@') == NULL || user[strlen(p->name)] == '@');
}

static void
check_accepted(const struct request *r, const struct gateway *g)
{
	REQUIRE(*r->path == '/' && r->path == find(g->params, "PATH_INFO"));
	REQUIRE(strlen(r->id) < LIMIT_REQUEST_ID && strpbrk(r->id, " \"\\\r\n") == NULL);
	REQUIRE(r->body_length <= LIMIT_BODY && r->received <= r->body_length);
	if (g->peer == NULL && strncmp(r->path, "/-/", 3) != 0 &&
	    strstr(r->path, "/.well-known/") == NULL && strcmp(r->path, "/api/validate") != 0 &&
	    strcmp(r->path, "/api/authorize") != 0)
		check_browser(g->params);
	if (g->scope == SCOPE_ALL)
		check_caller(r, g);
	else
		REQUIRE(!principal_authenticated(&r->caller));
}

static void
check_query(const char *query)
{
	struct mint_query m;
	struct error e = {0};

	if (request_mint_query(query, &m, &e) == -1) {
		REQUIRE(e.code == ERROR_MALFORMED);
		fuzz_require_error(&e);
		return;
	}
	REQUIRE(m.ttl >= 0 && m.ttl <= 3653LL * 24 * 60 * 60);
	REQUIRE(strlen(m.audience) < sizeof(m.audience) && text_clean(m.audience));
	REQUIRE(strlen(m.profile) < sizeof(m.profile) && text_clean(m.profile));
	/* Nothing is passed over. */
	REQUIRE((strstr(query, "ttl=") != NULL) == (m.ttl > 0) || m.ttl == 0);
	REQUIRE(m.ttl > 0 || *m.audience != '\0' || *m.profile != '\0' || *query == '\0');
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	uint8_t way = fuzz_byte(&in);
	char *params[PARAMS + 1] = {0};
	struct gateway g = {.params = params,
	    .peer = (way & 1) != 0 ? "alice" : NULL,
	    .scope = (enum gateway_scope)(way >> 1 & 3),
	    .oversize = (way & 8) != 0};
	struct request r = {0};
	struct error e = {0};

	for (size_t i = 0; i < PARAMS && in.left > 0; i++)
		params[i] = fuzz_line(&in);
	if (g.scope <= SCOPE_AUTHORIZER && request_read(&r, &g, &config, &e) == -1) {
		REQUIRE(e.code <= ERROR_TOO_LARGE);
		fuzz_require_error(&e);
	} else if (g.scope < SCOPE_AUTHORIZER) {
		check_accepted(&r, &g);
		check_query(r.query);
	} else if (g.scope == SCOPE_AUTHORIZER) {
		REQUIRE(!principal_authenticated(&r.caller) && *r.query == '\0');
	}
	for (size_t i = 0; params[i] != NULL; i++)
		free(params[i]);
}

const struct fuzz_target fuzz_request = {.name = "request", .run = run};
