/* The port on loopback: whether it is free, and whether the whole of it answers. */
#ifndef AUTHSERVER_PORT_H
#define AUTHSERVER_PORT_H

#include <stdint.h>

#include "base/error.h"

/* Whether nginx could listen on the port, asked before it tries for seconds:
 * ERROR_UNAVAILABLE, ERROR_NO_PERMISSION. */
int port_check(uint16_t port, struct error *e);

/* A question to the service that is asked in steps which never wait. */
struct port_probe {
	uint16_t port;
	const char *host; /* a Host that is answered */
	int fd;           /* -1 between attempts */
};

/* 1 once an answer came through nginx from the FastCGI program, 0 while there is none. */
int port_probe_step(struct port_probe *p);

void port_probe_end(struct port_probe *p);

#endif
