/*
 * Searches in a directory, over a connection that is kept between look-ups and opened when
 * there is none, to the first of the servers that answers.
 */
#ifndef IDENTITY_SOURCE_LDAP_SESSION_H
#define IDENTITY_SOURCE_LDAP_SESSION_H

#include <ldap.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/groups.h"

struct session;
struct bind;

/*
 * Reads the password, and checks URIs and TLS; reaches for no network. c must outlive it. *out
 * is NULL on failure; else session_free() it. ERROR_CONFIG, ERROR_NO_INPUT.
 */
int session_new(struct session **out, const struct ldap_config *c, struct error *e);
void session_free(struct session *s);

/* A look-up begins; all that it does ends by then (of clock_system's monotonic clock). */
void session_begin(struct session *s, int64_t deadline);

/* Whether the connection is one that was kept and that the server has ended: the same may well
 * work once more over a new one. */
bool session_went_stale(const struct session *s);

/* Given each entry. -1 and *e ends the search. */
typedef int session_visit(void *context, LDAP *ld, LDAPMessage *entry, struct error *e);

struct search {
	const char *base; /* its whole subtree */
	const char *filter;
	const char *const *attributes; /* NULL behind the last */
	int most;                      /* entries; more are a failure */
	session_visit *visit;
	void *context;
};

/* ERROR_UNAVAILABLE unless all entries were there to see: also for a base that does not exist
 * and an answer that refers to other servers. */
int session_search(struct session *s, const struct search *q, struct error *e);

/*
 * Binds as somebody else, over the connection of the search before, so that the server that
 * found the entry is the one that is asked, and closes it: nothing is done in that name. *b is
 * as for connection_bind(). ERROR_UNAVAILABLE when there is no answer.
 */
int session_bind(struct session *s, struct bind *b, struct error *e);

#endif
