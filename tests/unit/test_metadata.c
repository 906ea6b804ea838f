/* service: what is published of the issuer (RFC 8414; OpenID Connect Discovery 1.0). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "service/internal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ITEMS(array)                                    \
	{                                               \
		.items = (array), .count = COUNT(array) \
	}

/* Keeps what was answered. */
struct kept {
	struct gateway gateway;
	json_t *answer;
};

static bool
keep(struct gateway *g, const struct response *r)
{
	struct kept *k = (struct kept *)g;

	assert_int_equal(r->status, 200);
	assert_int_equal(r->max_age, 600);
	assert_string_equal(r->content_type, "application/json");
	k->answer = json_loadb(r->body.data, r->body.length, JSON_REJECT_DUPLICATES, NULL);
	return true;
}

static json_t *
describe(const struct config *c)
{
	struct service s = {.parts = {.config = c}};
	struct kept k = {.gateway = {.respond = keep}};
	struct request r = {0};
	struct error e = {0};

	if (metadata_endpoint(&s, &k.gateway, &r, &e) == -1)
		fail_msg("%s", e.text);
	assert_true(json_is_object(k.answer));
	return k.answer;
}

static void
assert_member(const json_t *object, const char *name, const char *value)
{
	const json_t *member = json_object_get(object, name);

	if (value == NULL && member == NULL)
		return;
	if (value == NULL || !json_is_string(member) ||
	    strcmp(json_string_value(member), value) != 0)
		fail_msg("%s: %s", name, json_string_value(member));
}

/* Nowhere two slashes, whether the issuer ends in one or not. */
static void
endpoints_are_below_the_issuer(void **state)
{
	static char issuers[][32] = {
	    "https://a.example", "https://a.example/", "http://b/c", "http://b/c/"};
	static const char *const keys[] = {"https://a.example/.well-known/jwks.json",
	    "https://a.example/.well-known/jwks.json", "http://b/c/.well-known/jwks.json",
	    "http://b/c/.well-known/jwks.json"};
	static const char *const introspection[] = {"https://a.example/oauth2/introspect",
	    "https://a.example/oauth2/introspect", "http://b/c/oauth2/introspect",
	    "http://b/c/oauth2/introspect"};
	char algorithm[] = "RS256";

	(void)state;
	for (size_t i = 0; i < COUNT(issuers); i++) {
		struct config c = {
		    .issuer = issuers[i], .algorithm = algorithm, .introspection = true};
		json_t *answer = describe(&c);

		assert_member(answer, "issuer", issuers[i]);
		assert_member(answer, "jwks_uri", keys[i]);
		assert_member(answer, "introspection_endpoint", introspection[i]);
		json_decref(answer);
	}
}

static void
endpoints_are_named_that_are_configured(void **state)
{
	char issuer[] = "https://a.example", algorithm[] = "RS256", grant[] = "token-exchange";
	char *grants[] = {grant};
	struct config bare = {.issuer = issuer, .algorithm = algorithm};
	struct config all = {.issuer = issuer,
	    .algorithm = algorithm,
	    .introspection = true,
	    .revocation = true,
	    .grants = ITEMS(grants)};
	json_t *answer = describe(&bare);

	(void)state;
	assert_member(answer, "introspection_endpoint", NULL);
	assert_member(answer, "revocation_endpoint", NULL);
	assert_member(answer, "token_endpoint", NULL);
	assert_null(json_object_get(answer, "grant_types_supported"));
	json_decref(answer);
	answer = describe(&all);
	assert_member(answer, "introspection_endpoint", "https://a.example/oauth2/introspect");
	assert_member(answer, "revocation_endpoint", "https://a.example/oauth2/revoke");
	assert_member(answer, "token_endpoint", "https://a.example/oauth2/token");
	assert_int_equal(json_array_size(json_object_get(answer, "grant_types_supported")), 1);
	json_decref(answer);
}

static void
algorithms_are_named_once_each(void **state)
{
	char issuer[] = "https://a.example", algorithm[] = "RS512";
	char other[] = "ES256", same[] = "RS512", unknown[] = "HS256";
	struct profile profiles[] = {{.algorithm = other}, {.algorithm = NULL},
	    {.algorithm = same}, {.algorithm = unknown}, {.algorithm = other}};
	struct config c = {
	    .issuer = issuer, .algorithm = algorithm, .profiles = ITEMS(profiles)};
	json_t *answer = describe(&c);
	const json_t *list = json_object_get(answer, "id_token_signing_alg_values_supported");

	(void)state;
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_array_get(list, 0)), "RS512");
	assert_string_equal(json_string_value(json_array_get(list, 1)), "ES256");
	json_decref(answer);
}

static void
an_issuer_that_is_no_url_has_none(void **state)
{
	static char issuers[][32] = {"192.0.2.7", "ftp://a.example", "https://a.example/?q"};
	struct gateway g = {.respond = keep};
	struct request r = {0};

	(void)state;
	for (size_t i = 0; i <= COUNT(issuers); i++) {
		struct config c = {.issuer = i < COUNT(issuers) ? issuers[i] : NULL};
		struct service s = {.parts = {.config = &c}};
		struct error e = {0};

		assert_int_equal(metadata_endpoint(&s, &g, &r, &e), -1);
		assert_int_equal(e.code, ERROR_NOT_FOUND);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(endpoints_are_below_the_issuer),
	    cmocka_unit_test(endpoints_are_named_that_are_configured),
	    cmocka_unit_test(algorithms_are_named_once_each),
	    cmocka_unit_test(an_issuer_that_is_no_url_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
