/*
 * One request on one connection, lent to libfcgi: it decodes the params and frames the
 * response. It is given only requests that framing_scan() has seen, and never the
 * chance to accept, to close or to wait.
 */
#ifndef FCGI_EXCHANGE_H
#define FCGI_EXCHANGE_H

#include <stdbool.h>

#include "service/service.h"

/* Called once an exchange is over: whether the connection can carry another one. If not,
 * its descriptor is closed already. */
typedef void exchange_done(void *context, bool usable);

/* Once in the process, before the first exchange. 0, or -1. */
int exchange_init(void);

/*
 * Takes the request that waits on fd and hands it to the service. done is called
 * exactly once, maybe before this returns; until then fd belongs to the exchange.
 * oversize: the body is longer than it may be, and is not read.
 */
void exchange_start(
    struct service *s, int fd, bool oversize, exchange_done *done, void *context);

#endif
