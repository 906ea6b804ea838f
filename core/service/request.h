/*
 * What a request says, taken from its params once, bounded and checked: everything
 * after this works with values, not with text from outside.
 */
#ifndef SERVICE_REQUEST_H
#define SERVICE_REQUEST_H

#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "identity/principal.h"
#include "service/gateway.h"

enum method { METHOD_GET = 1, METHOD_POST = 2, METHOD_OTHER = 4 };

/* What the answer to a mint holds, by Accept (RFC 9110, 12.5.1). */
enum media { MEDIA_PATH, MEDIA_JWT, MEDIA_JSON };

struct request {
	enum method method;
	const char *path;  /* PATH_INFO, decoded by the web server; starts with a slash. That of
			      an authorizer is a word for the log */
	const char *query; /* QUERY_STRING as it came; may be empty */
	enum media media;
	uint64_t body_length;      /* CONTENT_LENGTH, or what came if that is more */
	const char *body;          /* what came of it; NULL: nothing */
	size_t received;           /* bytes of that */
	const char *content_type;  /* of it (RFC 9110, 8.3); NULL: not said */
	const char *authorization; /* the field (RFC 9110, 11.6.2); NULL: none. Never logged */
	const char *required; /* AUTHSERVER_GROUPS, which the web server's administrator sets */
	const char *if_none_match; /* the field (RFC 9110, 13.1.2); NULL when there is none */
	const char *id; /* what the web server calls it: REQUEST_ID or UNIQUE_ID; or "" */
	int64_t since;  /* when it came, monotonic nanoseconds; the service sets it */
	const char *remote_user; /* REMOTE_USER as it came; NULL: none */
	struct principal caller;
};

/* What a mint may be asked for beside its subject; zero where it is not. */
struct mint_query {
	int64_t ttl; /* seconds */
	char audience[LIMIT_AUDIENCE];
	char profile[LIMIT_PROFILE];
};

/*
 * Reads the params of g, to which *r then points. A param that is used
 * and comes twice is refused. Checks Host, Origin and Sec-Fetch-Site, where a token could be
 * had and a browser could be asking, before anything
 * else, so that no web page gets to ask, and who is asking: g->peer, or what the params say;
 * nobody, where tokens are verified alone.
 * ERROR_MALFORMED, ERROR_DENIED, ERROR_UNAUTHENTICATED, ERROR_NOT_FOUND, ERROR_TOO_LARGE.
 */
int request_read(
    struct request *r, const struct gateway *g, const struct config *config, struct error *e);

/* Whether all of the body is here that CONTENT_LENGTH promises (RFC 3875, 4.2), for who uses
 * it: a part might be taken for another one. 0, or -1 and ERROR_MALFORMED. */
int request_whole(const struct request *r, struct error *e);

/* Reads "ttl=15m&audience=x&profile=y" (WHATWG URL, 5.1). A name that is unknown, repeated or
 * without "=", a value that does not parse and a bad escape are ERROR_MALFORMED. */
int request_mint_query(const char *query, struct mint_query *m, struct error *e);

#endif
