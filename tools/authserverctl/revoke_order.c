#include "tools/authserverctl/revoke_order.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/host.h"
#include "base/text.h"
#include "jose/jws_parse.h"
#include "store/refresh.h"
#include "store/revocations.h"
#include "base/owner.h"
#include "tools/authserverctl/token_read.h"
#include "tools/authserverctl/token_verify.h"

enum kind { THE_TOKEN, THE_SUBJECT, THE_FAMILY };

/* What is to be revoked. */
struct order {
	const struct revoke_arguments *arguments;
	const struct config *config;
	int64_t now;
	enum kind kind;
	struct revocation_subject t; /* its texts belong to what is below, and to arguments */
	int64_t before;              /* of a subject */
	int64_t expires;
	struct buffer token;
	struct jws jws;
	json_t *claims;
	struct token_owner owner;
	char address[HOST_ADDRESS_MAX]; /* the issuer where none is configured */
};

static const char *
issuer_of(struct order *o)
{
	if (o->arguments->issuer != NULL)
		return o->arguments->issuer;
	if (o->config->issuer != NULL)
		return o->config->issuer;
	host_primary_address(o->address);
	return o->address;
}

/* Of a flag that may be missing: *seconds stays then. */
static int
take_time(const char *text, const char *flag, int64_t *seconds, struct error *e)
{
	if (text == NULL || (clock_parse_utc(text, seconds) == 0 && *seconds >= 0))
		return 0;
	return error_set(e, ERROR_MALFORMED,
	    "%s: '%.64s' is not a time such as 2026-11-22T00:00:00Z", flag, text);
}

static int64_t
longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The longest that a token of this configuration lives. */
static int64_t
longest_lifetime(const struct config *c)
{
	int64_t lifetime = c->lifetime;

	for (size_t i = 0; i < c->profiles.count; i++)
		lifetime = longer(lifetime, c->profiles.items[i].lifetime);
	return lifetime;
}

static int
plan_subject(struct order *o, struct error *e)
{
	const struct revoke_arguments *a = o->arguments;
	const struct config *c = o->config;

	o->kind = THE_SUBJECT;
	o->t = (struct revocation_subject){.issuer = issuer_of(o), .subject = a->subject};
	if (*a->subject == '\0')
		return error_set(e, ERROR_MALFORMED, "--subject: a name is missing");
	o->before = o->now;
	if (take_time(a->before, "--before", &o->before, e) == -1)
		return -1;
	o->expires =
	    clock_add(o->before, longer(longest_lifetime(c), c->refresh_lifetime) + c->skew);
	return take_time(a->expires, "--expires", &o->expires, e);
}

static int
plan_identifier(struct order *o, struct error *e)
{
	const struct revoke_arguments *a = o->arguments;

	o->t = (struct revocation_subject){.issuer = issuer_of(o), .jti = a->jti};
	if (*a->jti == '\0')
		return error_set(e, ERROR_MALFORMED, "--jti: an identifier is missing");
	o->expires = clock_add(o->now, longest_lifetime(o->config) + o->config->skew);
	return take_time(a->expires, "--expires", &o->expires, e);
}

/* The claims of a token that nobody need vouch for. */
static json_t *
read_claims(const struct jws *j, struct error *e)
{
	struct error wrong;
	json_t *claims = jws_object(j->payload, j->payload_length, "claims", &wrong);

	if (claims == NULL)
		error_set(e, ERROR_DENIED, "not a token: %s", wrong.detail);
	return claims;
}

static int
plan_signed(struct order *o, struct error *e)
{
	const struct revoke_arguments *a = o->arguments;
	const char *issuer;
	const json_t *exp;
	struct error wrong;

	if (jws_parse(&o->jws, o->token.data, o->token.length, &wrong) == -1)
		return error_set(e, ERROR_DENIED, "not a token: %s", wrong.detail);
	o->claims = a->force ? read_claims(&o->jws, e)
			     : token_verify(&a->flags, o->config, &o->token, &o->owner, e);
	if (o->claims == NULL)
		return a->force || e->code != ERROR_DENIED
			   ? -1
			   : error_prefix(e, "not revoked (--force does so all the same)");
	issuer = json_string_value(json_object_get(o->claims, "iss"));
	exp = json_object_get(o->claims, "exp");
	o->t = (struct revocation_subject){.party = o->owner.party,
	    .issuer = issuer != NULL ? issuer : "",
	    .jti = json_string_value(json_object_get(o->claims, "jti")),
	    .signed_part = o->jws.input,
	    .signed_length = o->jws.input_length};
	o->expires = clock_add(json_integer_value(exp), o->config->skew);
	if (a->expires == NULL && !json_is_integer(exp))
		return error_set(
		    e, ERROR_DENIED, "the token does not say when it expires: give --expires");
	return take_time(a->expires, "--expires", &o->expires, e);
}

/* What is no JWS can only be a refresh token. */
static int
plan_token(struct order *o, struct error *e)
{
	if (token_read(o->arguments->source, &o->token, e) == -1)
		return -1;
	if (strchr(o->token.data, '.') != NULL)
		return plan_signed(o, e);
	o->kind = THE_FAMILY;
	if (o->token.length == REFRESH_TOKEN - 1)
		return 0;
	return error_set(e, ERROR_DENIED, "neither a token nor a refresh token");
}

static int
plan(struct order *o, struct error *e)
{
	if (o->config->state == NULL)
		return error_set(e, ERROR_CONFIG,
		    "nothing can be revoked without a state directory: set the key 'state'");
	if (o->arguments->jti != NULL)
		return plan_identifier(o, e);
	return o->arguments->subject != NULL ? plan_subject(o, e) : plan_token(o, e);
}

static int
add(const struct order *o, const struct state *s, struct error *e)
{
	switch (o->kind) {
	case THE_SUBJECT:
		return revocation_add_subject(
		    s, o->t.issuer, o->t.subject, o->before, o->expires, e);
	case THE_FAMILY:
		return refresh_end(s, o->token.data, e);
	case THE_TOKEN:
	default:
		return revocation_add_token(s, &o->t, o->expires, e);
	}
}

/* As root with the eyes of the directory's owner, whose files these are. */
static int
carry_out(const struct order *o, struct error *e)
{
	struct state *s = NULL;
	int rc = -1;

	if (owner_enter(o->config->state, e) == -1)
		return -1;
	if (state_find(&s, o->config->state, e) == 0)
		rc = add(o, s, e);
	state_close(s);
	owner_leave();
	return rc;
}

/* As a date, or in seconds where it has none. */
static void
write_time(char text[CLOCK_UTC_SIZE], int64_t seconds)
{
	if (clock_format_utc(text, seconds) == -1)
		(void)snprintf(text, CLOCK_UTC_SIZE, "%lld", (long long)seconds);
}

/* Says what was done, in one line; names may be anybody's. */
static int
tell(const struct order *o, struct error *e)
{
	char before[CLOCK_UTC_SIZE], expires[CLOCK_UTC_SIZE], line[LIMIT_LOG_LINE];
	const char *name = o->t.jti != NULL ? o->t.jti : "without identifier";

	write_time(before, o->before);
	write_time(expires, o->expires);
	if (o->kind == THE_FAMILY) /* whether there was one, nobody is told */
		(void)snprintf(line, sizeof(line), "Revoked: the family of the refresh token");
	else if (o->kind == THE_SUBJECT)
		(void)snprintf(line, sizeof(line),
		    "Revoked: all of %.256s up to %s, issuer %.256s, remembered until %s",
		    o->t.subject, before, o->t.issuer, expires);
	else
		(void)snprintf(line, sizeof(line),
		    "Revoked: token %.256s, issuer %.256s, remembered until %s", name,
		    o->t.issuer, expires);
	text_plain(line);
	return puts(line) == EOF ? error_set(e, ERROR_UNAVAILABLE, "cannot write to stdout")
				 : 0;
}

int
revoke_order(const struct revoke_arguments *a, const struct config *c, struct error *e)
{
	struct order o = {
	    .arguments = a, .config = c, .now = clock_realtime(&clock_system) / NANOSECONDS};
	int rc = -1;

	buffer_init(&o.token, LIMIT_TOKEN);
	if (plan(&o, e) == 0 && carry_out(&o, e) == 0)
		rc = tell(&o, e);
	json_decref(o.claims);
	jws_close(&o.jws);
	buffer_free(&o.token);
	return rc;
}
