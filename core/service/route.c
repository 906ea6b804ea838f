#include <string.h>
#include <strings.h>

#include "service/internal.h"

/* Paths of two and more components. One component is a subject, so that no user name
 * can collide with an endpoint. */
static const struct {
	const char *path;
	unsigned int methods;
	endpoint *endpoint;
} routes[] = {
    {"/.well-known/jwks.json", METHOD_GET, keys_endpoint},
    {"/.well-known/oauth-authorization-server", METHOD_GET, metadata_endpoint},
    {"/.well-known/openid-configuration", METHOD_GET, metadata_endpoint},
    {"/api/validate", METHOD_POST, validate_endpoint},
    {"/api/authorize", METHOD_GET, authorize_endpoint},
    {"/api/get-user", METHOD_GET, user_endpoint},
    {"/oauth2/token", METHOD_POST, token_endpoint},
    {"/oauth2/revoke", METHOD_POST, revoke_endpoint},
    {"/api/token", METHOD_POST, password_endpoint},
    {"/api/get-token", METHOD_POST, get_token_endpoint},
    {"/api/health-authenticated", METHOD_GET, authenticated_endpoint},
    {"/oauth2/introspect", METHOD_POST, introspect_endpoint},
    {"/-/healthy", METHOD_GET, health_endpoint},
    {"/-/ready", METHOD_GET, ready_endpoint},
};

/* With a name behind them, which is the last component. */
static const char groups_of[] = "/api/groups/";

static const char well_known[] = "/.well-known/";

static bool
starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

int
route_issuer_path(char path[LIMIT_ISSUER], const char *issuer)
{
	static const char *const schemes[] = {"https://", "http://"};
	size_t i = 0;
	size_t length;

	*path = '\0';
	while (i < 2 && strncasecmp(issuer, schemes[i], strlen(schemes[i])) != 0)
		i++;
	if (i == 2 || strpbrk(issuer, "?#") != NULL)
		return -1;
	issuer += strlen(schemes[i]);
	if (*issuer == '/' || *issuer == '\0')
		return -1;
	issuer += strcspn(issuer, "/");
	length = strlen(issuer);
	if (length >= LIMIT_ISSUER)
		return -1;
	while (length > 0 && issuer[length - 1] == '/')
		length--;
	memcpy(path, issuer, length);
	path[length] = '\0';
	return 0;
}

/* Whether path is the well-known path wanted, with the issuer's path before or behind it. */
static bool
is_of_issuer(const char *path, const char *wanted, const char *issuer_path)
{
	size_t length = strlen(wanted);

	if (*issuer_path == '\0' || !starts(wanted, well_known))
		return false;
	if (starts(path, wanted))
		return strcmp(path + length, issuer_path) == 0;
	return starts(path, issuer_path) && strcmp(path + strlen(issuer_path), wanted) == 0;
}

endpoint *
route_find(const char *path, const char *issuer_path, unsigned int *methods)
{
	if (strchr(path + 1, '/') == NULL) {
		*methods = METHOD_GET | METHOD_POST;
		return mint_endpoint;
	}
	if (starts(path, groups_of) && strchr(path + strlen(groups_of), '/') == NULL) {
		*methods = METHOD_GET;
		return groups_endpoint;
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].path, path) == 0 ||
		    is_of_issuer(path, routes[i].path, issuer_path)) {
			*methods = routes[i].methods;
			return routes[i].endpoint;
		}
	}
	return NULL;
}

bool
route_verifies(endpoint *found)
{
	return found == validate_endpoint || found == authorize_endpoint;
}

bool
route_speaks_json(const char *path)
{
	return path != NULL && (starts(path, "/api/") || starts(path, "/oauth2/"));
}

const char *
route_allow(unsigned int methods)
{
	static const char *const allow[] = {
	    [METHOD_GET] = "GET",
	    [METHOD_POST] = "POST",
	    [METHOD_GET | METHOD_POST] = "GET, POST",
	};

	return allow[methods];
}
