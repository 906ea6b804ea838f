/*
 * A connection to one server of a directory: socket, TLS, bind, and waiting for answers, all of
 * it until a deadline. Nothing is asked and no password sent before TLS is there, where it is
 * wanted.
 */
#ifndef IDENTITY_SOURCE_LDAP_CONNECTION_H
#define IDENTITY_SOURCE_LDAP_CONNECTION_H

#include <ldap.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "identity/source_ldap_server.h"
#include "identity/source_ldap_stream.h"

struct connection {
	LDAP *ld; /* NULL while there is none */
	struct stream stream;
	bool lost; /* it ended because the server ended it */
};

/* Whether ca-file, or what there is in its place, is one. ERROR_NO_INPUT, ERROR_CONFIG. */
int connection_check_ca(const struct ldap_config *c, struct error *e);

/* Connects until c->stream.deadline, with TLS where it is wanted; nobody has bound yet.
 * ERROR_UNAVAILABLE: c->ld is NULL. */
int connection_open(struct connection *c, const struct ldap_server *s,
    const struct ldap_config *config, struct error *e);

/* A simple bind (RFC 4513, 5.1). */
struct bind {
	const char *dn; /* NULL: anonymous, with an empty password */
	const struct buffer *password;
	int result;       /* what the server answers: LDAP_SUCCESS or why not */
	bool conditional; /* a success that is one only to change the password, or that says
			     that the account is locked (ppolicy) */
	char words[LIMIT_ERROR_DETAIL]; /* the server's own about it; "" */
};

/* Asks for it, and fills what the server said. ERROR_UNAVAILABLE when there is no answer: the
 * connection is then closed. */
int connection_bind(struct connection *c, struct bind *b, struct error *e);

/* Also when there is none. */
void connection_close(struct connection *c);

/*
 * The next message about the operation, to be freed with ldap_msgfree(). ERROR_UNAVAILABLE
 * when none comes in time or the connection ended: it is then closed, since libldap would
 * open another one by itself, without TLS and bind.
 */
int connection_await(
    struct connection *c, int operation, LDAPMessage **message, struct error *e);

/* Closes it and says why: libldap's code, with the server's own words where there are any. */
int connection_fail(struct connection *c, int code, const char *what, struct error *e);

#endif
