/*
 * One request as it comes from a web server, whichever protocol brought it. An adapter
 * (fcgi/, cgi/) fills one and hands it to service_handle(); nothing here knows libfcgi
 * or an environment.
 */
#ifndef SERVICE_GATEWAY_H
#define SERVICE_GATEWAY_H

#include <stdbool.h>

#include "service/response.h"

struct gateway {
	/* "NAME=value" strings as RFC 3875, 4.1 names them, NULL at the end; they must
	 * stay as they are until respond is called. */
	char *const *params;
	/* The body is over LIMIT_BODY, whatever CONTENT_LENGTH says. */
	bool oversize;
	/* Called exactly once a request, maybe before service_handle() returns; the
	 * response is valid during the call. */
	void (*respond)(struct gateway *g, const struct response *r);
};

#endif
