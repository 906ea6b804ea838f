/* What the files of this folder share; no other folder includes it. */
#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include "base/host.h"
#include "identity/subject.h"
#include "jose/verifier.h"
#include "service/audit.h"
#include "service/knowledge.h"
#include "service/request.h"
#include "service/service.h"
#include "service/trust.h"
#include "signer/signer_reuse.h"
#include "store/directory.h"
#include "store/live.h"
#include "store/publish.h"
#include "store/state.h"
#include "store/tries.h"

struct service {
	struct service_parts parts;
	struct subject_grammar *grammar;
	struct directory directory;
	struct publish_options publish;
	const struct accounts *accounts; /* who knows whose files are */
	struct live_bound *bound;        /* on all token files; shared by the workers */
	struct audit *audit;             /* NULL: none */
	struct verifier *verifier;
	struct trust *trust;        /* which stands on it */
	struct signer_reuse *reuse; /* NULL: no token is given again */
	struct state *state;        /* NULL: none */
	struct tries *tries;        /* this process's own; NULL: not yet opened */
	int64_t own_until;  /* monotonic nanoseconds until which its own keys are fresh; 0: it
			       has none */
	const char *issuer; /* of our tokens */
	char address[HOST_ADDRESS_MAX]; /* the issuer where none is configured */
	char issuer_path[LIMIT_ISSUER]; /* of an issuer that is a URL with one; else "" */
};

/* An endpoint answers g itself, now or later, and returns 0; or returns -1 and *e, and
 * the caller answers. */
typedef int endpoint(
    struct service *s, struct gateway *g, const struct request *r, struct error *e);

endpoint mint_endpoint;
endpoint health_endpoint;
endpoint ready_endpoint;
endpoint keys_endpoint;
endpoint metadata_endpoint;
endpoint groups_endpoint;
endpoint validate_endpoint;
endpoint user_endpoint;
endpoint authorize_endpoint;
endpoint introspect_endpoint;
endpoint token_endpoint;
endpoint password_endpoint;
endpoint revoke_endpoint;
endpoint get_token_endpoint;
endpoint authenticated_endpoint;

/*
 * The endpoint for a path, NULL when there is none; *methods gets what it answers. What is
 * well-known of an issuer with a path is found before and behind that path (RFC 8414, 3 and
 * 5; OpenID Connect Discovery 1.0, 4).
 */
endpoint *route_find(const char *path, const char *issuer_path, unsigned int *methods);

/* Whether the endpoint says whether a token is good, and no more. */
bool route_verifies(endpoint *found);

/* The path of an issuer that is an http or https URL without query and fragment, as RFC 8414,
 * 2 has it; without a slash at its end. 0, or -1 when the issuer is none. */
int route_issuer_path(char path[LIMIT_ISSUER], const char *issuer);

/* Whether what is below the path, which may be NULL, answers errors as JSON. */
bool route_speaks_json(const char *path);

/* The value of Allow for a set of methods. */
const char *route_allow(unsigned int methods);

/* A request that waits for the public keys. */
struct wait {
	struct service *service;
	struct gateway *gateway;
	struct request request;
};

/* Asks the signer for them: done gets a struct wait, which it frees. 0, or -1 and
 * ERROR_UNAVAILABLE, and done is not called. */
int keys_ask(struct service *s, struct gateway *g, const struct request *r, signer_done *done,
    struct error *e);

/* What is known of a decision beside the request. */
struct outcome {
	const struct query *query;         /* NULL: not that far */
	const struct grant *grant;         /* NULL: nothing was granted */
	const struct signature *signature; /* NULL: nothing was signed */
	int64_t ttl;                       /* seconds; 0: unknown */
	const char *rule;                  /* FILE:LINE; NULL: none was asked */
	const char
	    *grant_type; /* of the token endpoint, as the configuration names it; or NULL */
	int64_t retry;   /* Retry-After in seconds, where the answer has one; 0: as usual */
	const char *challenge; /* WWW-Authenticate; NULL: that of Basic */
};

/* Writes what was decided to the audit log; refusal is NULL when it was granted. */
void service_audit(struct service *s, const struct request *r, const struct outcome *o,
    int status, const struct error *refusal);

/* Logs a refusal and answers g with it. */
void service_refuse(struct service *s, struct gateway *g, const struct request *r,
    const struct outcome *o, const struct error *e);

#endif
