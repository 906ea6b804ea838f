/*
 * GETs of what a web server has, by libcurl, which is told to do just that: of nobody else (no
 * redirect, no proxy, nothing of the environment), of no more than so many bytes, and for so
 * long. Over https with TLS 1.2 or newer, and the server is who it says. For one thread at a
 * time.
 */
#ifndef IDENTITY_HTTP_H
#define IDENTITY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct http;

/* It need not outlive http_open(). */
struct http_config {
	const char *accept;      /* types of JSON; an answer of no such type is none */
	const char *token_file;  /* a bearer token (RFC 6750); NULL: none */
	const char *certificate; /* of the client, with key; NULL: none */
	const char *key;
	const char *ca_file; /* whom to trust; NULL: the system's */
	int64_t timeout;     /* seconds for one GET, the connection included */
	size_t limit;        /* bytes of an answer */
};

/* Reads the files, but reaches for no network. ERROR_CONFIG, ERROR_NO_INPUT, ERROR_INTERNAL;
 * *out is NULL on failure, else http_close() it. */
int http_open(struct http **out, const struct http_config *c, struct error *e);
void http_close(struct http *h);

/*
 * Gets the URL. 0: there is an answer, and *status is its status; *body, with a NUL behind it,
 * is there until http_forget(), and is JSON by its type when the status is 200. -1 and
 * ERROR_UNAVAILABLE: there is none, or none that is good.
 */
int http_get(
    struct http *h, const char *url, long *status, const struct buffer **body, struct error *e);

/* Appends the values of all fields of that name in the last answer, parted by commas (RFC 9110,
 * 5.3). 0, or -1 when *to cannot hold them. */
int http_field(const struct http *h, const char *name, struct buffer *to);

/* Cleanses what is kept of the last answer. */
void http_forget(struct http *h);

#endif
