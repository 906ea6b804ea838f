#include "signer/signing.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/text.h"
#include "jose/jws.h"

enum { JTI_BYTES = 16 };

int
signing_check(const struct config *c, struct error *e)
{
	if (c->issuer != NULL && (strlen(c->issuer) >= LIMIT_ISSUER || !text_clean(c->issuer)))
		return error_set(e, ERROR_CONFIG,
		    "issuer: longer than %d bytes, not UTF-8 or with control characters",
		    LIMIT_ISSUER - 1);
	if (c->private_key == NULL)
		return error_set(e, ERROR_CONFIG,
		    "no private key: give --private-key FILE, or private-key in the "
		    "configuration");
	return 0;
}

int
signing_open(struct signing *s, const struct config *c, const struct policy *p,
    const struct clock *clock, const struct entropy *entropy, struct error *e)
{
	*s = (struct signing){
	    .kid = c->kid,
	    .policy = p,
	    .issuer = c->issuer,
	    .clock = clock,
	    .entropy = entropy,
	};
	if (signing_check(c, e) == -1)
		return -1;
	if (s->issuer == NULL) {
		host_primary_address(s->address);
		s->issuer = s->address;
	}
	return key_load(&s->key, c->private_key, c->passphrase_file, c->algorithm, e);
}

void
signing_close(struct signing *s)
{
	key_free(s->key);
	s->key = NULL;
}

/* The JSON of the claims, to be freed with free(); NULL when memory is short. */
static char *
claims_build(const struct signing *s, const struct grant *g, int64_t now, const char *jti)
{
	char *text = NULL;
	json_t *claims =
	    json_pack("{s:s, s:s, s:I, s:I, s:s}", "sub", g->subject, "iss", s->issuer, "iat",
		(json_int_t)now, "exp", (json_int_t)(now + g->lifetime), "jti", jti);

	if (claims == NULL)
		return NULL;
	if (*g->audience != '\0' &&
	    json_object_set_new(claims, "aud", json_string(g->audience)) == -1)
		goto out;
	if (*g->actor != '\0' &&
	    json_object_set_new(claims, "act", json_pack("{s:s}", "sub", g->actor)) == -1)
		goto out;
	text = json_dumps(claims, JSON_COMPACT | JSON_PRESERVE_ORDER);
out:
	json_decref(claims);
	return text;
}

int
signing_mint(const struct signing *s, const struct query *q, struct buffer *token,
    int64_t *expires, struct error *e)
{
	unsigned char random[JTI_BYTES];
	struct buffer jti;
	struct grant g;
	int64_t now = clock_realtime(s->clock) / NANOSECONDS;
	char *claims = NULL;
	int rc = -1;

	if (policy_permit(s->policy, q, &g, e) == -1)
		return -1;
	buffer_init(&jti, BASE64URL_LENGTH(JTI_BYTES));
	if (entropy_fill(s->entropy, random, sizeof(random)) == -1 ||
	    base64url_append(&jti, random, sizeof(random)) == -1) {
		error_set(e, ERROR_UNAVAILABLE, "no random bytes");
		goto out;
	}
	claims = claims_build(s, &g, now, jti.data);
	if (claims == NULL) {
		error_set(e, ERROR_UNAVAILABLE, "the claims cannot be built: out of memory");
		goto out;
	}
	if (jws_sign(s->key, s->kid, claims, strlen(claims), token, e) == -1)
		goto out;
	*expires = now + g.lifetime;
	rc = 0;
out:
	free(claims);
	buffer_free(&jti);
	return rc;
}
