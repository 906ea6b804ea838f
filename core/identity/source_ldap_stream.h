/*
 * What libldap reads and writes goes through here, so that nothing waits past the deadline: the
 * handshake of TLS, in libldap, would wait for a server that hangs for as long as it hangs.
 */
#ifndef IDENTITY_SOURCE_LDAP_STREAM_H
#define IDENTITY_SOURCE_LDAP_STREAM_H

#include <ldap.h>
#include <stdint.h>

struct stream {
	int fd;           /* a socket; the LDAP handle closes it */
	int64_t deadline; /* of clock_system's monotonic clock; then errno is ETIMEDOUT */
};

/* Makes ld, which ldap_init_fd() made of LDAP_PROTO_EXT, use *st, which must outlive it. 0 or
 * -1. */
int stream_attach(LDAP *ld, struct stream *st);

#endif
