/* The URL that is asked. For ask_http.c. */
#ifndef TOOLS_AUTHSERVER_TOKEN_URL_H
#define TOOLS_AUTHSERVER_TOKEN_URL_H

#include "tools/authserver-token/request.h"

enum { LIMIT_URL = LIMIT_PATH + 4 * LIMIT_SUBJECT + LIMIT_QUERY };

/*
 * Appends the URL for r, and says whether it is one of this host. ERROR_CONFIG: it is neither
 * http nor https, has a user name, a password, a query or a fragment, or is http of another
 * host, which r does not accept.
 */
int url_write(struct buffer *to, bool *loopback, const struct request *r, struct error *e);

#endif
