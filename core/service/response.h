/* A response, and the one table from errors to HTTP statuses (RFC 9110, 15). */
#ifndef SERVICE_RESPONSE_H
#define SERVICE_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

struct response {
	int status;               /* an HTTP status code */
	const char *content_type; /* a literal */
	const char *allow;        /* methods, with a 405; else NULL */
	int64_t max_age;          /* seconds that it may be kept; 0: not at all */
	const char *etag;         /* without quotes (RFC 9110, 8.8.3); NULL: none */
	int64_t retry;            /* seconds in Retry-After, where the status has it; 0: one */
	const char *challenge; /* WWW-Authenticate (RFC 9110, 11.6.1), where Basic is not it */
	bool bare; /* there is nothing but fields: the answer to the client is another one */
	struct buffer fields; /* whole header fields more, each ended by CR LF */
	struct buffer body;
};

/* An empty 200; response_free() it. */
void response_init(struct response *r, const char *content_type);
void response_free(struct response *r);

/*
 * Makes r the answer to *e: a status and one line that says what to do, or, if json, an object
 * with "error" and "error_description" (RFC 6749, 5.2), of which the first is invalid_token
 * where r has a challenge. What is ERROR_INTERNAL or after gets the status's own words, since
 * its text is for the log.
 */
void response_error(struct response *r, const struct error *e, bool json);

/*
 * Adds a header field whose value is count texts with commas between them. What is no
 * printable ASCII, a blank, a comma, a double quote or a percent sign in a text is
 * percent-encoded. 0, or -1 when it does not fit.
 */
int response_field(
    struct response *r, const char *name, const char *const *texts, size_t count);

/* Makes the object the body; it is taken over. 0, or -1 and ERROR_UNAVAILABLE when it is NULL
 * or does not fit. */
int response_json(struct response *r, json_t *object, struct error *e);

/* The header fields and the body as RFC 3875, 6 has them: "Status: 200 OK" first.
 * With Cache-Control: no-store unless it may be kept. 0, or -1 when out's bound is passed. */
int response_render(const struct response *r, struct buffer *out);

#endif
