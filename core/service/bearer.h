/* Requests that show a token (RFC 6750). For the files of this folder. */
#ifndef SERVICE_BEARER_H
#define SERVICE_BEARER_H

#include "jose/verifier.h"
#include "service/internal.h"

/* Answers a request whose token is good; one that is not was refused before. 0, or -1 and *e.
 */
typedef int bearer_endpoint(
    struct gateway *g, const struct request *r, const struct verified *v, struct error *e);

/* Verifies the token of the request (RFC 6750, 2.1), and lets then answer it. As an endpoint:
 * 0 when g is or will be answered, else -1 and *e. */
int bearer_verify(struct service *s, struct gateway *g, const struct request *r,
    bearer_endpoint *then, struct error *e);

#endif
