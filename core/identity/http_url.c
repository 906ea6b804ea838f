#include "identity/http_url.h"

#include <curl/curl.h>
#include <string.h>

#include "base/host.h"

static bool
has_part(CURLU *url, CURLUPart which)
{
	char *part = NULL;
	bool has = curl_url_get(url, which, &part, 0) == CURLUE_OK;

	curl_free(part);
	return has;
}

static bool
is_open(CURLU *url)
{
	char *scheme = NULL;
	char *host = NULL;
	bool kept = false;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		kept = strcmp(scheme, "https") == 0 || host_is_loopback(host);
	curl_free(scheme);
	curl_free(host);
	return !kept;
}

/* libcurl takes a host for one that stands where there is none. */
static bool
has_host(const char *text)
{
	const char *authority = strstr(text, "://");

	return authority != NULL && strcspn(authority + 3, "/?#") > 0;
}

const char *
http_url_read(struct http_url *u, const char *text)
{
	const char *wrong = NULL;
	CURLUcode parsed;
	CURLU *url;

	*u = (struct http_url){0};
	if (!has_host(text))
		return "it has no host";
	url = curl_url();
	if (url == NULL)
		return "out of memory";
	parsed = curl_url_set(url, CURLUPART_URL, text, 0);
	if (parsed != CURLUE_OK)
		wrong = curl_url_strerror(parsed);
	else
		*u = (struct http_url){.open = is_open(url),
		    .user = has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD),
		    /* An empty one is none to libcurl. */
		    .fragment = strchr(text, '#') != NULL};
	curl_url_cleanup(url);
	return wrong;
}
