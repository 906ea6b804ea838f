/*
 * signer/shape, signer/claims: a profile's own claims with values from outside in them. Input:
 * subject, caller, e-mail address, namespace and groups with commas for newlines, a line each;
 * then the claims.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "signer/claims.h"
#include "tests/fuzz/fuzz.h"

static struct config config;

static void
start(void)
{
	struct error e;

	REQUIRE(config_init(&config, &e) == 0);
}

/* Values fill strings, and never become anything else. */
static void
check_same_form(const json_t *claim, const json_t *made)
{
	const char *name;
	json_t *inner;
	size_t i;

	REQUIRE(made != NULL && json_typeof(claim) == json_typeof(made));
	json_array_foreach ((json_t *)claim, i, inner)
		check_same_form(inner, json_array_get(made, i));
	json_object_foreach ((json_t *)claim, name, inner)
		check_same_form(inner, json_object_get(made, name));
	if (json_is_array(claim))
		REQUIRE(json_array_size(claim) == json_array_size(made));
	if (json_is_object(claim))
		REQUIRE(json_object_size(claim) == json_object_size(made));
	if (json_is_string(claim) && strstr(json_string_value(claim), "${") == NULL)
		REQUIRE(json_equal(claim, made));
}

static void
check_claims(const struct shape *s, const struct claim_values *v)
{
	char *text = claims_build(s, v);
	json_t *claims;
	const char *name;
	json_t *claim;

	/* Only what is too long has none. */
	if (text == NULL)
		return;
	claims = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(json_is_object(claims));
	REQUIRE(
	    strcmp(json_string_value(json_object_get(claims, "sub")), v->grant->subject) == 0);
	REQUIRE(json_integer_value(json_object_get(claims, "exp")) == v->expires);
	REQUIRE(strcmp(json_string_value(json_object_get(claims, "iss")), v->issuer) == 0);
	REQUIRE((json_object_get(claims, "act") != NULL) == (*v->grant->actor != '\0'));
	json_object_foreach (s->extra, name, claim)
		if (strcmp(name, "groups") != 0 || v->groups == NULL)
			check_same_form(claim, json_object_get(claims, name));
	json_decref(claims);
	free(text);
}

/* What the rest of the service lets through as one. */
static const char *
clean(char *text, size_t size)
{
	return strlen(text) < size && text_clean(text) ? text : "";
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	char *subject = fuzz_line(&in), *caller = fuzz_line(&in), *email = fuzz_line(&in);
	char *space = fuzz_line(&in), *groups = fuzz_line(&in);
	char *claims = fuzz_rest(&in, &size);
	struct grant g = {0};
	struct claim_values v = {.grant = &g,
	    .caller = clean(caller, LIMIT_PRINCIPAL),
	    .issuer = "127.0.0.1",
	    .host = "host",
	    .email = clean(email, LIMIT_EMAIL),
	    .space = clean(space, LIMIT_NAMESPACE),
	    .jti = "jti",
	    .now = 1700000000,
	    .expires = 1700003600};
	struct profile p = {
	    .name = "p", .where = "conf:1", .type = "JWT", .claims = claims, .groups = true};
	struct error e = {0};
	struct shape s;

	(void)snprintf(g.subject, sizeof(g.subject), "%s", clean(subject, LIMIT_SUBJECT));
	if (strcmp(g.subject, v.caller) != 0)
		(void)snprintf(g.actor, sizeof(g.actor), "%s", v.caller);
	if (*groups != '\0' && text_clean(groups) && groups[strlen(groups) - 1] == ',') {
		for (char *c = groups; *c != '\0'; c++)
			*c = *c == ',' ? '\n' : *c;
		v.groups = groups;
	}
	if (shape_open(&s, &config, &p, &e) == 0) {
		check_claims(&s, &v);
		shape_close(&s);
	} else {
		REQUIRE(e.code == ERROR_CONFIG && strncmp(e.text, "conf:1:", 7) == 0);
		fuzz_require_error(&e);
	}
	free(subject);
	free(caller);
	free(email);
	free(space);
	free(groups);
	free(claims);
}

const struct fuzz_target fuzz_profile = {.name = "profile", .start = start, .run = run};
