/*
 * The connections of a worker: each waits until a whole request is there, is then lent to
 * libfcgi for the time of an exchange, and waits again. One that is slow, or silent for too
 * long, is hung up on.
 */
#ifndef FCGI_CONNECTIONS_H
#define FCGI_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "fcgi/handover.h"
#include "service/service.h"

struct connections;
struct connection;

enum { CONNECTIONS_MAX = 1024 };

struct connections_parts {
	struct service *service;
	const struct handover *handover; /* of the web server's connections */
	const struct log *log;
	const struct clock *clock;
	int epoll; /* where they are watched; an event leads to its struct connection */
};

/* None at first, with libfcgi ready to be lent to. 0, or -1 and ERROR_INTERNAL. */
int connections_open(
    struct connections **out, const struct connections_parts *parts, struct error *e);

/* Frees the table, when no exchange goes on; NULL is left alone. */
void connections_free(struct connections *t);

/* How many there are, and whether there can be no more. */
size_t connections_count(const struct connections *t);
bool connections_full(const struct connections *t);

/* Of an account's connections, and of all local ones, how many there are. */
void connections_local(const struct connections *t, uid_t uid, size_t *own, size_t *all);

/* Makes room for one more by TCP: where all places for them are taken, whoever has been silent
 * for longest is hung up on. Whether there is room. */
bool connections_make_room(struct connections *t);

/* One that was accepted; there must be a place. It takes over fd and peer. */
struct accepted {
	int fd;
	char *peer;    /* the account at the other end; NULL: a web server, or verifies */
	uid_t uid;     /* of that account; 0 for a web server's */
	bool verifies; /* it came by TCP, to have a token verified */
	bool handed;   /* it was another worker's, and may wait for its next request */
};
void connections_begin(struct connections *t, const struct accepted *a);

/* epoll said something of one. */
void connections_wake(struct connections *t, struct connection *c, uint32_t events);

/* Hangs up on those whose time is over. */
void connections_expire(struct connections *t);

/* From now on each connection ends with the request that it has; what the web server keeps is
 * handed over then. */
void connections_drain(struct connections *t);

#endif
