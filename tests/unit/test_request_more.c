/* service: what a request says of itself, and where it is not believed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "service/request.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct config config;

static int
setup(void **state)
{
	struct error e = {0};

	(void)state;
	return config_init(&config, &e);
}

static int
teardown(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

/* --- its name in the logs --- */

static void
an_id_is_the_web_servers_if_it_may_stand_in_a_log(void **state)
{
	char longest[LIMIT_REQUEST_ID + 32], too_long[LIMIT_REQUEST_ID + 32];
	const struct {
		char *first, *second;
		const char *id;
	} rows[] = {
	    {"REQUEST_ID=0123abc", "X=", "0123abc"},
	    {"UNIQUE_ID=Zx-_@.9", "X=", "Zx-_@.9"},
	    {"UNIQUE_ID=apache", "REQUEST_ID=nginx", "nginx"},
	    {"REQUEST_ID=", "X=", ""},
	    {"REQUEST_ID=a b", "X=", ""},
	    {"REQUEST_ID=a\nb", "X=", ""},
	    {"REQUEST_ID=a\"b", "X=", ""},
	    {"X=", "Y=", ""},
	    {longest, "X=", longest + strlen("REQUEST_ID=")},
	    {too_long, "X=", ""},
	};

	(void)state;
	(void)snprintf(longest, sizeof(longest), "REQUEST_ID=%0*d", LIMIT_REQUEST_ID - 1, 0);
	(void)snprintf(too_long, sizeof(too_long), "REQUEST_ID=%0*d", LIMIT_REQUEST_ID, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *params[] = {"PATH_INFO=/alice", "HTTP_HOST=localhost", rows[i].first,
		    rows[i].second, NULL};
		const struct gateway g = {.params = params};
		struct request r = {0};
		struct error e = {0};

		assert_int_equal(request_read(&r, &g, &config, &e), 0);
		if (strcmp(r.id, rows[i].id) != 0)
			fail_msg("%s, %s: '%s'", rows[i].first, rows[i].second, r.id);
	}
}

/* --- local processes --- */

static char *forged[] = {"PATH_INFO=/alice", "REQUEST_METHOD=GET", "REQUEST_ID=of-another",
    "REMOTE_USER=root", "AUTH_TYPE=Basic", NULL};

static void
a_local_process_is_its_account_whatever_it_says(void **state)
{
	const struct gateway g = {.params = forged, .peer = "alice"};
	struct request r = {0};
	struct error e = {0};

	(void)state;
	/* Without a Host, too: no browser gets here. */
	assert_int_equal(request_read(&r, &g, &config, &e), 0);
	assert_string_equal(r.caller.name, "alice");
	assert_string_equal(r.caller.scheme, "peer");
	assert_string_equal(r.id, "");
}

static void
an_account_without_a_name_is_refused(void **state)
{
	const struct gateway g = {.params = forged, .peer = ""};
	struct request r = {0};
	struct error e = {0};

	(void)state;
	assert_int_equal(request_read(&r, &g, &config, &e), -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
	assert_false(principal_authenticated(&r.caller));
}

/* --- where only tokens are judged --- */

static void
nobody_calls_where_tokens_are_judged(void **state)
{
	static const enum gateway_scope scopes[] = {SCOPE_VERIFICATION, SCOPE_AUTHORIZER};
	char *params[] = {"PATH_INFO=/api/validate", "REMOTE_USER=root", "AUTH_TYPE=Basic",
	    "HTTP_AUTHORIZATION=Bearer x", "AUTHSERVER_GROUPS=etl", NULL};

	(void)state;
	for (size_t i = 0; i < COUNT(scopes); i++) {
		const struct gateway g = {.params = params, .scope = scopes[i]};
		struct request r = {0};
		struct error e = {0};

		assert_int_equal(request_read(&r, &g, &config, &e), 0);
		assert_false(principal_authenticated(&r.caller));
		assert_null(r.remote_user);
		assert_string_equal(r.authorization, "Bearer x");
		assert_string_equal(r.required, "etl");
	}
}

/* Verifiers, probes and web servers ask by names of their own. */
static void
the_host_matters_where_a_token_could_be_had(void **state)
{
	static const struct {
		char *path;
		enum error_code code;
	} rows[] = {
	    {"PATH_INFO=/-/healthy", ERROR_NONE},
	    {"PATH_INFO=/.well-known/jwks.json", ERROR_NONE},
	    {"PATH_INFO=/first/.well-known/jwks.json", ERROR_NONE},
	    {"PATH_INFO=/api/validate", ERROR_NONE},
	    {"PATH_INFO=/api/authorize", ERROR_NONE},
	    {"PATH_INFO=/api/token", ERROR_DENIED},
	    {"PATH_INFO=/alice", ERROR_DENIED},
	    {"PATH_INFO=/-", ERROR_DENIED},
	    {"X=", ERROR_DENIED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *params[] = {rows[i].path, "HTTP_HOST=elsewhere.example", NULL};
		const struct gateway g = {.params = params};
		struct request r = {0};
		struct error e = {0};

		(void)request_read(&r, &g, &config, &e);
		if (e.code != rows[i].code)
			fail_msg("%s: %s", rows[i].path, e.text);
	}
}

/* --- what came of the body --- */

static void
a_body_is_as_long_as_what_came(void **state)
{
	char *params[] = {"PATH_INFO=/alice", "HTTP_HOST=localhost", "CONTENT_LENGTH=2",
	    "CONTENT_TYPE=text/plain", NULL};
	char bytes[] = "abcd";
	const struct gateway g = {.params = params, .body = {.data = bytes, .length = 4}};
	struct request r = {0};
	struct error e = {0};

	(void)state;
	assert_int_equal(request_read(&r, &g, &config, &e), 0);
	assert_int_equal(r.body_length, 4);
	assert_int_equal(r.received, 4);
	assert_ptr_equal(r.body, bytes);
	assert_string_equal(r.content_type, "text/plain");
}

static void
media_of_a_length_that_we_have_are_others_all_the_same(void **state)
{
	static char *const accepts[] = {"HTTP_ACCEPT=application/xml", "HTTP_ACCEPT=text/x-csv",
	    "HTTP_ACCEPT=application/html"};

	(void)state;
	for (size_t i = 0; i < COUNT(accepts); i++) {
		char *params[] = {"PATH_INFO=/alice", "HTTP_HOST=localhost", accepts[i], NULL};
		const struct gateway g = {.params = params};
		struct request r = {0};
		struct error e = {0};

		assert_int_equal(request_read(&r, &g, &config, &e), 0);
		assert_int_equal(r.media, MEDIA_PATH);
	}
}

/* --- the query --- */

static void
a_profile_is_asked_for_once_and_by_a_plain_name(void **state)
{
	char longest[LIMIT_PROFILE + 16], too_long[LIMIT_PROFILE + 16];
	const struct {
		const char *query;
		const char *profile; /* NULL: malformed */
	} rows[] = {
	    {"profile=slurm", "slurm"},
	    {"profile=%73lurm&ttl=1", "slurm"},
	    {"ttl=1", ""},
	    {"profile=", NULL},
	    {"profile=a&profile=a", NULL},
	    {"profile=%0a", NULL},
	    {"profile=%ff", NULL},
	    {"profile", NULL},
	    {longest, longest + strlen("profile=")},
	    {too_long, NULL},
	    {"audience=%0a", NULL},
	    {"audience=%ff", NULL},
	};

	(void)state;
	(void)snprintf(longest, sizeof(longest), "profile=%0*d", LIMIT_PROFILE - 1, 0);
	(void)snprintf(too_long, sizeof(too_long), "profile=%0*d", LIMIT_PROFILE, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mint_query m;
		struct error e = {0};
		int rc = request_mint_query(rows[i].query, &m, &e);

		if (rc != (rows[i].profile != NULL ? 0 : -1))
			fail_msg("%s: %s", rows[i].query, e.text);
		assert_int_equal(e.code, rc == 0 ? ERROR_NONE : ERROR_MALFORMED);
		if (rc == 0)
			assert_string_equal(m.profile, rows[i].profile);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_id_is_the_web_servers_if_it_may_stand_in_a_log),
	    cmocka_unit_test(a_local_process_is_its_account_whatever_it_says),
	    cmocka_unit_test(an_account_without_a_name_is_refused),
	    cmocka_unit_test(nobody_calls_where_tokens_are_judged),
	    cmocka_unit_test(the_host_matters_where_a_token_could_be_had),
	    cmocka_unit_test(a_body_is_as_long_as_what_came),
	    cmocka_unit_test(media_of_a_length_that_we_have_are_others_all_the_same),
	    cmocka_unit_test(a_profile_is_asked_for_once_and_by_a_plain_name),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
