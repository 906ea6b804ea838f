/*
 * A worker: one thread, one event loop over the listening socket, the connections, the
 * signer and the resolver. It owns accept and every wait; libfcgi only reads what is there.
 * Many connections and many requests in flight, and none of them holds up another.
 */
#ifndef FCGI_WORKER_H
#define FCGI_WORKER_H

#include "base/log.h"
#include "fcgi/handover.h"
#include "fcgi/listener.h"
#include "fcgi/peers.h"
#include "fcgi/sandbox.h"
#include "service/service.h"

struct worker_parts {
	int ready; /* for child_report(), whatever comes of the start; closed then */
	int gate;  /* nothing is taken before this is at its end; closed then. -1: at once */
	const struct listeners *listeners;
	const struct handover *handover; /* of the web server's connections */
	bool tcp;                        /* that of the web server is no Unix socket */
	int signer;                      /* our end of the socketpair */
	unsigned int signer_threads;     /* at the other end of it */
	int resolver;                    /* the same; -1: there is no resolver */
	int64_t lookup_deadline;         /* seconds that a look-up may take */
	int accounts;                    /* the same as resolver, for accounts of this host */
	const struct strings *peers;     /* who may speak for a web server */
	struct service *service;
	const struct sandbox *sandbox;
	const struct log *log;
	const struct clock *clock;
	const struct entropy *entropy;
};

/*
 * Serves until SIGTERM: then takes no more connections, finishes the requests it has, hands
 * over the connections that the web server keeps, and returns 0. On SIGUSR1 the audit log is
 * opened anew. The process must have blocked both. -1 and ERROR_INTERNAL when it cannot start.
 */
int worker_run(const struct worker_parts *parts, struct error *e);

#endif
