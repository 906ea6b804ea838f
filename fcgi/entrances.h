/* The listening sockets of a worker, and who is let in by each. */
#ifndef FCGI_ENTRANCES_H
#define FCGI_ENTRANCES_H

#include <stdbool.h>

#include "base/account.h"
#include "base/log.h"
#include "config/config.h"
#include "fcgi/connections.h"
#include "fcgi/listener.h"
#include "fcgi/peers.h"

struct arrival;
struct entrances;

/* A listening socket, and whether we are told of connections to it. */
struct entrance {
	int listener; /* -1: there is none */
	bool accepting;
	/* What becomes of a connection. */
	void (*take)(struct entrances *all, int fd);
};

enum { WEB, HANDED, PEERS, VERIFICATION, ENTRANCES };

struct entrances {
	struct entrance each[ENTRANCES];
	struct peers known; /* who may connect */
	const struct accounts *accounts;
	struct arrival *arrivals; /* who waits for the name of his account */
	struct connections *connections;
	bool tcp; /* that of the web server is no Unix socket */
	int epoll;
};

struct entrances_parts {
	const struct listeners *listeners;
	const struct handover *handover; /* of the web server's connections */
	const struct strings *peers;     /* who may speak for a web server */
	const struct accounts *accounts; /* who knows what local processes are called */
	bool tcp;
	const struct log *log;
	const struct clock *clock;
	struct connections *connections; /* where what comes in goes */
	int epoll;                       /* an event leads to its struct entrance */
};

/* All of it must outlive *all. */
void entrances_init(struct entrances *all, const struct entrances_parts *parts);

/* Whether epoll's event is of one of them. */
bool entrances_have(const struct entrances *all, const void *source);

/* Starts or stops being told of connections; whether we are told of all. */
void entrances_accept(struct entrances *all, bool accepting);
bool entrances_accepting(const struct entrances *all);

/* Whether connections wait to be let in. */
bool entrances_busy(const struct entrances *all);

/* Takes a few of the connections that wait at one; entrances_accept() goes on with them when
 * there was no room. */
void entrances_take(struct entrances *all, struct entrance *from);

/* Takes all that wait, and no more from then on: their senders think that they are connected.
 */
void entrances_close(struct entrances *all);

#endif
