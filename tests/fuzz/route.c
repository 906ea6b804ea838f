/*
 * service/route: which endpoint a path leads to, and what an issuer's path is. Input: the path
 * and the issuer, a line each. The endpoints themselves are none here.
 */
#include <stdlib.h>
#include <string.h>

#include "service/internal.h"
#include "tests/fuzz/fuzz.h"

#define ENDPOINT(name)                                                                      \
	int name(                                                                           \
	    struct service *s, struct gateway *g, const struct request *r, struct error *e) \
	{                                                                                   \
		(void)s;                                                                    \
		(void)g;                                                                    \
		(void)r;                                                                    \
		return error_set(e, ERROR_INTERNAL, #name);                                 \
	}

ENDPOINT(mint_endpoint)
ENDPOINT(health_endpoint)
ENDPOINT(ready_endpoint)
ENDPOINT(keys_endpoint)
ENDPOINT(metadata_endpoint)
ENDPOINT(groups_endpoint)
ENDPOINT(validate_endpoint)
ENDPOINT(user_endpoint)
ENDPOINT(authorize_endpoint)
ENDPOINT(introspect_endpoint)
ENDPOINT(token_endpoint)
ENDPOINT(password_endpoint)
ENDPOINT(revoke_endpoint)
ENDPOINT(get_token_endpoint)
ENDPOINT(authenticated_endpoint)

static size_t
components(const char *path)
{
	size_t count = 0;

	for (; *path != '\0'; path++)
		count += *path == '/';
	return count;
}

static void
check_found(const char *path, const char *issuer_path)
{
	unsigned int methods = 0;
	endpoint *found = route_find(path, issuer_path, &methods);

	/* One component is a subject, and nothing else ever is. */
	REQUIRE((components(path) == 1) == (found == mint_endpoint));
	if (found == NULL)
		return;
	REQUIRE(route_allow(methods) != NULL);
	/* What is verified on its own address is nothing that makes a token. */
	REQUIRE(!route_verifies(found) || strncmp(path, "/api/", 5) == 0);
	if (found == groups_endpoint)
		REQUIRE(strncmp(path, "/api/groups/", 12) == 0 && components(path) == 3);
	if (found != keys_endpoint && found != metadata_endpoint)
		REQUIRE(strstr(path, "/.well-known/") == NULL || components(path) == 1 ||
			found == groups_endpoint);
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	char *line = fuzz_line(&in);
	char *issuer = fuzz_line(&in);
	char issuer_path[LIMIT_ISSUER];
	struct error e;

	if (route_issuer_path(issuer_path, issuer) == 0) {
		REQUIRE(strlen(issuer_path) < LIMIT_ISSUER);
		REQUIRE(*issuer_path == '\0' || *issuer_path == '/');
		REQUIRE(strstr(issuer, issuer_path) != NULL);
		REQUIRE(strpbrk(issuer_path, "?#") == NULL);
		REQUIRE(*issuer_path == '\0' || issuer_path[strlen(issuer_path) - 1] != '/');
	} else {
		REQUIRE(*issuer_path == '\0');
	}
	/* request_read() lets no other through. */
	if (*line == '/') {
		check_found(line, issuer_path);
		(void)route_speaks_json(line);
		REQUIRE(mint_endpoint(NULL, NULL, NULL, &e) == -1);
	}
	free(line);
	free(issuer);
}

const struct fuzz_target fuzz_route = {.name = "route", .run = run};
