/* The sockets by which look-ups come to the desk and passwords to the gate, and their answers
 * go. */
#ifndef RESOLVER_SERVE_H
#define RESOLVER_SERVE_H

#include "resolver/desk.h"
#include "resolver/gate.h"

struct counters {
	struct desk *desk;
	struct gate *gate;
};

/*
 * Serves count ends of SOCK_SEQPACKET socketpairs until the last of them has ended. 0, or -1
 * and ERROR_INTERNAL. What threads still do then ends with the process.
 */
int serve_sockets(const struct counters *c, const int *sockets, size_t count, struct error *e);

#endif
