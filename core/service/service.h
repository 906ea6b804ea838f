/*
 * The service: takes a request from a gateway through route, policy, signer and store
 * to its response. One thread; a request that waits for the signer holds up no other.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <stdbool.h>

#include "base/account.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "identity/lookup.h"
#include "identity/password.h"
#include "identity/policy.h"
#include "service/gateway.h"
#include "signer/signer.h"

struct service;

/* What the process that started us knows; it may change at any time. */
struct condition {
	_Atomic bool stale; /* the last reload failed: an older configuration serves */
};

/* What a service stands on; all of it must outlive it. */
struct service_parts {
	const struct config *config;
	const struct policy *policy;
	struct signer *signer;              /* may be set later by service_set_signer() */
	struct lookup *lookup;              /* and by service_set_lookup() */
	struct password_checker *passwords; /* and by service_set_passwords() */
	const struct log *log;
	const struct clock *clock;
	const struct entropy *entropy;
	const struct condition *condition; /* NULL: nothing to know */
	const char *sandbox; /* what our processes are kept in, in words; NULL: in nothing */
};

/*
 * Opens the token directory and the audit log and tries what a mint will need, so that what is
 * wrong is said at the start: ERROR_CONFIG, ERROR_NO_PERMISSION, ERROR_UNAVAILABLE.
 * *out is NULL on failure, else service_close() it.
 */
int service_open(struct service **out, const struct service_parts *parts, struct error *e);
void service_close(struct service *s);

void service_set_signer(struct service *s, struct signer *signer);
void service_set_lookup(struct service *s, struct lookup *lookup);
void service_set_passwords(struct service *s, struct password_checker *passwords);

/* Who looks up the accounts that token files are for; without, this process does. */
void service_set_accounts(struct service *s, const struct accounts *accounts);

/* Whether a service that stands on these ever looks up a user or keys, or checks a password:
 * without, no lookup is needed. */
bool service_needs_resolver(const struct config *c, const struct policy *p);

/* The descriptors that a process which closes others must keep; -1 for one that is not
 * there: the token directory, the audit log, the directories of the state. */
enum { SERVICE_TOKENS, SERVICE_AUDIT, SERVICE_STATE, SERVICE_DESCRIPTORS = SERVICE_STATE + 3 };
void service_descriptors(const struct service *s, int fds[SERVICE_DESCRIPTORS]);

/* Opens the audit log by its name again. What cannot be opened leaves the old one. */
void service_reopen_audit(struct service *s);

/* Serves one request: g->respond is called once, now or when the signer has answered. */
void service_handle(struct service *s, struct gateway *g);

#endif
