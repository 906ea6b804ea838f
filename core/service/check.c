#include "service/check.h"

#include <stdlib.h>
#include <string.h>

#include "store/revocations.h"

enum {
	OWN_FRESH = 10
}; /* seconds that our own public keys are used before they are asked for */

static int
check_revoked(
    const struct service *s, const struct verified *v, const char *token, struct error *e)
{
	const struct revocation_subject t =
	    revocation_subject_of(v->claims, v->user, token, v->own ? NULL : v->party);

	return s->state == NULL ? 0 : revocation_check(s->state, &t, e);
}

static void
end(struct check *c)
{
	free(c->token);
	free(c);
}

static void
judged(void *context, const struct verified *v, const struct error *e)
{
	struct check *c = context;
	struct error failure = *e;
	int rc = v == NULL ? -1 : check_revoked(c->service, v, c->token, &failure);

	c->then(c, rc == 0 ? v : NULL, &failure);
	end(c);
}

static void
judge(struct check *c)
{
	trust_judge(c->service->trust, c->token, strlen(c->token), judged, c);
}

/* Without an answer of the signer our own keys that we have go on to be used. */
static void
keys_known(void *context, const struct signature *set, const struct error *failure)
{
	struct check *c = context;
	struct service *s = c->service;
	struct error e = *failure;

	if (set != NULL && verifier_set_own(s->verifier, set->token, set->length, &e) == 0)
		s->own_until = clock_monotonic(s->parts.clock) + OWN_FRESH * NANOSECONDS;
	if (s->own_until == 0)
		judged(c, NULL, &e);
	else
		judge(c);
}

int
check_token(const struct check *c, struct error *e)
{
	struct service *s = c->service;
	struct check *kept = malloc(sizeof(*kept));

	if (kept == NULL) {
		free(c->token);
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	}
	*kept = *c;
	if (clock_monotonic(s->parts.clock) < s->own_until) {
		judge(kept);
		return 0;
	}
	if (signer_publish(s->parts.signer, keys_known, kept, e) == 0)
		return 0;
	end(kept);
	return -1;
}
