#include <string.h>

#include "service/internal.h"

/* Paths of two and more components. One component is a subject, so that no user name
 * can collide with an endpoint. */
static const struct {
	const char *path;
	unsigned int methods;
	endpoint *endpoint;
} routes[] = {
    {"/-/healthy", METHOD_GET, health_endpoint},
};

endpoint *
route_find(const char *path, unsigned int *methods)
{
	if (strchr(path + 1, '/') == NULL) {
		*methods = METHOD_GET | METHOD_POST;
		return mint_endpoint;
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].path, path) == 0) {
			*methods = routes[i].methods;
			return routes[i].endpoint;
		}
	}
	return NULL;
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
