/*
 * GET /.well-known/oauth-authorization-server (RFC 8414) and /.well-known/openid-configuration
 * (OpenID Connect Discovery 1.0, 3): where a verifier that knows the issuer finds the keys.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "jose/algorithm.h"
#include "service/internal.h"
#include "service/token.h"

enum { KEEP = 600 }; /* seconds that it may be kept */

/* Each once, as JWA names it. */
static void
add_algorithm(json_t *list, const char *name)
{
	const struct algorithm *a = algorithm_find(name);
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (a == NULL || strcmp(json_string_value(item), a->name) == 0)
			return;
	if (a != NULL)
		(void)json_array_append_new(list, json_string(a->name));
}

static json_t *
algorithms(const struct config *c)
{
	json_t *list = json_array();

	add_algorithm(list, c->algorithm);
	for (size_t i = 0; i < c->profiles.count; i++)
		if (c->profiles.items[i].algorithm != NULL)
			add_algorithm(list, c->profiles.items[i].algorithm);
	return list;
}

static void
put_endpoint(json_t *object, const char *name, const char *issuer, const char *path)
{
	const char *slash = issuer[strlen(issuer) - 1] == '/' ? "" : "/";

	(void)json_object_set_new(object, name, json_sprintf("%s%s%s", issuer, slash, path));
}

/* No authorization endpoint, so no response type is of use; a list is wanted nonetheless,
 * and "id_token" is what the issuers of workload identity say. */
static json_t *
describe(const struct config *c)
{
	const char *issuer = c->issuer;
	const char *slash = issuer[strlen(issuer) - 1] == '/' ? "" : "/";
	json_t *object;

	object = json_pack("{s:s, s:s++, s:[s], s:[s], s:o, s:[s, s, s, s, s, s]}", "issuer",
	    issuer, "jwks_uri", issuer, slash, ".well-known/jwks.json",
	    "response_types_supported", "id_token", "subject_types_supported", "public",
	    "id_token_signing_alg_values_supported", algorithms(c), "claims_supported", "sub",
	    "iss", "iat", "exp", "jti", "aud");
	if (c->introspection)
		put_endpoint(object, "introspection_endpoint", issuer, "oauth2/introspect");
	if (c->revocation)
		put_endpoint(object, "revocation_endpoint", issuer, "oauth2/revoke");
	if (c->grants.count > 0) {
		put_endpoint(object, "token_endpoint", issuer, "oauth2/token");
		(void)json_object_set_new(
		    object, "grant_types_supported", token_grant_types(c));
	}
	return object;
}

int
metadata_endpoint(
    struct service *s, struct gateway *g, const struct request *r, struct error *e)
{
	const struct config *c = s->parts.config;
	char path[LIMIT_ISSUER];
	struct response response;
	int rc;

	(void)r;
	if (c->issuer == NULL || route_issuer_path(path, c->issuer) == -1)
		return error_set(e, ERROR_NOT_FOUND,
		    "no metadata: the issuer is no http or https URL; set 'issuer' to one");
	response_init(&response, "application/json");
	response.max_age = KEEP;
	rc = response_json(&response, describe(c), e);
	if (rc == 0)
		g->respond(g, &response);
	response_free(&response);
	return rc;
}
