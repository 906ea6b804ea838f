/*
 * Connecting to a directory's server within a time. libldap would give each address of a name
 * as much again.
 */
#ifndef IDENTITY_LDAP_SOCKET_H
#define IDENTITY_LDAP_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/*
 * A descriptor that does not block and is closed on exec; -1 and ERROR_UNAVAILABLE. until is
 * of clock_system's monotonic clock. Every address of the host is tried; what looks the name up
 * has its own timeout (resolv.conf(5)).
 */
int ldap_socket_connect(const char *host, int port, int64_t until, struct error *e);

/* The same for a socket in the file system. */
int ldap_socket_connect_local(const char *path, struct error *e);

/* Waits until it can be read from, or written to: 1. 0 when the time is over. */
int ldap_socket_wait(int fd, short events, int64_t until);

/* Whether what is sent to the host leaves the machine: all but localhost, 127.0.0.0/8, ::1. */
bool ldap_socket_leaves(const char *host);

#endif
