#include "tools/authserver-token/url.h"

#include <curl/curl.h>
#include <string.h>

#include "base/host.h"

/* NULL when the part is not there; else to be freed with curl_free(). */
static char *
get_part(CURLU *url, CURLUPart which)
{
	char *part = NULL;

	return curl_url_get(url, which, &part, 0) == CURLUE_OK ? part : NULL;
}

static bool
has_part(CURLU *url, CURLUPart which)
{
	char *part = get_part(url, which);

	curl_free(part);
	return part != NULL;
}

/* What is wrong with the URL of r, NULL when nothing is. */
static const char *
find_wrong(CURLU *url, const struct request *r, bool *loopback)
{
	char *scheme = get_part(url, CURLUPART_SCHEME);
	char *host = get_part(url, CURLUPART_HOST);
	const char *wrong = NULL;
	bool plain = scheme != NULL && strcmp(scheme, "http") == 0;

	*loopback = host != NULL && host_is_loopback(host);
	if (!plain && (scheme == NULL || strcmp(scheme, "https") != 0))
		wrong = "want http:// or https://";
	else if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
		wrong = "it has a user name or a password, for all to see: give user and "
			"password-file, or netrc-file";
	/* To libcurl an empty one is none, but the subject would become a part of it. */
	else if (strpbrk(r->url, "?#") != NULL)
		wrong = "want no ? and no #: ttl, audience and profile are options";
	else if (plain && !*loopback && !r->insecure)
		wrong = "http:// to another host: password and token could be read on the way: "
			"want https://, or accept that with --insecure";
	curl_free(scheme);
	curl_free(host);
	return wrong;
}

int
url_write(struct buffer *to, bool *loopback, const struct request *r, struct error *e)
{
	size_t length = strlen(r->url);
	CURLU *url = curl_url();
	const char *wrong = "out of memory";
	CURLUcode parsed;

	if (url != NULL) {
		parsed = curl_url_set(url, CURLUPART_URL, r->url, CURLU_NON_SUPPORT_SCHEME);
		wrong = parsed != CURLUE_OK ? curl_url_strerror(parsed)
					    : find_wrong(url, r, loopback);
	}
	curl_url_cleanup(url);
	if (wrong != NULL)
		return error_set(e, ERROR_CONFIG, "%s", wrong);
	while (length > 0 && r->url[length - 1] == '/')
		length--;
	if (buffer_printf(to, "%.*s%s%s%s", (int)length, r->url, r->path.data,
		r->query.length > 0 ? "?" : "", r->query.data) == -1)
		return error_set(e, ERROR_CONFIG, "the URL is too long");
	return 0;
}
