/*
 * One request as it comes from a web server, whichever protocol brought it. An adapter
 * (fcgi/, cgi/) fills one and hands it to service_handle(); nothing here knows libfcgi
 * or an environment.
 */
#ifndef SERVICE_GATEWAY_H
#define SERVICE_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "service/response.h"

/* What may be asked for, by where it comes from. */
enum gateway_scope {
	SCOPE_ALL,
	SCOPE_VERIFICATION, /* whether a token is good, and nothing else; nobody is the caller
			     */
	SCOPE_AUTHORIZER,   /* the same, of an authorizer (FastCGI specification 1.0, 6.3): the
			       params are those of the request that is to be judged */
};

struct gateway {
	/* "NAME=value" strings as RFC 3875, 4.1 names them, NULL at the end; they must
	 * stay as they are until respond is called. */
	char *const *params;
	/* The Unix account at the other end of the connection, as the kernel says it: then it
	 * is the caller, and no param is. NULL: the params say who the caller is. */
	const char *peer;
	enum gateway_scope scope;
	/* What the adapter saw of the body, whatever CONTENT_LENGTH says; oversize: it is more
	 * than LIMIT_BODY, and not all of it is here. To stay as it is as params do. */
	struct buffer body;
	bool oversize;
	/* Called exactly once a request, maybe before service_handle() returns; the
	 * response is valid during the call. Whether the web server has taken all of it. */
	bool (*respond)(struct gateway *g, const struct response *r);
};

#endif
