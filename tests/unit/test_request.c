/* service: what a request says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "service/request.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PARAMS_MAX = 16, PARAM_SIZE = 128 };

/* A gateway with these params, a NULL among them at the end. */
struct params {
	char text[PARAMS_MAX][PARAM_SIZE];
	char *items[PARAMS_MAX + 1];
	size_t count;
	struct gateway gateway;
	struct config config;
};

static struct params fixture;

static void
add(struct params *p, const char *param)
{
	assert_in_range(p->count, 0, PARAMS_MAX - 1);
	assert_in_range(strlen(param), 0, PARAM_SIZE - 1);
	(void)snprintf(p->text[p->count], PARAM_SIZE, "%s", param);
	p->items[p->count] = p->text[p->count];
	p->items[++p->count] = NULL;
}

static void
clear(struct params *p)
{
	p->count = 0;
	p->items[0] = NULL;
	p->gateway = (struct gateway){.params = p->items};
}

static int
setup(void **state)
{
	struct error e = {0};

	*state = &fixture;
	clear(&fixture);
	return config_init(&fixture.config, &e);
}

static int
teardown(void **state)
{
	config_free(&((struct params *)*state)->config);
	return 0;
}

/* Reads the params and more ones, the first NULL being their end. */
static enum error_code
read_with(struct params *p, struct request *r, const char *const *more)
{
	struct error e = {0};
	int rc;

	clear(p);
	add(p, "PATH_INFO=/alice");
	add(p, "REQUEST_METHOD=GET");
	for (; *more != NULL; more++)
		add(p, *more);
	rc = request_read(r, &p->gateway, &p->config, &e);
	assert_int_equal(rc, e.code == ERROR_NONE ? 0 : -1);
	return e.code;
}

/* --- who may send it: no web page --- */

static void
host_is_one_of_the_list(void **state)
{
	static const struct {
		const char *host;
		enum error_code code;
	} rows[] = {
	    {"HTTP_HOST=localhost", ERROR_NONE},
	    {"HTTP_HOST=localhost:5001", ERROR_NONE},
	    {"HTTP_HOST=LocalHost:5001", ERROR_NONE},
	    {"HTTP_HOST=127.0.0.1", ERROR_NONE},
	    {"HTTP_HOST=127.0.0.1:80", ERROR_NONE},
	    {"HTTP_HOST=[::1]", ERROR_NONE},
	    {"HTTP_HOST=[::1]:5001", ERROR_NONE},
	    {"HTTP_HOST=::1", ERROR_DENIED},
	    {"HTTP_HOST=", ERROR_DENIED},
	    {"HTTP_HOST=:5001", ERROR_DENIED},
	    {"HTTP_HOST=example.com", ERROR_DENIED},
	    {"HTTP_HOST=localhost.example.com", ERROR_DENIED},
	    {"HTTP_HOST=example.com:localhost", ERROR_DENIED},
	    {"HTTP_HOST=localhost:80:80", ERROR_DENIED},
	    {"HTTP_HOST=localhost.", ERROR_DENIED},
	    {"HTTP_HOST=local", ERROR_DENIED},
	    {"HTTP_HOST= localhost", ERROR_DENIED},
	    {"HTTP_HOST=127.0.0.2", ERROR_DENIED},
	    {"HTTP_HOST=127.1", ERROR_DENIED},
	    {"HTTP_HOST=[::1].example.com", ERROR_DENIED},
	    {"SERVER_NAME=localhost", ERROR_DENIED},
	};
	struct params *p = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const more[] = {rows[i].host, NULL};
		struct request r;

		if (read_with(p, &r, more) != rows[i].code)
			fail_msg("%s", rows[i].host);
	}
}

static void
pages_in_a_browser_are_refused(void **state)
{
	static const struct {
		const char *field;
		enum error_code code;
	} rows[] = {
	    {"HTTP_ORIGIN=http://localhost:5001", ERROR_DENIED},
	    {"HTTP_ORIGIN=https://example.com", ERROR_DENIED},
	    {"HTTP_ORIGIN=null", ERROR_DENIED},
	    {"HTTP_ORIGIN=", ERROR_DENIED},
	    {"HTTP_SEC_FETCH_SITE=none", ERROR_NONE},
	    {"HTTP_SEC_FETCH_SITE=same-origin", ERROR_NONE},
	    {"HTTP_SEC_FETCH_SITE=same-site", ERROR_DENIED},
	    {"HTTP_SEC_FETCH_SITE=cross-site", ERROR_DENIED},
	    {"HTTP_SEC_FETCH_SITE=", ERROR_DENIED},
	    {"HTTP_SEC_FETCH_SITE=None", ERROR_DENIED},
	    {"HTTP_SEC_FETCH_SITE=none, cross-site", ERROR_DENIED},
	    {"HTTP_SEC_FETCH_MODE=navigate", ERROR_NONE},
	};
	struct params *p = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const more[] = {"HTTP_HOST=localhost", rows[i].field, NULL};
		struct request r;

		if (read_with(p, &r, more) != rows[i].code)
			fail_msg("%s", rows[i].field);
	}
}

/* --- params --- */

static void
params_that_come_twice_are_malformed(void **state)
{
	static const char *const used[] = {"AUTH_TYPE", "CONTENT_LENGTH", "HTTP_ACCEPT",
	    "HTTP_HOST", "HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "PATH_INFO", "QUERY_STRING",
	    "REMOTE_USER", "REQUEST_METHOD"};
	struct params *p = *state;

	for (size_t i = 0; i < COUNT(used); i++) {
		char want[LIMIT_ERROR_TEXT];
		char param[64];
		struct request r;
		struct error e = {0};

		clear(p);
		(void)snprintf(param, sizeof(param), "%s=", used[i]);
		add(p, param);
		add(p, param);
		assert_int_equal(request_read(&r, &p->gateway, &p->config, &e), -1);
		assert_int_equal(e.code, ERROR_MALFORMED);
		(void)snprintf(want, sizeof(want), "the web server sent %s twice", used[i]);
		assert_string_equal(e.text, want);
	}
}

static void
params_that_are_not_used_have_no_effect(void **state)
{
	static const char *const more[] = {"HTTP_HOST=localhost", "HTTP_X=1", "HTTP_X=2", "X",
	    "=x", "", "REMOTE_USERS=root", "REMOTE=root", "remote_user=root", "AUTH=Basic",
	    "HTTP_REMOTE_USER=root", "HTTP_AUTH_TYPE=Basic", NULL};
	struct params *p = *state;
	struct request r;

	assert_int_equal(read_with(p, &r, more), ERROR_NONE);
	assert_string_equal(r.caller.name, "anonymous");
	assert_false(principal_authenticated(&r.caller));
	assert_string_equal(r.path, "/alice");
	assert_string_equal(r.query, "");
	assert_int_equal(r.body_length, 0);
}

static void
identity_comes_from_two_params(void **state)
{
	static const struct {
		const char *user;
		const char *scheme;
		enum error_code code;
		const char *name; /* when authenticated */
	} rows[] = {
	    {"REMOTE_USER=alice", "AUTH_TYPE=Basic", ERROR_NONE, "alice"},
	    {"REMOTE_USER=alice", "AUTH_TYPE=", ERROR_NONE, NULL},
	    {"REMOTE_USER=root", "X=", ERROR_NONE, NULL},
	    {"X=", "AUTH_TYPE=Basic", ERROR_UNAUTHENTICATED, NULL},
	    {"REMOTE_USER=", "AUTH_TYPE=Basic", ERROR_UNAUTHENTICATED, NULL},
	    {"REMOTE_USER=a=b", "AUTH_TYPE=Basic", ERROR_NONE, "a=b"},
	    {"REMOTE_USER=alice@EVIL.COM", "AUTH_TYPE=Negotiate", ERROR_DENIED, NULL},
	    {"REMOTE_USER=alice\n", "AUTH_TYPE=Basic", ERROR_MALFORMED, NULL},
	    {"HTTP_REMOTE_USER=alice", "HTTP_AUTH_TYPE=Basic", ERROR_NONE, NULL},
	};
	struct params *p = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const more[] = {
		    "HTTP_HOST=localhost", rows[i].user, rows[i].scheme, NULL};
		struct request r;

		if (read_with(p, &r, more) != rows[i].code)
			fail_msg("%s, %s", rows[i].user, rows[i].scheme);
		assert_int_equal(principal_authenticated(&r.caller), rows[i].name != NULL);
		if (rows[i].name != NULL)
			assert_string_equal(r.caller.name, rows[i].name);
	}
}

static void
path_info_is_needed(void **state)
{
	static const char *const rows[] = {
	    "X=", "PATH_INFO=", "PATH_INFO=alice", "PATH_INFO= /alice", "SCRIPT_NAME=/alice"};
	struct params *p = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct request r;
		struct error e = {0};

		clear(p);
		add(p, "HTTP_HOST=localhost");
		add(p, rows[i]);
		assert_int_equal(request_read(&r, &p->gateway, &p->config, &e), -1);
		assert_int_equal(e.code, ERROR_NOT_FOUND);
	}
}

static void
methods_are_known_by_their_exact_names(void **state)
{
	static const struct {
		const char *param;
		enum method method;
	} rows[] = {
	    {"REQUEST_METHOD=GET", METHOD_GET},
	    {"REQUEST_METHOD=POST", METHOD_POST},
	    {"REQUEST_METHOD=HEAD", METHOD_OTHER},
	    {"REQUEST_METHOD=get", METHOD_OTHER},
	    {"REQUEST_METHOD=GETS", METHOD_OTHER},
	    {"REQUEST_METHOD=", METHOD_OTHER},
	    {"X=", METHOD_OTHER},
	};
	struct params *p = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct request r;
		struct error e = {0};

		clear(p);
		add(p, "HTTP_HOST=localhost");
		add(p, "PATH_INFO=/");
		add(p, rows[i].param);
		assert_int_equal(request_read(&r, &p->gateway, &p->config, &e), 0);
		assert_int_equal(r.method, rows[i].method);
	}
}

static void
media_is_the_first_that_we_have(void **state)
{
	static const struct {
		const char *param;
		enum media media;
	} rows[] = {
	    {"X=", MEDIA_PATH},
	    {"HTTP_ACCEPT=", MEDIA_PATH},
	    {"HTTP_ACCEPT=*/*", MEDIA_PATH},
	    {"HTTP_ACCEPT=text/html", MEDIA_PATH},
	    {"HTTP_ACCEPT=text/plain", MEDIA_PATH},
	    {"HTTP_ACCEPT=application/jwt", MEDIA_JWT},
	    {"HTTP_ACCEPT=application/json", MEDIA_JSON},
	    {"HTTP_ACCEPT=Application/JSON", MEDIA_JSON},
	    {"HTTP_ACCEPT=application/json;q=0.9", MEDIA_JSON},
	    {"HTTP_ACCEPT=text/html, application/jwt , */*;q=0.1", MEDIA_JWT},
	    {"HTTP_ACCEPT=text/html;level=1,application/json", MEDIA_JSON},
	    {"HTTP_ACCEPT=text/plain, application/json", MEDIA_PATH},
	    {"HTTP_ACCEPT=application/json,application/jwt", MEDIA_JSON},
	    {"HTTP_ACCEPT=application/jwts", MEDIA_PATH},
	    {"HTTP_ACCEPT=application/jw", MEDIA_PATH},
	    {"HTTP_ACCEPT=,,,", MEDIA_PATH},
	    {"HTTP_ACCEPT= ,\t, application/jwt", MEDIA_JWT},
	};
	struct params *p = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *const more[] = {"HTTP_HOST=localhost", rows[i].param, NULL};
		struct request r;

		assert_int_equal(read_with(p, &r, more), ERROR_NONE);
		if (r.media != rows[i].media)
			fail_msg("%s: %d", rows[i].param, (int)r.media);
	}
}

static void
body_length_is_a_bounded_number(void **state)
{
	static const struct {
		const char *param;
		bool oversize;
		enum error_code code;
		uint64_t length;
	} rows[] = {
	    {"CONTENT_LENGTH=", false, ERROR_NONE, 0},
	    {"CONTENT_LENGTH=0", false, ERROR_NONE, 0},
	    {"CONTENT_LENGTH=65536", false, ERROR_NONE, 65536},
	    {"CONTENT_LENGTH=65537", false, ERROR_TOO_LARGE, 65537},
	    {"CONTENT_LENGTH=9223372036854775807", false, ERROR_TOO_LARGE, INT64_MAX},
	    {"CONTENT_LENGTH=9223372036854775808", false, ERROR_MALFORMED, 0},
	    {"CONTENT_LENGTH=-1", false, ERROR_MALFORMED, 0},
	    {"CONTENT_LENGTH=1 ", false, ERROR_MALFORMED, 0},
	    {"CONTENT_LENGTH=1,1", false, ERROR_MALFORMED, 0},
	    {"CONTENT_LENGTH=0x10", false, ERROR_MALFORMED, 0},
	    {"CONTENT_LENGTH=0", true, ERROR_TOO_LARGE, 0},
	    {"X=", true, ERROR_TOO_LARGE, 0},
	};
	struct params *p = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct request r;
		struct error e = {0};

		clear(p);
		add(p, "HTTP_HOST=localhost");
		add(p, "PATH_INFO=/");
		add(p, rows[i].param);
		p->gateway.oversize = rows[i].oversize;
		(void)request_read(&r, &p->gateway, &p->config, &e);
		if (e.code != rows[i].code)
			fail_msg("%s: %s", rows[i].param, e.text);
		assert_int_equal(r.body_length, rows[i].length);
	}
}

/* --- the query --- */

static const struct query_row {
	const char *query;
	int64_t ttl; /* -1: malformed */
	const char *audience;
} queries[] = {
    {"", 0, ""},
    {"ttl=90", 90, ""},
    {"ttl=15m", 900, ""},
    {"audience=okera", 0, "okera"},
    {"ttl=24h&audience=okera", 86400, "okera"},
    {"audience=okera&ttl=1", 1, "okera"},
    {"audience=a+b", 0, "a b"},
    {"audience=a%20b", 0, "a b"},
    {"audience=a%2bb%2F%2f", 0, "a+b//"},
    {"audience=%61", 0, "a"},
    {"ttl=%31%35m", 900, ""},
    {"audience=a=b", 0, "a=b"},
    {"audience=J%C3%B6rg", 0, "J\xc3\xb6rg"},
    /* names */
    {"ttl", -1, NULL},
    {"foo=1", -1, NULL},
    {"TTL=1", -1, NULL},
    {"tt=1", -1, NULL},
    {"ttls=1", -1, NULL},
    {"ttl =1", -1, NULL},
    {"%74tl=1", -1, NULL},
    {"=1", -1, NULL},
    {"=", -1, NULL},
    {"&", -1, NULL},
    {"ttl=1&", -1, NULL},
    {"&ttl=1", -1, NULL},
    {"ttl=1&&audience=a", -1, NULL},
    {"ttl=1;audience=a", -1, NULL},
    {"ttl=1&foo=1", -1, NULL},
    {"ttl=1&audience", -1, NULL},
    {"?ttl=1", -1, NULL},
    /* repeated */
    {"ttl=1&ttl=1", -1, NULL},
    {"ttl=1&audience=a&ttl=2", -1, NULL},
    {"audience=a&audience=a", -1, NULL},
    /* values */
    {"ttl=", -1, NULL},
    {"ttl=0", -1, NULL},
    {"ttl=-1", -1, NULL},
    {"ttl=+1", -1, NULL},
    {"ttl=1y", -1, NULL},
    {"ttl=99999999999999999999", -1, NULL},
    {"ttl=1=1", -1, NULL},
    {"audience=", -1, NULL},
    /* escapes */
    {"audience=%", -1, NULL},
    {"audience=%4", -1, NULL},
    {"audience=a%", -1, NULL},
    {"audience=a%6", -1, NULL},
    {"audience=%6&ttl=1", -1, NULL},
    {"audience=%zz", -1, NULL},
    {"audience=%6g", -1, NULL},
    {"audience=% 6", -1, NULL},
    {"audience=%-1", -1, NULL},
    {"audience=%00", -1, NULL},
    {"audience=a%00b", -1, NULL},
    {"audience=a%0a", -1, NULL},
    {"audience=a%7f", -1, NULL},
    {"audience=a\nb", -1, NULL},
};

static void
who_asks_does_not_count_where_tokens_are_verified(void **state)
{
	struct params *p = *state;
	struct request r;
	struct error e = {0};

	clear(p);
	p->gateway.scope = SCOPE_VERIFICATION;
	add(p, "PATH_INFO=/api/validate");
	add(p, "REQUEST_METHOD=POST");
	add(p, "REMOTE_USER=root");
	add(p, "AUTH_TYPE=Basic");
	assert_int_equal(request_read(&r, &p->gateway, &p->config, &e), 0);
	assert_string_equal(r.caller.name, "");
	assert_false(principal_authenticated(&r.caller));
	assert_int_equal(r.method, METHOD_POST);
}

static void
authorizer_reads_the_token_and_the_groups_alone(void **state)
{
	struct params *p = *state;
	struct request r;
	struct error e = {0};

	clear(p);
	p->gateway.scope = SCOPE_AUTHORIZER;
	add(p, "HTTP_AUTHORIZATION=Bearer x");
	add(p, "AUTHSERVER_GROUPS=etl");
	add(p, "REQUEST_METHOD=PATCH");
	add(p, "PATH_INFO=/root");
	add(p, "QUERY_STRING=ttl=1h");
	add(p, "CONTENT_LENGTH=99999999999999999999");
	add(p, "REMOTE_USER=root");
	add(p, "AUTH_TYPE=peer");
	add(p, "HTTP_ORIGIN=https://app.example");
	assert_int_equal(request_read(&r, &p->gateway, &p->config, &e), 0);
	assert_string_equal(r.authorization, "Bearer x");
	assert_string_equal(r.required, "etl");
	assert_string_equal(r.path, "authorizer");
	assert_string_equal(r.query, "");
	assert_string_equal(r.caller.name, "");
	assert_int_equal(r.body_length, 0);
	add(p, "HTTP_AUTHORIZATION=Bearer y");
	assert_int_equal(request_read(&r, &p->gateway, &p->config, &e), -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
}

static void
queries_are_read_by_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++) {
		const struct query_row *row = &queries[i];
		struct mint_query m;
		struct error e = {0};
		int rc = request_mint_query(row->query, &m, &e);

		if (rc != (row->ttl == -1 ? -1 : 0))
			fail_msg("'%s': %d, %s", row->query, rc, e.text);
		if (rc == -1) {
			assert_int_equal(e.code, ERROR_MALFORMED);
			continue;
		}
		assert_int_equal(m.ttl, row->ttl);
		assert_string_equal(m.audience, row->audience);
	}
}

static void
queries_and_audiences_have_bounds(void **state)
{
	char query[LIMIT_QUERY + 1] = "audience=";
	size_t name = strlen(query);
	struct mint_query m;
	struct error e = {0};

	(void)state;
	memset(query + name, 'a', sizeof(query) - name);
	query[LIMIT_QUERY] = '\0';
	assert_int_equal(request_mint_query(query, &m, &e), -1);
	assert_string_equal(e.text, "the query is too long");
	query[name + LIMIT_AUDIENCE] = '\0';
	assert_int_equal(request_mint_query(query, &m, &e), -1);
	query[name + LIMIT_AUDIENCE - 1] = '\0';
	assert_int_equal(request_mint_query(query, &m, &e), 0);
	assert_int_equal(strlen(m.audience), LIMIT_AUDIENCE - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(host_is_one_of_the_list),
	    TEST(pages_in_a_browser_are_refused),
	    TEST(params_that_come_twice_are_malformed),
	    TEST(params_that_are_not_used_have_no_effect),
	    TEST(identity_comes_from_two_params),
	    TEST(path_info_is_needed),
	    TEST(methods_are_known_by_their_exact_names),
	    TEST(media_is_the_first_that_we_have),
	    TEST(body_length_is_a_bounded_number),
	    TEST(who_asks_does_not_count_where_tokens_are_verified),
	    TEST(authorizer_reads_the_token_and_the_groups_alone),
	    cmocka_unit_test(queries_are_read_by_the_table),
	    cmocka_unit_test(queries_and_audiences_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
