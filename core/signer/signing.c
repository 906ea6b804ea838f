#include "signer/signing.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/text.h"
#include "identity/required.h"
#include "jose/jws.h"
#include "signer/claims.h"

enum { JTI_BYTES = 16, HEADER_MAX = 256 };

static int
check_issuer(const struct config *c, struct error *e)
{
	if (c->issuer == NULL || (strlen(c->issuer) < LIMIT_ISSUER && text_clean(c->issuer)))
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "issuer: longer than %d bytes, not UTF-8 or with control characters",
	    LIMIT_ISSUER - 1);
}

static int
check_private_key(const struct config *c, struct error *e)
{
	if (c->private_key != NULL)
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "no private key: give --private-key FILE, or private-key in the configuration");
}

/* The i-th profile; behind the last one NULL, for tokens without one. */
static const struct profile *
profile_at(const struct config *c, size_t i)
{
	return i < c->profiles.count ? &c->profiles.items[i] : NULL;
}

int
signing_check(const struct config *c, struct error *e)
{
	struct shape shape;

	if (check_issuer(c, e) == -1 || check_private_key(c, e) == -1)
		return -1;
	for (size_t i = 0; i <= c->profiles.count; i++) {
		if (shape_open(&shape, c, profile_at(c, i), e) == -1)
			return -1;
		shape_close(&shape);
	}
	return 0;
}

static int
open_shapes(struct signing *s, const struct config *c, struct error *e)
{
	s->profiles = c->profiles.items;
	s->shapes = calloc(c->profiles.count + 1, sizeof(*s->shapes));
	if (s->shapes == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	for (; s->profile_count < c->profiles.count; s->profile_count++)
		if (shape_open(&s->shapes[s->profile_count], c,
			&c->profiles.items[s->profile_count], e) == -1)
			return -1;
	return shape_open(&s->shapes[s->profile_count], c, NULL, e);
}

static const struct shape *
find_shape(const struct signing *s, const struct profile *profile)
{
	return &s->shapes[profile == NULL ? s->profile_count : (size_t)(profile - s->profiles)];
}

/* A profile whose algorithm has no key would fail each of its requests. */
static int
check_key(const struct config *c, const struct shape *shape, const struct keyring *ring,
    int64_t now, struct error *e)
{
	if (keyring_pick(ring, shape->algorithm, now, now, e) != NULL)
		return 0;
	if (shape->profile == NULL || shape->profile->algorithm == NULL)
		return error_set(e, ERROR_CONFIG,
		    "%s: no key in it signs with %s now: set algorithm, or add one",
		    c->private_key, shape->algorithm->name);
	return error_set(e, ERROR_CONFIG,
	    "%s: profile '%s': no key signs with %s now: private-key can be a directory with "
	    "one key an algorithm",
	    shape->profile->where, shape->profile->name, shape->algorithm->name);
}

static int
check_keys(const struct signing *s, const struct config *c, struct error *e)
{
	int64_t now = clock_realtime(s->clock) / NANOSECONDS;

	for (size_t i = 0; i <= s->profile_count; i++)
		if (check_key(c, &s->shapes[i], s->ring, now, e) == -1)
			return -1;
	return 0;
}

void
signing_lint(const struct config *c, const struct keyring *ring, int64_t now, error_tell *tell,
    void *context)
{
	struct shape shape;
	struct error e;

	if (check_issuer(c, &e) == -1)
		tell(context, &e);
	if (check_private_key(c, &e) == -1)
		tell(context, &e);
	for (size_t i = 0; i <= c->profiles.count; i++) {
		if (shape_open(&shape, c, profile_at(c, i), &e) == -1) {
			tell(context, &e);
			continue;
		}
		if (ring != NULL && check_key(c, &shape, ring, now, &e) == -1)
			tell(context, &e);
		shape_close(&shape);
	}
}

struct keyring_source
signing_keys(const struct config *c)
{
	return (struct keyring_source){
	    .path = c->private_key,
	    .passphrase_file = c->passphrase_file,
	    .algorithm = c->algorithm,
	    .longest = c->lifetime,
	};
}

int
signing_open(struct signing *s, const struct config *c, const struct policy *p,
    const struct clock *clock, const struct entropy *entropy, struct error *e)
{
	const struct keyring_source source = signing_keys(c);

	*s = (struct signing){.policy = p,
	    .groups = &c->groups,
	    .issuer = c->issuer,
	    .clock = clock,
	    .entropy = entropy};
	if (s->issuer == NULL) {
		host_primary_address(s->address);
		s->issuer = s->address;
	}
	host_name(s->host);
	if (signing_check(c, e) == -1 || open_shapes(s, c, e) == -1 ||
	    (c->attributes != NULL &&
		attributes_read(&s->attributes, c->attributes, e) == -1) ||
	    keyring_open(&s->ring, &source, e) == -1 || check_keys(s, c, e) == -1) {
		signing_close(s);
		return -1;
	}
	return 0;
}

void
signing_close(struct signing *s)
{
	for (size_t i = 0; s->shapes != NULL && i <= s->profile_count; i++)
		shape_close(&s->shapes[i]);
	free(s->shapes);
	attributes_free(s->attributes);
	keyring_free(s->ring);
	s->shapes = NULL;
	s->attributes = NULL;
	s->ring = NULL;
}

static int
draw_jti(const struct signing *s, char jti[LIMIT_JTI], struct error *e)
{
	unsigned char random[JTI_BYTES];
	struct buffer text;
	int rc = -1;

	buffer_init(&text, BASE64URL_LENGTH(JTI_BYTES));
	if (entropy_fill(s->entropy, random, sizeof(random)) == 0 &&
	    base64url_append(&text, random, sizeof(random)) == 0) {
		memcpy(jti, text.data, text.length + 1);
		rc = 0;
	}
	buffer_free(&text);
	return rc == 0 ? 0 : error_set(e, ERROR_UNAVAILABLE, "no random bytes");
}

/* The subject's attribute: what an administrator wrote down comes first. */
static const char *
attribute(const struct signing *s, const char *subject, const char *name, const char *found)
{
	const char *written = attributes_get(s->attributes, subject, name);

	return *written != '\0' || found == NULL ? written : found;
}

static int
sign(const struct key *k, const struct shape *shape, const char *claims, struct buffer *token,
    struct error *e)
{
	struct buffer header;
	int rc;

	if (claims == NULL)
		return error_set(
		    e, ERROR_UNAVAILABLE, "the claims cannot be built: out of memory");
	buffer_init(&header, HEADER_MAX);
	rc = jws_header(&header, k, shape->type, shape->kid) == 0
		 ? jws_sign(k, &header, claims, strlen(claims), token, e)
		 : error_set(e, ERROR_UNAVAILABLE, "out of memory");
	buffer_free(&header);
	return rc;
}

int
signing_sign(const struct signing *s, const struct signing_order *o, struct buffer *token,
    struct signature *made, struct error *e)
{
	const struct grant *g = o->grant;
	const struct shape *shape = find_shape(s, g->profile);
	struct claim_values values = {.grant = g,
	    .caller = o->caller,
	    .groups = o->groups,
	    .issuer = s->issuer,
	    .host = s->host,
	    .email = attribute(s, g->subject, "email", o->email),
	    .space = attribute(s, g->subject, "namespace", o->space),
	    .jti = made->jti,
	    .now = clock_realtime(s->clock) / NANOSECONDS};
	const struct key *k;
	char *claims;
	int rc;

	values.expires = values.now + g->lifetime;
	if (o->not_after != 0 && values.expires > o->not_after)
		values.expires = o->not_after;
	*made = (struct signature){.expires = values.expires};
	if (values.expires <= values.now)
		return error_set(e, ERROR_GRANT, "the token that is shown has expired");
	if (shape->groups && o->groups == NULL)
		return error_set(e, ERROR_UNAVAILABLE,
		    "a token of this profile has groups, and none are given");
	k = keyring_pick(s->ring, shape->algorithm, values.now, made->expires, e);
	if (k == NULL || draw_jti(s, made->jti, e) == -1)
		return -1;
	memcpy(made->kid, key_id(k), strlen(key_id(k)) + 1);
	claims = claims_build(shape, &values);
	rc = sign(k, shape, claims, token, e);
	free(claims);
	made->token = token->data;
	made->length = token->length;
	return rc;
}

int
signing_mint(const struct signing *s, const struct query *q, struct buffer *token,
    struct signature *made, struct error *e)
{
	struct grant g;
	struct signing_order order = {.grant = &g,
	    .caller = q->caller.name,
	    .email = q->email,
	    .space = q->space,
	    .not_after = q->not_after};

	*made = (struct signature){0};
	if (policy_permit(s->policy, q, &g, e) == -1 ||
	    required_check(s->groups, g.subject, q->subject_groups, e) == -1)
		return -1;
	if (find_shape(s, g.profile)->groups)
		order.groups = q->subject_groups;
	return signing_sign(s, &order, token, made, e);
}

/* Of the key for tokens without a profile; left empty when a shape has no key. */
static void
put_kid(const struct signing *s, int64_t now, char kid[LIMIT_KID])
{
	const struct key *k = NULL;
	struct error e;

	for (size_t i = 0; i <= s->profile_count; i++) {
		k = keyring_pick(s->ring, s->shapes[i].algorithm, now, now, &e);
		if (k == NULL)
			return;
	}
	memcpy(kid, key_id(k), strlen(key_id(k)) + 1);
}

int
signing_publish(
    const struct signing *s, struct buffer *json, struct signature *made, struct error *e)
{
	int64_t now = clock_realtime(s->clock) / NANOSECONDS;
	int64_t fresh;

	*made = (struct signature){0};
	if (keyring_publish(s->ring, now, json, &fresh, e) == -1)
		return -1;
	made->token = json->data;
	made->length = json->length;
	made->expires = now + fresh;
	put_kid(s, now, made->kid);
	return 0;
}
