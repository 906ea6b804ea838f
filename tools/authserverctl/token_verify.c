#include "tools/authserverctl/token_verify.h"

#include <string.h>

#include "base/clock.h"
#include "base/owner.h"
#include "identity/lookup_process.h"
#include "jose/key_memory.h"
#include "jose/keyring.h"
#include "jose/verifier.h"
#include "service/trust.h"
#include "signer/signing.h"
#include "store/revocations.h"

/* Whoever may run this may know what the service tells nobody but its log. */
static int
tell_why(struct error *e)
{
	const struct error why = *e;

	if (why.code != ERROR_UNAUTHENTICATED)
		return -1;
	return error_set(e, ERROR_DENIED, "%s: %s", why.text, why.detail);
}

/* Our own keys as the service publishes them now, if there are any. */
static int
add_own(struct verifier *v, const struct config *c, int64_t now, struct error *e)
{
	const struct keyring_source source = signing_keys(c);
	struct keyring *ring = NULL;
	struct buffer json;
	int64_t fresh;
	int rc;

	if (source.path == NULL)
		return 0;
	if (owner_enter(source.path, e) == -1)
		return -1;
	(void)key_memory_lock(source.path);
	rc = keyring_open(&ring, &source, e);
	owner_leave();
	buffer_init(&json, LIMIT_JWK_SET);
	if (rc == 0)
		rc = keyring_publish(ring, now, &json, &fresh, e);
	if (rc == 0)
		rc = verifier_set_own(v, json.data, json.length, e);
	buffer_free(&json);
	keyring_free(ring);
	return rc;
}

static int
check_some(const struct config *c, const struct verifier *v, struct error *e)
{
	if (c->private_key != NULL || verifier_count(v) > 1)
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "no key to verify with: give private-key, jwt-public-key or a section verify");
}

/* What became of the token. */
struct verdict {
	json_t *claims; /* NULL: not valid */
	struct token_owner *owner;
	struct error e;
};

static void
judged(void *context, const struct verified *verified, const struct error *failure)
{
	struct verdict *d = context;

	d->e = *failure;
	if (verified == NULL) {
		tell_why(&d->e);
		return;
	}
	d->claims = json_incref(verified->claims);
	/* shorter than LIMIT_PRINCIPAL: claims_check() */
	memcpy(d->owner->user, verified->user, strlen(verified->user) + 1);
	d->owner->party = verified->own ? NULL : verified->party;
}

/* The keys that are at a URL a resolver fetches, if the token needs them. */
static json_t *
judge(const struct flags *flags, const struct config *c, struct verifier *v,
    const struct buffer *token, struct token_owner *owner, struct error *e)
{
	struct lookup_process lookup;
	struct verdict d = {.owner = owner};
	struct trust *trust;

	if (trust_open(&trust, v, &clock_system, e) == -1)
		return NULL;
	lookup_process_init(&lookup, flags, c);
	trust_set_lookup(trust, &lookup.lookup);
	trust_judge(trust, token->data, token->length, judged, &d);
	lookup_process_end(&lookup);
	trust_free(trust);
	*e = d.e;
	return d.claims;
}

json_t *
token_verify(const struct flags *flags, const struct config *c, const struct buffer *token,
    struct token_owner *owner, struct error *e)
{
	const struct verifier_source source = {.config = c};
	int64_t now = clock_realtime(&clock_system) / NANOSECONDS;
	struct verifier *v = NULL;
	json_t *claims = NULL;

	if (verifier_open(&v, &source, e) == 0 && check_some(c, v, e) == 0 &&
	    add_own(v, c, now, e) == 0)
		claims = judge(flags, c, v, token, owner, e);
	verifier_free(v);
	return claims;
}

int
token_check_revoked(const struct config *c, const json_t *claims,
    const struct token_owner *owner, const struct buffer *token, struct error *e)
{
	const struct revocation_subject t =
	    revocation_subject_of(claims, owner->user, token->data, owner->party);
	struct state *s = NULL;
	int rc;

	if (c->state == NULL)
		return 0;
	if (owner_enter(c->state, e) == -1)
		return -1;
	rc = state_find(&s, c->state, e);
	if (rc == 0)
		rc = revocation_check(s, &t, e);
	state_close(s);
	owner_leave();
	return rc == 0 ? 0 : tell_why(e);
}
