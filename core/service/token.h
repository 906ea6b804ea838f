/*
 * Requests for tokens that are answered with the token itself: the token endpoint (RFC 6749,
 * 3.2) and those that have its shape. What each grant asks for is a file of its own; what
 * becomes of its query is the same. For the files of this folder.
 */
#ifndef SERVICE_TOKEN_H
#define SERVICE_TOKEN_H

#include "service/fields.h"
#include "service/issue.h"

enum token_field {
	FIELD_GRANT_TYPE,
	FIELD_CLIENT_ID,
	FIELD_SCOPE,
	FIELD_AUDIENCE,
	FIELD_RESOURCE,
	FIELD_PROFILE,
	FIELD_TTL,
	FIELD_USERNAME,
	FIELD_PASSWORD,
	FIELD_REFRESH_TOKEN,
	FIELD_SUBJECT_TOKEN,
	FIELD_SUBJECT_TOKEN_TYPE,
	FIELD_ACTOR_TOKEN,
	FIELD_ACTOR_TOKEN_TYPE,
	FIELD_REQUESTED_TOKEN_TYPE,
};

/* Their names; NULL behind the last. */
extern const char *const token_fields[];

/* A request, while it is answered. */
struct token_request {
	struct issue issue; /* first, so that the one leads to the other */
	struct gateway *gateway;
	struct request request;
	struct fields fields;
	const char *grant;       /* its name in the configuration */
	bool bare;               /* the answer is {"token": ...} */
	const char *issued_type; /* RFC 8693, 2.2.1; NULL: not said */
	void *own;               /* what the grant keeps */
	int64_t retry; /* seconds until it is worth asking again; 0: nothing is known */
	/* Adds to the answer before it is given, and hears whether the web server took it;
	 * NULL: neither. */
	int (*complete)(struct token_request *t, json_t *answer, struct error *e);
	void (*settle)(struct token_request *t, bool answered);
	/* Refuses in token_refuse()'s place when it is the query that cannot be granted; NULL:
	 * nobody else does. */
	void (*denied)(struct token_request *t, const struct error *e);
};

/* The shape of grants: fills in what is to be issued and calls token_issue(), now or later, or
 * refuses. */
typedef void token_grant(struct token_request *t);

token_grant grant_client, grant_password, grant_refresh, grant_exchange;

/* The grant_types that the configuration turns on, as RFC 8414, 2 lists them. */
json_t *token_grant_types(const struct config *c);

/* A request whose issue has the service; token_issue() or token_refuse() end it. NULL and *e
 * when memory is short. */
struct token_request *token_new(
    struct service *s, struct gateway *g, const struct request *r, struct error *e);

/* Reads audience, profile and ttl into the query. ERROR_TARGET, ERROR_MALFORMED. */
int token_read_wishes(struct token_request *t, struct error *e);

/* Has the query's token made, and answers with it. */
void token_issue(struct token_request *t);

void token_refuse(struct token_request *t, const struct error *e);

#endif
