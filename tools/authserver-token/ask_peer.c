/* The local socket of authserver.fcgi, where the kernel says who is asking. */
#include <stdio.h>
#include <string.h>

#include "tools/authserver-token/ask.h"
#include "tools/authserver-token/fastcgi.h"

int
ask_peer(struct buffer *body, const struct request *r, struct error *e)
{
	char path[LIMIT_SUBJECT + 1];
	const struct param params[] = {
	    {"GATEWAY_INTERFACE", "CGI/1.1"},
	    {"REQUEST_METHOD", "GET"},
	    {"PATH_INFO", path},
	    {"QUERY_STRING", r->query.data},
	    {"HTTP_HOST", "localhost"},
	    {"HTTP_ACCEPT", r->file ? "text/plain" : "application/jwt"},
	};
	struct answer answer;
	int rc = 0;

	(void)snprintf(path, sizeof(path), "/%s", r->subject);
	if (fastcgi_ask(&answer, r->socket, params, sizeof(params) / sizeof(params[0]),
		r->timeout, e) == -1)
		return -1;
	if (answer.status != 200)
		rc = ask_refused(answer.status, answer.body, e);
	else if (buffer_append(body, answer.body, strlen(answer.body)) == -1)
		rc = error_set(e, ERROR_UNAVAILABLE, "the answer is too long for a token");
	fastcgi_free(&answer);
	return rc;
}
