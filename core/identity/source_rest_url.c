#include "identity/source_rest_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

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

/* RFC 6761, 6.3: libcurl resolves localhost to nothing but the loopback addresses. */
static bool
is_loopback(const char *host)
{
	struct in_addr address;

	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool
has_part(CURLU *url, CURLUPart which)
{
	char *part = NULL;
	bool has = curl_url_get(url, which, &part, 0) == CURLUE_OK;

	curl_free(part);
	return has;
}

/* Whether what is sent can be read on the way. */
static bool
is_open(CURLU *url)
{
	char *scheme = NULL;
	char *host = NULL;
	bool kept = false;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		kept = strcmp(scheme, "https") == 0 || is_loopback(host);
	curl_free(scheme);
	curl_free(host);
	return !kept;
}

/* What is wrong with the text of a user's URL, which is parsed into url; NULL when nothing is.
 */
static const char *
find_wrong(CURLU *url, const char *text, const struct rest_config *c)
{
	CURLUcode parsed = curl_url_set(url, CURLUPART_URL, text, 0);

	if (parsed != CURLUE_OK)
		return curl_url_strerror(parsed);
	if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
		return "url has a user name: use token-file, or a client certificate";
	if (has_part(url, CURLUPART_FRAGMENT))
		return "url has a fragment, which is never sent: write # as %23";
	if (c->token_file != NULL && is_open(url))
		return "token-file, and url is not https: the token could be read on the way";
	if (c->certificate != NULL && is_open(url))
		return "certificate, and url is not https: it would not be shown";
	if (!c->insecure && is_open(url))
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
	CURLU *url;
	int rc = -1;

	if (wrong != NULL)
		return error_set(e, ERROR_CONFIG, "%s", wrong);
	buffer_init(&any, LIMIT_PATH);
	url = curl_url();
	if (url == NULL) {
		error_set(e, ERROR_INTERNAL, "out of memory");
	} else if (rest_url_of(&any, c->url, "x", e) == -1) {
		e->code = ERROR_CONFIG;
	} else {
		wrong = find_wrong(url, any.data, c);
		rc = wrong == NULL ? 0 : error_set(e, ERROR_CONFIG, "%s", wrong);
	}
	curl_url_cleanup(url);
	buffer_free(&any);
	return rc;
}
