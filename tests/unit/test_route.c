/* service: which endpoint a path is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "service/internal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct route_row {
	const char *path;
	const char *issuer_path;
	endpoint *endpoint; /* NULL: there is none */
	unsigned int methods;
} rows[] = {
    /* One component is a subject, whatever it is called. */
    {"/", "", mint_endpoint, METHOD_GET | METHOD_POST},
    {"/alice", "", mint_endpoint, METHOD_GET | METHOD_POST},
    {"/api", "", mint_endpoint, METHOD_GET | METHOD_POST},
    {"/-", "", mint_endpoint, METHOD_GET | METHOD_POST},
    {"/.well-known", "", mint_endpoint, METHOD_GET | METHOD_POST},
    {"/alice", "/alice", mint_endpoint, METHOD_GET | METHOD_POST},
    /* More of them are one of the list. */
    {"/-/healthy", "", health_endpoint, METHOD_GET},
    {"/-/ready", "", ready_endpoint, METHOD_GET},
    {"/api/token", "", password_endpoint, METHOD_POST},
    {"/api/validate", "", validate_endpoint, METHOD_POST},
    {"/oauth2/token", "", token_endpoint, METHOD_POST},
    {"/api/", "", NULL, 0},
    {"/api/tokens", "", NULL, 0},
    {"/API/token", "", NULL, 0},
    {"/api/token/", "", NULL, 0},
    {"//alice", "", NULL, 0},
    {"/alice/", "", NULL, 0},
    {"/a/b", "", NULL, 0},
    /* A user's groups, of one name. */
    {"/api/groups/alice", "", groups_endpoint, METHOD_GET},
    {"/api/groups/", "", groups_endpoint, METHOD_GET},
    {"/api/groups", "", NULL, 0},
    {"/api/groups/alice/bob", "", NULL, 0},
    /* What is well known, with the issuer's path behind it (RFC 8414, 3) or before it (OpenID
     * Connect Discovery, 4), and no other. */
    {"/.well-known/jwks.json", "", keys_endpoint, METHOD_GET},
    {"/.well-known/jwks.json", "/first", keys_endpoint, METHOD_GET},
    {"/.well-known/jwks.json/first", "/first", keys_endpoint, METHOD_GET},
    {"/first/.well-known/jwks.json", "/first", keys_endpoint, METHOD_GET},
    {"/first/.well-known/openid-configuration", "/first", metadata_endpoint, METHOD_GET},
    {"/.well-known/oauth-authorization-server/first", "/first", metadata_endpoint, METHOD_GET},
    {"/.well-known/jwks.json/first", "", NULL, 0},
    {"/.well-known/jwks.json/second", "/first", NULL, 0},
    {"/.well-known/jwks.json/first/", "/first", NULL, 0},
    {"/second/.well-known/jwks.json", "/first", NULL, 0},
    {"/first/.well-known/jwks.jsonx", "/first", NULL, 0},
    {"/firsts/.well-known/jwks.json", "/first", NULL, 0},
    {"/first/api/token", "/first", NULL, 0},
    {"/api/token/first", "/first", NULL, 0},
};

static void
paths_lead_where_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned int methods = 0;
		endpoint *found = route_find(rows[i].path, rows[i].issuer_path, &methods);

		if (found != rows[i].endpoint || methods != rows[i].methods)
			fail_msg("%s of %s: %u", rows[i].path, rows[i].issuer_path, methods);
	}
}

static void
issuers_have_paths_if_they_are_urls(void **state)
{
	static const struct {
		const char *issuer;
		const char *path; /* NULL: it is no URL that metadata can be of */
	} issuers[] = {
	    {"https://first.example", ""},
	    {"http://first.example", ""},
	    {"HTTPS://first.example:8443", ""},
	    {"https://first.example/", ""},
	    {"https://first.example//", ""},
	    {"https://first.example/a", "/a"},
	    {"https://first.example/a/b/", "/a/b"},
	    {"https://first.example:1/a", "/a"},
	    {"127.0.0.1", NULL},
	    {"", NULL},
	    {"ftp://first.example", NULL},
	    {"https:/first.example", NULL},
	    {"https://", NULL},
	    {"https:///a", NULL},
	    {"https://first.example/a?b", NULL},
	    {"https://first.example/a#b", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(issuers); i++) {
		const char *want = issuers[i].path;
		char path[LIMIT_ISSUER] = "x";
		int rc = route_issuer_path(path, issuers[i].issuer);

		if (rc != (want != NULL ? 0 : -1) ||
		    strcmp(path, want != NULL ? want : "") != 0)
			fail_msg("%s: '%s'", issuers[i].issuer, path);
	}
}

static void
an_issuer_whose_path_is_too_long_has_none(void **state)
{
	char issuer[2 * LIMIT_ISSUER];
	char path[LIMIT_ISSUER];
	int start = snprintf(issuer, sizeof(issuer), "https://first.example");

	(void)state;
	memset(issuer + start, 'a', sizeof(issuer) - (size_t)start);
	issuer[start] = '/';
	issuer[start + LIMIT_ISSUER] = '\0';
	assert_int_equal(route_issuer_path(path, issuer), -1);
	assert_string_equal(path, "");
	issuer[start + LIMIT_ISSUER - 1] = '\0';
	assert_int_equal(route_issuer_path(path, issuer), 0);
	assert_int_equal(strlen(path), LIMIT_ISSUER - 1);
}

static void
errors_are_json_below_api_and_oauth2(void **state)
{
	(void)state;
	assert_true(route_speaks_json("/api/token"));
	assert_true(route_speaks_json("/oauth2/nothing"));
	assert_false(route_speaks_json("/api"));
	assert_false(route_speaks_json("/alice"));
	assert_false(route_speaks_json("/-/ready"));
	assert_false(route_speaks_json(NULL));
}

static void
only_two_say_no_more_than_whether_a_token_is_good(void **state)
{
	(void)state;
	assert_true(route_verifies(validate_endpoint));
	assert_true(route_verifies(authorize_endpoint));
	assert_false(route_verifies(introspect_endpoint));
	assert_false(route_verifies(mint_endpoint));
	assert_false(route_verifies(NULL));
}

static void
allow_names_the_methods(void **state)
{
	(void)state;
	assert_string_equal(route_allow(METHOD_GET), "GET");
	assert_string_equal(route_allow(METHOD_POST), "POST");
	assert_string_equal(route_allow(METHOD_GET | METHOD_POST), "GET, POST");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_lead_where_the_table_says),
	    cmocka_unit_test(issuers_have_paths_if_they_are_urls),
	    cmocka_unit_test(an_issuer_whose_path_is_too_long_has_none),
	    cmocka_unit_test(errors_are_json_below_api_and_oauth2),
	    cmocka_unit_test(only_two_say_no_more_than_whether_a_token_is_good),
	    cmocka_unit_test(allow_names_the_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
