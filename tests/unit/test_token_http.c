/* authserver-token: what is made of the answers of a web server. */
#define _GNU_SOURCE /* asprintf */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/asking.h"
#include "tests/unit/failures.h"

static int
ask_web(struct asking *f, const char *answer)
{
	pid_t server = asking_serve(f->listener, answer, strlen(answer));
	int rc = asking_ask(f);

	asking_end(server);
	return rc;
}

#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n"
#define JWT OK "Content-Type: application/jwt\r\n\r\n"
#define STATUS(code) "HTTP/1.1 " code " No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

static void
web_answer_is_a_token_or_the_reason_for_none(void **state)
{
	static const struct {
		const char *answer;
		bool direct, file;
		int code; /* 0: it is taken */
		const char *text;
	} rows[] = {
	    {JWT ASKING_TOKEN, true, false, 0, ASKING_TOKEN},
	    {JWT ASKING_TOKEN, false, false, 0, ASKING_TOKEN},
	    {JWT ASKING_TOKEN, false, true, ERROR_UNAVAILABLE, "no path of a file"},
	    {OK "\r\n/tmp/" ASKING_NAME, false, true, 0, "/tmp/" ASKING_NAME},
	    {OK "\r\n/etc/passwd", false, false, ERROR_UNAVAILABLE,
		"not the name of a token file"},
	    {OK "\r\n", false, false, ERROR_UNAVAILABLE, "no path of a file"},
	    {"HTTP/1.1 204 No\r\n\r\n", true, false, ERROR_DENIED, "status 204"},
	    {STATUS("302"), true, false, ERROR_CONFIG, "a redirection"},
	    {STATUS("401"), true, false, ERROR_NO_PERMISSION, "say who is asking"},
	    {STATUS("404"), true, false, ERROR_DENIED, "status 404"},
	    {STATUS("500"), true, false, ERROR_UNAVAILABLE, "try again in a moment"},
	    {"HTTP/1.1 403 No\r\nContent-Type: text/plain\r\n\r\nnot you\n", true, false,
		ERROR_NO_PERMISSION, "not you"},
	    {"HTTP/1.1 403 No\r\nContent-Type: text/html\r\n\r\nnot you\n", true, false,
		ERROR_NO_PERMISSION, "status 403"},
	    {"none\r\n\r\n", true, false, ERROR_UNAVAILABLE, "127.0.0.1"},
	};
	struct asking *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->request.direct = rows[i].direct;
		f->request.file = rows[i].file;
		assert_int_equal(ask_web(f, rows[i].answer), rows[i].code == 0 ? 0 : -1);
		if (rows[i].code == 0) {
			assert_string_equal(f->got.data, rows[i].text);
			continue;
		}
		if (strstr(f->e.text, rows[i].text) == NULL)
			fail_msg("row %zu: %s", i, f->e.text);
		assert_int_equal(f->e.code, rows[i].code);
	}
}

static void
web_answer_has_bounds(void **state)
{
	static char large[20 * 1024];
	struct asking *f = *state;
	char *answer;

	memset(large, 'x', sizeof(large) - 1);
	assert_true(asprintf(&answer, JWT "%s", large) > 0);
	assert_int_equal(ask_web(f, answer), -1);
	assert_non_null(strstr(f->e.text, "the answer is too long for a token"));
	free(answer);
	assert_true(
	    asprintf(&answer, OK "A: %.12000s\r\nB: %.12000s\r\n\r\n", large, large) > 0);
	assert_int_equal(ask_web(f, answer), -1);
	assert_non_null(strstr(f->e.text, "more than 16 KiB of header fields"));
	free(answer);
}

static void
path_of_another_host_is_no_answer(void **state)
{
	struct asking *f = *state;

	/* This host, by an address that does not say so. */
	(void)snprintf(f->url, sizeof(f->url), "http://0.0.0.0:%s", strrchr(f->url, ':') + 1);
	f->request.insecure = true;
	assert_int_equal(ask_web(f, OK "\r\n/tmp/" ASKING_NAME), -1);
	assert_non_null(strstr(f->e.text, "a file of another host"));
	f->request.insecure = false;
	assert_int_equal(asking_ask(f), -1);
	assert_int_equal(f->e.code, ERROR_CONFIG);
}

static void
who_is_not_let_in_is_told_what_was_wrong(void **state)
{
	struct asking *f = *state;

	f->request.direct = true;
	f->request.user = "jane";
	f->credentials.kind = CREDENTIALS_PASSWORD;
	buffer_init(&f->credentials.password, LIMIT_PASSPHRASE);
	assert_int_equal(buffer_append(&f->credentials.password, "wrong", 5), 0);
	assert_int_equal(ask_web(f, STATUS("401")), -1);
	assert_non_null(strstr(f->e.text, "the user name or the password is wrong"));
	buffer_free(&f->credentials.password);
	asking_write(f->file, "", 0600);
	f->credentials.kind = CREDENTIALS_NETRC;
	f->credentials.netrc = open(f->file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(ask_web(f, STATUS("401")), -1);
	assert_non_null(strstr(f->e.text, "what the netrc file has for this host"));
	close(f->credentials.netrc);
}

CURL *__real_curl_easy_init(void);
CURL *__wrap_curl_easy_init(void);
struct curl_slist *__real_curl_slist_append(struct curl_slist *list, const char *text);
struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *text);
CURLcode __real_curl_easy_setopt(CURL *curl, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *curl, CURLoption option, ...);

CURL *
__wrap_curl_easy_init(void)
{
	return failures_hit("curl") ? NULL : __real_curl_easy_init();
}

struct curl_slist *
__wrap_curl_slist_append(struct curl_slist *list, const char *text)
{
	return failures_hit("curl") ? NULL : __real_curl_slist_append(list, text);
}

CURLcode
__wrap_curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
	va_list list;
	CURLcode code;

	if (failures_hit("curl"))
		return CURLE_OUT_OF_MEMORY;
	va_start(list, option);
	code = option < CURLOPTTYPE_OBJECTPOINT
		   ? __real_curl_easy_setopt(curl, option, va_arg(list, long))
		   : __real_curl_easy_setopt(curl, option, va_arg(list, void *));
	va_end(list);
	return code;
}

static void
nothing_is_asked_without_all_that_was_to_be_set(void **state)
{
	static const enum credentials_kind kinds[] = {
	    CREDENTIALS_NONE, CREDENTIALS_PASSWORD, CREDENTIALS_NETRC, CREDENTIALS_TICKET};
	struct asking *f = *state;

	/* Nobody listens. */
	close(f->listener);
	f->request.ca_file = f->file;
	f->request.user = "jane";
	buffer_init(&f->credentials.password, LIMIT_PASSPHRASE);
	assert_int_equal(buffer_append(&f->credentials.password, "x", 1), 0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int turn;

		f->credentials.kind = kinds[i];
		for (turn = 0; turn < 50; turn++) {
			(void)failures_set("curl", turn, 1, ENOMEM);
			assert_int_equal(asking_ask(f), -1);
			if (failures_set(NULL, 0, 0, 0) == 0)
				break;
			if (strstr(f->e.text,
				turn < 2 ? "libcurl does not start" : "Out of memory") == NULL)
				fail_msg("turn %d: %s", turn, f->e.text);
		}
		assert_in_range(turn, 20, 49);
		assert_null(strstr(f->e.text, "memory"));
	}
	buffer_free(&f->credentials.password);
}

CURLU *__real_curl_url(void);
CURLU *__wrap_curl_url(void);

CURLU *
__wrap_curl_url(void)
{
	return failures_hit("url") ? NULL : __real_curl_url();
}

static void
nothing_is_asked_when_memory_is_short(void **state)
{
	struct asking *f = *state;
	struct settings s = {.value[SET_AUDIENCE] = f->folder};
	struct request r;
	struct error e;
	int turn;

	close(f->listener);
	for (turn = 0; turn < 20; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		if (request_read(&r, &s, "jane", &e) == 0)
			break;
		assert_string_equal(e.text, "the request is too long");
	}
	assert_true(turn >= 2);
	request_free(&r);
	(void)failures_set("memory", 0, 1, ENOMEM);
	assert_int_equal(asking_ask(f), -1);
	assert_int_equal(f->e.code, ERROR_CONFIG);
	(void)failures_set("url", 0, 1, ENOMEM);
	assert_int_equal(asking_ask(f), -1);
	assert_int_equal(f->e.code, ERROR_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		web_answer_is_a_token_or_the_reason_for_none, asking_make, asking_clean),
	    cmocka_unit_test_setup_teardown(web_answer_has_bounds, asking_make, asking_clean),
	    cmocka_unit_test_setup_teardown(
		path_of_another_host_is_no_answer, asking_make, asking_clean),
	    cmocka_unit_test_setup_teardown(
		who_is_not_let_in_is_told_what_was_wrong, asking_make, asking_clean),
	    cmocka_unit_test_setup_teardown(
		nothing_is_asked_without_all_that_was_to_be_set, asking_make, asking_clean),
	    cmocka_unit_test_setup_teardown(
		nothing_is_asked_when_memory_is_short, asking_make, asking_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
