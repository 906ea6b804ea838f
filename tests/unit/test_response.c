/* service: how a response is written, and what an error becomes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "service/response.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TEXT "text/plain; charset=utf-8"

static void
response_has_exactly_these_bytes(void **state)
{
	static const struct {
		int status;
		const char *allow;
		const char *body;
		const char *bytes;
	} rows[] = {
	    {200, NULL, "/tmp/x",
		"Status: 200 OK\r\nContent-Type: " TEXT "\r\nContent-Length: 6\r\n"
		"Cache-Control: no-store\r\n\r\n/tmp/x"},
	    {200, NULL, "",
		"Status: 200 OK\r\nContent-Type: " TEXT "\r\nContent-Length: 0\r\n"
		"Cache-Control: no-store\r\n\r\n"},
	    {401, NULL, "who\n",
		"Status: 401 Unauthorized\r\nContent-Type: " TEXT "\r\nContent-Length: 4\r\n"
		"Cache-Control: no-store\r\nWWW-Authenticate: Basic realm=\"authserver\"\r\n"
		"\r\nwho\n"},
	    {405, "GET, POST", "no\n",
		"Status: 405 Method Not Allowed\r\nContent-Type: " TEXT
		"\r\nContent-Length: 3\r\nCache-Control: no-store\r\nAllow: GET, POST\r\n"
		"\r\nno\n"},
	    {503, NULL, "no\n",
		"Status: 503 Service Unavailable\r\nContent-Type: " TEXT
		"\r\nContent-Length: 3\r\nCache-Control: no-store\r\nRetry-After: 1\r\n"
		"\r\nno\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct response r;
		struct buffer out;

		response_init(&r, TEXT);
		r.status = rows[i].status;
		r.allow = rows[i].allow;
		assert_int_equal(buffer_append(&r.body, rows[i].body, strlen(rows[i].body)), 0);
		buffer_init(&out, 1024);
		assert_int_equal(response_render(&r, &out), 0);
		assert_int_equal(out.length, strlen(rows[i].bytes));
		assert_string_equal(out.data, rows[i].bytes);
		buffer_free(&out);
		buffer_init(&out, strlen(rows[i].bytes) - 1);
		assert_int_equal(response_render(&r, &out), -1);
		buffer_free(&out);
		response_free(&r);
	}
}

static const struct {
	enum error_code code;
	int status;
	const char *phrase;
	bool outward; /* the error's own text is the answer */
} statuses[] = {
    {ERROR_NONE, 500, "Internal Server Error", false},
    {ERROR_MALFORMED, 400, "Bad Request", true},
    {ERROR_GRANT, 400, "Bad Request", true},
    {ERROR_GRANT_TYPE, 400, "Bad Request", true},
    {ERROR_SCOPE, 400, "Bad Request", true},
    {ERROR_TARGET, 400, "Bad Request", true},
    {ERROR_UNAUTHENTICATED, 401, "Unauthorized", true},
    {ERROR_DENIED, 403, "Forbidden", true},
    {ERROR_NOT_FOUND, 404, "Not Found", true},
    {ERROR_METHOD, 405, "Method Not Allowed", true},
    {ERROR_TOO_LARGE, 413, "Content Too Large", true},
    {ERROR_MEDIA_TYPE, 415, "Unsupported Media Type", true},
    {ERROR_LIMITED, 429, "Too Many Requests", true},
    {ERROR_INTERNAL, 500, "Internal Server Error", false},
    {ERROR_UNAVAILABLE, 503, "Service Unavailable", false},
    {ERROR_CONFIG, 503, "Service Unavailable", false},
    {ERROR_NO_INPUT, 503, "Service Unavailable", false},
    {ERROR_NO_PERMISSION, 503, "Service Unavailable", false},
};

static void
errors_have_a_status_and_tell_nothing_of_ours(void **state)
{
	(void)state;
	assert_int_equal(COUNT(statuses), ERROR_NO_PERMISSION + 1);
	for (size_t i = 0; i < COUNT(statuses); i++) {
		char line[64];
		struct response r;
		struct buffer out;
		struct error e;

		error_set(&e, statuses[i].code, "/etc/secret.pem: reason");
		response_init(&r, "application/json");
		assert_int_equal(buffer_printf(&r.body, "half an answer"), 0);
		response_error(&r, &e, false);
		assert_int_equal(r.status, statuses[i].status);
		assert_string_equal(r.content_type, TEXT);
		assert_int_equal(r.body.data[r.body.length - 1], '\n');
		if (statuses[i].outward)
			assert_string_equal(r.body.data, "/etc/secret.pem: reason\n");
		else
			assert_null(strstr(r.body.data, "secret"));
		assert_null(strstr(r.body.data, "half"));
		buffer_init(&out, 1024);
		assert_int_equal(response_render(&r, &out), 0);
		(void)snprintf(line, sizeof(line), "Status: %d %s\r\n", statuses[i].status,
		    statuses[i].phrase);
		assert_memory_equal(out.data, line, strlen(line));
		buffer_free(&out);
		response_free(&r);
	}
}

static void
errors_of_the_interfaces_are_json(void **state)
{
	struct response r;
	struct error e;

	(void)state;
	error_set(&e, ERROR_DENIED, "no \"way\"");
	response_init(&r, "text/plain");
	response_error(&r, &e, true);
	assert_int_equal(r.status, 403);
	assert_string_equal(r.content_type, "application/json");
	assert_string_equal(r.body.data,
	    "{\"error\":\"access_denied\",\"error_description\":\"no \\\"way\\\"\"}\n");
	/* Cut within a character. */
	error_set(&e, ERROR_DENIED, "%s", "no J\xc3");
	response_error(&r, &e, true);
	assert_string_equal(
	    r.body.data, "{\"error\":\"access_denied\",\"error_description\":\"no J?\"}\n");
	error_set(&e, ERROR_UNAVAILABLE, "/etc/secret.pem: reason");
	response_error(&r, &e, true);
	assert_null(strstr(r.body.data, "secret"));
	assert_non_null(strstr(r.body.data, "\"temporarily_unavailable\""));
	response_free(&r);
}

static void
bare_response_is_its_fields(void **state)
{
	const char *user = "jane doe";
	struct response r;
	struct buffer out;

	(void)state;
	response_init(&r, TEXT);
	r.bare = true;
	assert_int_equal(response_field(&r, "Variable-AUTH_SUBJECT", &user, 1), 0);
	buffer_init(&out, 1024);
	assert_int_equal(response_render(&r, &out), 0);
	assert_string_equal(
	    out.data, "Status: 200 OK\r\nVariable-AUTH_SUBJECT: jane%20doe\r\n\r\n");
	buffer_free(&out);
	response_free(&r);
}

/* Whatever it is that does not fit any more. */
static void
an_answer_that_does_not_fit_is_none(void **state)
{
	static const char *const texts[] = {"a b", "c"};
	struct response r;
	struct buffer out;
	size_t whole;

	(void)state;
	response_init(&r, "application/json");
	r.status = 503;
	r.etag = "tag";
	r.allow = "GET";
	assert_int_equal(response_field(&r, "X-Auth-Groups", texts, 2), 0);
	assert_int_equal(buffer_append(&r.body, "{}", 2), 0);
	buffer_init(&out, LIMIT_RESPONSE);
	assert_int_equal(response_render(&r, &out), 0);
	whole = out.length;
	buffer_free(&out);
	for (size_t room = 0; room <= whole; room++) {
		buffer_init(&out, room);
		assert_int_equal(response_render(&r, &out), room == whole ? 0 : -1);
		buffer_free(&out);
	}
	r.status = 401;
	buffer_init(&out, LIMIT_RESPONSE);
	assert_int_equal(response_render(&r, &out), 0);
	whole = out.length;
	buffer_free(&out);
	for (size_t room = 0; room < whole; room++) {
		buffer_init(&out, room);
		assert_int_equal(response_render(&r, &out), -1);
		buffer_free(&out);
	}
	response_free(&r);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(response_has_exactly_these_bytes),
	    cmocka_unit_test(errors_have_a_status_and_tell_nothing_of_ours),
	    cmocka_unit_test(errors_of_the_interfaces_are_json),
	    cmocka_unit_test(bare_response_is_its_fields),
	    cmocka_unit_test(an_answer_that_does_not_fit_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
