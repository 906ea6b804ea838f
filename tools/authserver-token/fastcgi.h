/* One request over a Unix socket that speaks FastCGI 1.0, from the web server's side of it. */
#ifndef TOOLS_AUTHSERVER_TOKEN_FASTCGI_H
#define TOOLS_AUTHSERVER_TOKEN_FASTCGI_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

struct param {
	const char *name;
	const char *value;
};

/* What a CGI program answers (RFC 3875, 6). */
struct answer {
	int status;           /* an HTTP status code */
	struct buffer output; /* header fields and body, as they came */
	const char *body;     /* in output, NUL-terminated */
};

/*
 * Sends a request without a body to the socket at path and waits for the answer, for at most
 * seconds. 0 and *a, to be freed with fastcgi_free(); or -1 and ERROR_UNAVAILABLE, and then
 * there is nothing to free.
 */
int fastcgi_ask(struct answer *a, const char *path, const struct param *params, size_t count,
    int seconds, struct error *e);
void fastcgi_free(struct answer *a);

/* The second half of that: takes the answer from the connection. */
int fastcgi_receive(struct answer *a, int fd, struct error *e);

#endif
