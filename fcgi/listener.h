/* The listening sockets. */
#ifndef FCGI_LISTENER_H
#define FCGI_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/*
 * The listening socket: bound to path when that is not NULL, with mode 0660 and of group
 * unless that is NULL; else the one that systemd passed (LISTEN_FDS, LISTEN_PID); else
 * descriptor 0, as spawn-fcgi and mod_fcgid pass it. Non-blocking and close-on-exec. A
 * socket that is not a Unix one is refused unless tcp. Returns the descriptor, or -1 and
 * ERROR_CONFIG.
 */
int listener_open(const char *path, const char *group, bool tcp, struct error *e);

/*
 * A second listening socket at path, which every local process may connect to: the caller on
 * it is the account at the other end, as the kernel says. Returns the descriptor, or -1 and
 * ERROR_CONFIG.
 */
int listener_open_peer(const char *path, struct error *e);

/*
 * A listening TCP socket at address, a loopback address and a port as loopback_parse() reads
 * them, where tokens are verified and nothing else is done. Returns the descriptor, or -1 and
 * ERROR_CONFIG.
 */
int listener_open_verification(const char *address, struct error *e);

/* The sockets that are served. */
struct listeners {
	int web;          /* where a web server says who the caller is */
	int peer;         /* where the kernel does; -1: there is none */
	int verification; /* where there is no caller; -1: there is none */
};

/* Whether a socket is another one than a Unix socket. */
bool listener_is_tcp(int fd);

#endif
