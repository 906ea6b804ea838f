/* The servers of a directory, as the configuration's URIs name them. */
#ifndef IDENTITY_SOURCE_LDAP_SERVER_H
#define IDENTITY_SOURCE_LDAP_SERVER_H

#include <stdbool.h>

#include "base/error.h"
#include "config/groups.h"

enum ldap_transport { LDAP_PLAIN, LDAP_TLS, LDAP_STARTTLS, LDAP_LOCAL };

struct ldap_server {
	const char *uri; /* the configuration's */
	char *host;      /* without brackets; of LDAP_LOCAL the socket's path */
	int port;
	enum ldap_transport transport;
};

/*
 * Reads URI number i. ERROR_CONFIG for one that is not scheme://host[:port] with ldap or
 * ldaps, or ldapi:// and a path; and where a password would go to another machine in the
 * clear. On success ldap_server_clear() it.
 */
int ldap_server_read(
    struct ldap_server *s, const struct ldap_config *c, size_t i, struct error *e);
void ldap_server_clear(struct ldap_server *s);

#endif
