/* A request with a token: whether that is good, before the endpoint gets it. For the files of
 * this folder. */
#ifndef SERVICE_BEARER_H
#define SERVICE_BEARER_H

#include "jose/verifier.h"
#include "service/internal.h"

/* What is said beside 401 and 403 where a token is wanted (RFC 6750, 3): none came, one that
 * has too little, a bad one. */
#define BEARER_MISSING "Bearer realm=\"authserver\""
#define BEARER_INSUFFICIENT "Bearer realm=\"authserver\", error=\"insufficient_scope\""
#define BEARER_INVALID "Bearer realm=\"authserver\", error=\"invalid_token\""

/* Answers a request whose token was verified; a token that is not good was refused before. */
typedef int bearer_endpoint(struct service *s, struct gateway *g, const struct request *r,
    const struct verified *v, struct error *e);

/*
 * Verifies the token of the request (RFC 6750, 2.1), maybe after asking the signer for the
 * public keys, and then lets then answer it. As an endpoint: returns 0 when g is or will be
 * answered, else -1 and *e.
 */
int bearer_verify(struct service *s, struct gateway *g, const struct request *r,
    bearer_endpoint *then, struct error *e);

/* Answers with 401 or what else *e is, and the challenge that goes with it. */
void bearer_refuse(
    struct service *s, struct gateway *g, const struct request *r, const struct error *e);

#endif
