/*
 * The sockets between the workers of a generation and a process that all of them ask: the
 * signer, or the resolver. The monitor holds both ends, so that what is queued in one outlives
 * a process that dies.
 */
#ifndef FCGI_LINKS_H
#define FCGI_LINKS_H

#include "base/error.h"
#include "base/limits.h"

/* One a worker; -1 where there is none. */
struct links {
	int worker[LIMIT_WORKERS]; /* the ends of the workers */
	int other[LIMIT_WORKERS];  /* those of the process that they ask */
};

/* What links_open() and links_close() can be called with. */
void links_init(struct links *l);

/* Makes the links of count workers, LIMIT_WORKERS at most. 0, or -1 and *e; then too they are
 * closed by links_close(). */
int links_open(struct links *l, unsigned int count, struct error *e);

/* Whoever reads one comes to its end, in whatever process. */
void links_shutdown(const struct links *l);

void links_close(struct links *l);

#endif
