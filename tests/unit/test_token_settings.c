/* authserver-token: which of several settings counts, and what is asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tools/authserver-token/request.h"
#include "tools/authserver-token/url.h"

static void
put(struct settings *s, enum setting which, const char *value, enum rank rank)
{
	struct error e;

	assert_int_equal(settings_put(s, which, value, rank, "test", &e), 0);
}

static void
refuse(struct settings *s, enum setting which, const char *value, enum rank rank)
{
	struct error e;

	assert_int_equal(settings_put(s, which, value, rank, "test", &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_memory_equal(e.text, "test: ", 6);
}

static void
higher_rank_counts_whoever_comes_first(void **state)
{
	struct settings s = {0};

	(void)state;
	put(&s, SET_URL, "http://c", RANK_COMMAND);
	put(&s, SET_URL, "http://e", RANK_ENVIRONMENT);
	put(&s, SET_USER, "file", RANK_FILE);
	put(&s, SET_USER, "environment", RANK_ENVIRONMENT);
	assert_string_equal(s.value[SET_URL], "http://c");
	assert_string_equal(s.value[SET_USER], "environment");
	settings_free(&s);
}

static void
what_says_the_same_otherwise_is_outranked_too(void **state)
{
	struct settings s = {0};

	(void)state;
	put(&s, SET_SOCKET, "/s", RANK_ENVIRONMENT);
	put(&s, SET_URL, "http://f", RANK_FILE);
	assert_string_equal(s.value[SET_SOCKET], "/s");
	assert_null(s.value[SET_URL]);
	put(&s, SET_URL, "http://c", RANK_COMMAND);
	assert_null(s.value[SET_SOCKET]);
	put(&s, SET_NEGOTIATE, "true", RANK_FILE);
	put(&s, SET_PASSWORD_FILE, "/p", RANK_COMMAND);
	assert_null(s.value[SET_NEGOTIATE]);
	settings_free(&s);
}

static void
two_of_a_rank_do_not_go_together(void **state)
{
	struct settings s = {0};

	(void)state;
	put(&s, SET_URL, "http://c", RANK_COMMAND);
	refuse(&s, SET_SOCKET, "/s", RANK_COMMAND);
	put(&s, SET_NETRC_FILE, "/n", RANK_FILE);
	refuse(&s, SET_NEGOTIATE, "true", RANK_FILE);
	put(&s, SET_CACHE, "/c", RANK_FILE);
	refuse(&s, SET_NO_CACHE, "true", RANK_FILE);
	settings_free(&s);
}

static void
switch_can_be_turned_off_again(void **state)
{
	struct settings s = {0};

	(void)state;
	put(&s, SET_NEGOTIATE, "false", RANK_ENVIRONMENT);
	put(&s, SET_NEGOTIATE, "true", RANK_FILE);
	assert_null(s.value[SET_NEGOTIATE]);
	/* It says nothing of the other kinds. */
	put(&s, SET_PASSWORD_FILE, "/p", RANK_FILE);
	assert_string_equal(s.value[SET_PASSWORD_FILE], "/p");
	settings_free(&s);
}

static void
values_that_are_none_are_refused(void **state)
{
	struct settings s = {0};

	(void)state;
	refuse(&s, SET_NEGOTIATE, "yes", RANK_ENVIRONMENT);
	refuse(&s, SET_MIN_LIFE, "soon", RANK_COMMAND);
	refuse(&s, SET_TIMEOUT, "0", RANK_COMMAND);
	refuse(&s, SET_USER, "a:b", RANK_COMMAND);
	refuse(&s, SET_USER, "a\nb", RANK_COMMAND);
	refuse(&s, SET_URL, "", RANK_COMMAND);
	refuse(&s, SET_CACHE, "relative", RANK_ENVIRONMENT);
	put(&s, SET_CACHE, "relative", RANK_COMMAND);
	settings_free(&s);
}

static char *
get_one(const char *name)
{
	static char file[] = "/p", empty[] = "";

	if (strcmp(name, "AUTHSERVER_PASSWORD_FILE") == 0)
		return file;
	return strcmp(name, "AUTHSERVER_URL") == 0 ? empty : NULL;
}

static void
variables_have_the_names_of_the_options(void **state)
{
	struct settings s = {0};
	struct error e;

	(void)state;
	assert_int_equal(settings_take_environment(&s, get_one, &e), 0);
	assert_string_equal(s.value[SET_PASSWORD_FILE], "/p");
	assert_null(s.value[SET_URL]);
	assert_int_equal(settings_rank(&s), RANK_ENVIRONMENT);
	settings_free(&s);
}

static void
how_to_ask_does_not_say_what_for(void **state)
{
	struct settings s = {0};

	(void)state;
	put(&s, SET_MIN_LIFE, "5m", RANK_COMMAND);
	put(&s, SET_TIMEOUT, "5s", RANK_COMMAND);
	put(&s, SET_CA_FILE, "/ca", RANK_COMMAND);
	assert_int_equal(settings_rank(&s), RANK_NONE);
	put(&s, SET_TTL, "5m", RANK_FILE);
	assert_int_equal(settings_rank(&s), RANK_FILE);
	settings_free(&s);
}

/* The URL for subject at url, in *to; NULL when it is refused. */
static const char *
url_of(struct buffer *to, const char *url, const char *subject, bool insecure, bool *loopback)
{
	struct settings s = {0};
	struct request r;
	struct error e;
	int rc;

	put(&s, SET_URL, url, RANK_COMMAND);
	put(&s, SET_AUDIENCE, "a b&c", RANK_COMMAND);
	put(&s, SET_TTL, "5m", RANK_COMMAND);
	if (insecure)
		put(&s, SET_INSECURE, "true", RANK_COMMAND);
	buffer_free(to);
	buffer_init(to, LIMIT_URL);
	assert_int_equal(request_read(&r, &s, subject, &e), 0);
	rc = url_write(to, loopback, &r, &e);
	request_free(&r);
	settings_free(&s);
	if (rc == -1)
		assert_int_equal(e.code, ERROR_CONFIG);
	return rc == 0 ? to->data : NULL;
}

static void
url_is_that_of_the_subject(void **state)
{
	struct buffer b = {0};
	bool loopback;

	(void)state;
	assert_string_equal(url_of(&b, "http://localhost:5001/", "a%b c", false, &loopback),
	    "http://localhost:5001/a%25b%20c?ttl=5m&audience=a%20b%26c");
	assert_true(loopback);
	assert_string_equal(url_of(&b, "https://tokens.example/auth", "", false, &loopback),
	    "https://tokens.example/auth/?ttl=5m&audience=a%20b%26c");
	assert_false(loopback);
	buffer_free(&b);
}

static void
url_that_gives_something_away_is_refused(void **state)
{
	static const char *const hosts[] = {"http://tokens.example", "http://localhost.example",
	    "http://127.0.0.1.example", "http://[::2]", "http://128.0.0.1"};
	static const char *const urls[] = {"http://alice@localhost", "http://a:b@localhost",
	    "http://localhost/?x", "http://localhost/#x", "http://localhost/?",
	    "http://localhost/a#", "file:///etc/passwd", "localhost:5001", "ftp://localhost",
	    "http://", "http://local host"};
	struct buffer b = {0};
	bool loopback;

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (url_of(&b, hosts[i], "", false, &loopback) != NULL)
			fail_msg("%s", hosts[i]);
		assert_non_null(url_of(&b, hosts[i], "", true, &loopback));
		assert_false(loopback);
	}
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		if (url_of(&b, urls[i], "", true, &loopback) != NULL)
			fail_msg("%s", urls[i]);
	assert_non_null(url_of(&b, "http://127.8.8.8:1", "", false, &loopback));
	assert_non_null(url_of(&b, "http://[::1]", "", false, &loopback));
	assert_true(loopback);
	buffer_free(&b);
}

/* Reads a request of the settings, for the subject: 0 or the code of the error. */
static int
read_as(const struct settings *s, const char *subject)
{
	struct request r;
	struct error e;

	if (request_read(&r, s, subject, &e) == -1)
		return (int)e.code;
	request_free(&r);
	return 0;
}

static void
request_that_does_not_hang_together_is_refused(void **state)
{
	enum { LONG = 2000 };
	struct settings s = {0};
	char subject[LIMIT_SUBJECT + 1], audience[LONG];

	(void)state;
	memset(subject, 'a', sizeof(subject));
	subject[LIMIT_SUBJECT] = '\0';
	assert_int_equal(read_as(&s, subject), ERROR_MALFORMED);
	assert_int_equal(read_as(&s, subject + 1), 0);
	put(&s, SET_PASSWORD_FILE, "/p", RANK_COMMAND);
	assert_int_equal(read_as(&s, ""), ERROR_CONFIG);
	put(&s, SET_USER, "jane", RANK_COMMAND);
	assert_int_equal(read_as(&s, ""), 0);
	settings_free(&s);
	put(&s, SET_USER, "jane", RANK_COMMAND);
	put(&s, SET_NEGOTIATE, "true", RANK_COMMAND);
	assert_int_equal(read_as(&s, ""), ERROR_CONFIG);
	settings_free(&s);
	put(&s, SET_USER, "jane", RANK_COMMAND);
	put(&s, SET_NETRC_FILE, "/n", RANK_COMMAND);
	assert_int_equal(read_as(&s, ""), ERROR_CONFIG);
	settings_free(&s);
	/* Each byte takes three. */
	memset(audience, '%', sizeof(audience));
	audience[LONG - 1] = '\0';
	put(&s, SET_AUDIENCE, audience, RANK_COMMAND);
	assert_int_equal(read_as(&s, ""), ERROR_MALFORMED);
	settings_free(&s);
}

static void
time_to_wait_is_bounded(void **state)
{
	struct settings s = {0};
	struct request r;
	struct error e;

	(void)state;
	assert_int_equal(request_read(&r, &s, "", &e), 0);
	assert_int_equal(r.timeout, 10);
	assert_string_equal(r.socket, "/run/authserver/peer.sock");
	request_free(&r);
	put(&s, SET_TIMEOUT, "1h", RANK_COMMAND);
	assert_int_equal(request_read(&r, &s, "", &e), 0);
	assert_int_equal(r.timeout, 600);
	request_free(&r);
	settings_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(higher_rank_counts_whoever_comes_first),
	    cmocka_unit_test(what_says_the_same_otherwise_is_outranked_too),
	    cmocka_unit_test(two_of_a_rank_do_not_go_together),
	    cmocka_unit_test(switch_can_be_turned_off_again),
	    cmocka_unit_test(values_that_are_none_are_refused),
	    cmocka_unit_test(variables_have_the_names_of_the_options),
	    cmocka_unit_test(how_to_ask_does_not_say_what_for),
	    cmocka_unit_test(url_is_that_of_the_subject),
	    cmocka_unit_test(url_that_gives_something_away_is_refused),
	    cmocka_unit_test(request_that_does_not_hang_together_is_refused),
	    cmocka_unit_test(time_to_wait_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
