/* GET /-/healthy: the process answers. */
#include "service/internal.h"

int
health_endpoint(struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	struct response response;

	(void)s;
	(void)r;
	response_init(&response, "text/plain; charset=utf-8");
	if (buffer_printf(&response.body, "ok\n") == -1)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	g->respond(g, &response);
	response_free(&response);
	return 0;
}
