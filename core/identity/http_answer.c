#include "identity/http_answer.h"

#include <string.h>
#include <strings.h>

enum { LIMIT_HEADERS = 16 * 1024 }; /* all of an answer's together */

void
http_answer_clear(struct http_answer *a, size_t limit)
{
	buffer_free(&a->body);
	*a = (struct http_answer){0};
	buffer_init(&a->body, limit);
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_answer *a = context;

	if (buffer_append(&a->body, bytes, size * count) == 0)
		return size * count;
	a->long_body = true;
	return 0;
}

/* libcurl has a bound of its own for each header, and none for all of them. */
static size_t
take_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_answer *a = context;

	(void)bytes;
	a->headers += size * count;
	if (a->headers <= LIMIT_HEADERS)
		return size * count;
	a->long_headers = true;
	return 0;
}

CURLcode
http_answer_attach(struct http_answer *a, CURL *curl, size_t limit)
{
	CURLcode code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);

	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_HEADERDATA, a);
	/* What says that it is longer is not even begun with. */
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)limit);
	return code;
}

bool
http_answer_is_json(const char *type)
{
	static const char prefix[] = "application/";
	static const char suffix[] = "+json";
	const size_t least = strlen(suffix) + 1;
	size_t length;

	if (type == NULL || strncasecmp(type, prefix, strlen(prefix)) != 0)
		return false;
	type += strlen(prefix);
	length = strcspn(type, "; \t");
	if (length == 4 && strncasecmp(type, "json", length) == 0)
		return true;
	return length >= least &&
	       strncasecmp(type + length - strlen(suffix), suffix, strlen(suffix)) == 0;
}
