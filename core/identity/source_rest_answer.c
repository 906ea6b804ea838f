#include "identity/source_rest_answer.h"

#include <string.h>
#include <strings.h>

#include "identity/source.h"

enum { LIMIT_HEADERS = 16 * 1024 }; /* all of an answer's together */

void
rest_answer_clear(struct rest_answer *a)
{
	buffer_free(&a->body);
	*a = (struct rest_answer){0};
	buffer_init(&a->body, LIMIT_REPLY);
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct rest_answer *a = context;

	if (buffer_append(&a->body, bytes, size * count) == 0)
		return size * count;
	a->wrong = "the answer is longer than 64 KiB";
	return 0;
}

/* libcurl has a bound of its own for each header, and none for all of them. */
static size_t
take_header(char *bytes, size_t size, size_t count, void *context)
{
	struct rest_answer *a = context;

	(void)bytes;
	a->headers += size * count;
	if (a->headers <= LIMIT_HEADERS)
		return size * count;
	a->wrong = "the answer has more than 16 KiB of headers";
	return 0;
}

CURLcode
rest_answer_attach(struct rest_answer *a, CURL *curl)
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
		code =
		    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)LIMIT_REPLY);
	return code;
}

/* application/json, or a type of that syntax (RFC 6839, 3.1), whatever its parameters. */
static bool
is_json(const char *type)
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

int
rest_answer_read(const struct rest_answer *a, CURL *curl, struct membership *m, struct error *e)
{
	const char *type = NULL;
	long status = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	if (status == 404)
		return 0;
	if (status != 200)
		return error_set(
		    e, ERROR_UNAVAILABLE, "the service answered with status %ld", status);
	if (!is_json(type))
		return error_set(e, ERROR_UNAVAILABLE, "the answer is not application/json");
	return source_reply(m, a->body.data != NULL ? a->body.data : "", a->body.length, e);
}
