#include "service/bearer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	OWN_FRESH = 10
}; /* seconds that our own public keys are used before they are asked for */

/* A request that waits for the public keys. */
struct bearer {
	struct service *service;
	struct gateway *gateway;
	struct request request;
	const char *token; /* in a param */
	bearer_endpoint *then;
};

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

void
bearer_refuse(
    struct service *s, struct gateway *g, const struct request *r, const struct error *e)
{
	struct outcome o = {0};

	if (e->code == ERROR_DENIED)
		o.challenge = BEARER_INSUFFICIENT;
	else if (e->code == ERROR_UNAUTHENTICATED)
		o.challenge = find_token(r) == NULL ? BEARER_MISSING : BEARER_INVALID;
	service_refuse(s, g, r, &o, e);
}

static void
verify(const struct bearer *b)
{
	struct service *s = b->service;
	struct verified v = {0};
	struct error e = {0};
	int64_t now = clock_realtime(s->parts.clock) / NANOSECONDS;
	int rc = verifier_verify(s->verifier, b->token, strlen(b->token), now, &v, &e);

	if (rc == 0)
		rc = b->then(s, b->gateway, &b->request, &v, &e);
	if (rc == -1)
		bearer_refuse(s, b->gateway, &b->request, &e);
	verified_free(&v);
}

/* Without an answer of the signer the keys that we have go on to be used. */
static void
keys_known(void *context, const struct signature *set, const struct error *failure)
{
	struct bearer *b = context;
	struct service *s = b->service;
	struct error e = *failure;

	if (set != NULL && verifier_set_own(s->verifier, set->token, set->length, &e) == 0)
		s->own_until = clock_monotonic(s->parts.clock) + OWN_FRESH * NANOSECONDS;
	if (s->own_until == 0)
		bearer_refuse(s, b->gateway, &b->request, &e);
	else
		verify(b);
	free(b);
}

int
bearer_verify(struct service *s, struct gateway *g, const struct request *r,
    bearer_endpoint *then, struct error *e)
{
	struct bearer now = {.service = s, .gateway = g, .request = *r, .then = then};
	struct bearer *later;

	now.token = find_token(r);
	if (now.token == NULL) {
		error_set(e, ERROR_UNAUTHENTICATED,
		    "a token is missing: send Authorization: Bearer TOKEN");
		bearer_refuse(s, g, r, e);
		return 0;
	}
	if (clock_monotonic(s->parts.clock) < s->own_until) {
		verify(&now);
		return 0;
	}
	later = malloc(sizeof(*later));
	if (later == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	*later = now;
	if (signer_publish(s->parts.signer, keys_known, later, e) == 0)
		return 0;
	free(later);
	return -1;
}
