/*
 * One request on one connection, lent to libfcgi: it decodes the params and frames the
 * response. It is given only requests that framing_scan() has seen, and never the
 * chance to accept, to close or to wait.
 */
#ifndef FCGI_EXCHANGE_H
#define FCGI_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "service/service.h"

/* Where libfcgi reads a request that did not arrive in one piece. */
struct bridge {
	int in;  /* what is sent here */
	int out; /* is read there */
};

/* A request that waits to be taken. */
struct arrival {
	int fd;           /* its connection, non-blocking unless it is TCP */
	const char *peer; /* the local account that sent it; NULL: a web server */
	enum gateway_scope scope;
	bool oversize;     /* the body is longer than it may be, and is not read */
	const void *bytes; /* the whole request; NULL: it still lies in the socket */
	size_t length;
};

/* Called once an exchange is over: whether the connection can carry another one. If not,
 * its descriptor is closed already. */
typedef void exchange_done(void *context, bool usable);

/* Once in the process, before the first exchange. 0, or -1 and errno. */
int exchange_init(struct bridge *b);

/* After the last one. */
void exchange_end(const struct bridge *b);

/*
 * Takes the request and hands it to the service. done is called exactly once, maybe
 * before this returns; until then a->fd belongs to the exchange. *b may change.
 */
void exchange_start(struct service *s, struct bridge *b, const struct arrival *a,
    exchange_done *done, void *context);

#endif
