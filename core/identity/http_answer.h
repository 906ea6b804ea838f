/* What a web server answers, bounded while it arrives. For http.c. */
#ifndef IDENTITY_HTTP_ANSWER_H
#define IDENTITY_HTTP_ANSWER_H

#include <stdbool.h>

#include <curl/curl.h>

#include "base/buffer.h"

struct http_answer {
	struct buffer body; /* whose bound is the body's */
	size_t headers;     /* bytes of them */
	bool long_body;     /* the rest was not taken */
	bool long_headers;
};

/* Makes it an empty one for a body of so many bytes, before a request and at the end; zeroes
 * are one too. */
void http_answer_clear(struct http_answer *a, size_t limit);

/* Has curl put what arrives, of which limit bytes are body, into *a, which must outlive it. */
CURLcode http_answer_attach(struct http_answer *a, CURL *curl, size_t limit);

/* Whether a Content-Type, which may be NULL, is application/json or a type of that syntax (RFC
 * 6839, 3.1), whatever its parameters. */
bool http_answer_is_json(const char *type);

#endif
