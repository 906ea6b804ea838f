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
	bool lost;    /* it ended because the server ended it */
	bool refused; /* the server refused the bind: others would too */
};

/* Whether ca-file, or what there is in its place, is one. ERROR_NO_INPUT, ERROR_CONFIG. */
int connection_check_ca(const struct ldap_config *c, struct error *e);

/* Connects and binds until c->stream.deadline; password is of config->bind_dn.
 * ERROR_UNAVAILABLE: c->ld is NULL. */
int connection_open(struct connection *c, const struct ldap_server *s,
    const struct ldap_config *config, const struct buffer *password, struct error *e);

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
