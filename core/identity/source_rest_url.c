#include "identity/source_rest_url.h"

#include <curl/curl.h>
#include <string.h>

#include "identity/http_url.h"

static const char mark[] = "{0}";

int
rest_url_of(struct buffer *to, const char *url, const char *user, struct error *e)
{
	const char *at = strstr(url, mark);
	const char *before = at != NULL || url[strlen(url) - 1] == '/' ? "" : "/";
	const char *behind = at != NULL ? at + strlen(mark) : "";
	size_t length = at != NULL ? (size_t)(at - url) : strlen(url);
	char *segment;
	int rc;

	/* Servers and what is before them resolve these, encoded or not, to another URL. */
	if (*user == '\0' || strcmp(user, ".") == 0 || strcmp(user, "..") == 0)
		return error_set(
		    e, ERROR_UNAVAILABLE, "'%s' cannot be a segment of a URL", user);
	segment = curl_easy_escape(NULL, user, 0);
	if (segment == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	buffer_free(to);
	rc = buffer_printf(to, "%.*s%s%s%s", (int)length, url, before, segment, behind);
	curl_free(segment);
	return rc == 0 ? 0 : error_set(e, ERROR_UNAVAILABLE, "the URL is too long");
}

/* What is wrong with a user's URL; NULL when nothing is. */
static const char *
find_wrong(const char *text, const struct rest_config *c)
{
	struct http_url url;
	const char *wrong = http_url_read(&url, text);

	if (wrong != NULL)
		return wrong;
	if (url.user)
		return "url has a user name: use token-file, or a client certificate";
	if (url.fragment)
		return "url has a fragment, which is never sent: write # as %23";
	if (c->token_file != NULL && url.open)
		return "token-file, and url is not https: the token could be read on the way";
	if (c->certificate != NULL && url.open)
		return "certificate, and url is not https: it would not be shown";
	if (!c->insecure && url.open)
		return "url is not https: anybody on the way could change the groups; accept "
		       "that by insecure = true";
	return NULL;
}

/* The host must not depend on the user; NULL when it does not. */
static const char *
find_wrong_host(const char *url)
{
	const char *at = strstr(url, mark);
	const char *authority = strstr(url, "://");
	size_t length;

	if (authority == NULL)
		return "url has no host";
	authority += 3;
	length = strcspn(authority, "/?#");
	if (length == 0)
		return "url has no host";
	return at != NULL && at < authority + length ? "url has {0} before the path" : NULL;
}

int
rest_url_check(const struct rest_config *c, struct error *e)
{
	const char *wrong = find_wrong_host(c->url);
	struct buffer any;
	int rc = -1;

	if (wrong != NULL)
		return error_set(e, ERROR_CONFIG, "%s", wrong);
	buffer_init(&any, LIMIT_PATH);
	if (rest_url_of(&any, c->url, "x", e) == -1) {
		e->code = ERROR_CONFIG;
	} else {
		wrong = find_wrong(any.data, c);
		rc = wrong == NULL ? 0 : error_set(e, ERROR_CONFIG, "%s", wrong);
	}
	buffer_free(&any);
	return rc;
}
