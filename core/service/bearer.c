#define _GNU_SOURCE /* strdup */
#include "service/bearer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "service/check.h"

/* What is said beside 401 and 403 (RFC 6750, 3): no token came, it is bad, it has too little.
 */
#define MISSING "Bearer realm=\"authserver\""
#define INVALID MISSING ", error=\"invalid_token\""
#define INSUFFICIENT MISSING ", error=\"insufficient_scope\""

/* The token, NULL when there is none: another scheme, or none at all. */
static const char *
find_token(const struct request *r)
{
	static const char scheme[] = "Bearer ";
	const char *field = r->authorization;

	if (field == NULL || strncasecmp(field, scheme, strlen(scheme)) != 0)
		return NULL;
	return field + strlen(scheme) + strspn(field + strlen(scheme), " ");
}

static void
refuse(struct service *s, struct gateway *g, const struct request *r, const struct error *e)
{
	struct outcome o = {0};

	if (e->code == ERROR_DENIED)
		o.challenge = INSUFFICIENT;
	else if (e->code == ERROR_UNAUTHENTICATED)
		o.challenge = find_token(r) == NULL ? MISSING : INVALID;
	service_refuse(s, g, r, &o, e);
}

static void
checked(struct check *c, const struct verified *v, const struct error *failure)
{
	bearer_endpoint *then = (bearer_endpoint *)c->context;
	struct error e = *failure;

	if (v == NULL || then(c->gateway, &c->request, v, &e) == -1)
		refuse(c->service, c->gateway, &c->request, &e);
}

int
bearer_verify(struct service *s, struct gateway *g, const struct request *r,
    bearer_endpoint *then, struct error *e)
{
	struct check c = {.service = s,
	    .gateway = g,
	    .request = *r,
	    .context = (void (*)(void))then,
	    .then = checked};
	const char *token = find_token(r);

	if (token == NULL) {
		error_set(e, ERROR_UNAUTHENTICATED,
		    "a token is missing: send Authorization: Bearer TOKEN");
		refuse(s, g, r, e);
		return 0;
	}
	c.token = strdup(token);
	if (c.token == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	return check_token(&c, e);
}
