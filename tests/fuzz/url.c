/*
 * What a URL is before anything is asked of it: identity/http_url, identity/source_rest_url and
 * the client's own. Input: the URL, a line; the user whose groups are asked for, another.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "identity/http_url.h"
#include "identity/source_rest_url.h"
#include "tests/fuzz/fuzz.h"
#include "tools/authserver-token/url.h"

/* What goes to the part of the URL that a user's name is in. */
static char *
get_host(const char *text)
{
	CURLU *url = curl_url();
	char *host = NULL, *copy = NULL;

	REQUIRE(url != NULL);
	if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		copy = fuzz_copy(host, strlen(host));
	curl_free(host);
	curl_url_cleanup(url);
	return copy;
}

static void
check_user(const char *text, const char *user)
{
	const struct rest_config c = {.url = (char *)(uintptr_t)text, .insecure = true};
	struct error e = {0};
	struct buffer url;

	if (rest_url_check(&c, &e) == -1) {
		REQUIRE(e.code == ERROR_CONFIG);
		fuzz_require_error(&e);
		return;
	}
	buffer_init(&url, LIMIT_PATH + 3 * LIMIT_PRINCIPAL);
	if (rest_url_of(&url, text, user, &e) == 0) {
		/* Whoever it is, the same service is asked. */
		char *host = get_host(text), *asked = get_host(url.data);

		REQUIRE(*user != '\0' && strcmp(user, ".") != 0 && strcmp(user, "..") != 0);
		REQUIRE(asked == NULL || host == NULL || strcmp(host, asked) == 0);
		free(host);
		free(asked);
	} else {
		REQUIRE(e.code == ERROR_UNAVAILABLE);
	}
	buffer_free(&url);
}

static void
check_client(const char *text)
{
	struct request r = {.url = text};
	struct error e = {0};
	bool loopback = false;
	struct buffer url;
	char *host;

	buffer_init(&r.path, LIMIT_PATH);
	buffer_init(&r.query, LIMIT_QUERY);
	buffer_init(&url, LIMIT_URL);
	REQUIRE(buffer_append(&r.path, "/janedoe", 8) == 0);
	REQUIRE(buffer_append(&r.query, "", 0) == 0);
	if (url_write(&url, &loopback, &r, &e) == 0) {
		host = get_host(text);
		REQUIRE(host != NULL);
		REQUIRE(!loopback || strcasecmp(host, "localhost") == 0 ||
			strcmp(host, "[::1]") == 0 || strncmp(host, "127.", 4) == 0);
		/* Passwords go in the clear to nobody else. */
		REQUIRE(loopback || strncasecmp(text, "https:", 6) == 0);
		REQUIRE(strchr(text, '?') == NULL && strchr(text, '#') == NULL);
		REQUIRE(strcmp(url.data + url.length - 8, "/janedoe") == 0);
		free(host);
	} else {
		REQUIRE(e.code == ERROR_CONFIG);
		fuzz_require_error(&e);
	}
	buffer_free(&r.path);
	buffer_free(&r.query);
	buffer_free(&url);
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	char *text = fuzz_line(&in);
	char *user = fuzz_line(&in);
	struct http_url u;

	if (strlen(text) < LIMIT_PATH) {
		if (http_url_read(&u, text) == NULL && !u.open)
			REQUIRE(strlen(text) > 0);
		check_user(text, user);
		check_client(text);
	}
	free(text);
	free(user);
}

const struct fuzz_target fuzz_url = {.name = "url", .run = run};
