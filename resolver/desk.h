/*
 * Where look-ups arrive and are answered: from what is kept, or by threads that ask the
 * sources. However many ask for one user at once, the sources are asked once. Whoever waits is
 * answered within the deadline, even when a source hangs.
 */
#ifndef RESOLVER_DESK_H
#define RESOLVER_DESK_H

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "config/groups.h"

struct desk;

struct desk_parts {
	const struct groups_config *config;
	const struct clock *clock;
	const struct log *log;
};

/* Opens the sources, so that what is wrong with them is said at once. Errors as chain_open().
 * *out is NULL on failure. */
int desk_open(struct desk **out, const struct desk_parts *parts, struct error *e);

/*
 * Serves count ends of SOCK_SEQPACKET socketpairs until the last of them has ended. 0, or -1
 * and ERROR_INTERNAL. What threads still do then ends with the process.
 */
int desk_serve(struct desk *d, const int *sockets, size_t count, struct error *e);

#endif
