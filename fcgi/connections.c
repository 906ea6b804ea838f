#define _GNU_SOURCE /* POLLRDHUP */
#include "fcgi/connections.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi/exchange.h"
#include "fcgi/framing.h"

enum {
	VERIFYING_MAX = 256,   /* of all, those for tokens to be verified by TCP */
	REQUEST_DEADLINE = 10, /* seconds for a request to arrive whole */
	IDLE_DEADLINE = 300,   /* seconds that a kept connection may be silent */
	DRAIN_DEADLINE = 1,    /* seconds for a request to arrive once we are to end */
};

enum state { FREE, WAITING, LENT };

struct connection {
	struct accepted from;
	enum state state;
	bool watched; /* known to epoll */
	bool woken;   /* epoll said something while it was lent */
	bool fresh;   /* no request came on it yet, so that one is certain to come */
	bool partial; /* a part of a request is there, and its deadline runs */
	struct framing_head head;
	struct buffer gathered; /* that part, once it was taken from the socket */
	int64_t deadline;       /* monotonic nanoseconds, while waiting */
	struct connections *table;
	struct connection *next_free;
};

struct connections {
	struct connections_parts parts;
	bool draining;
	size_t open;
	struct connection *free;
	struct connection all[CONNECTIONS_MAX];
	struct bridge bridge;
	unsigned char bytes[FRAMING_MAX];
};

static int64_t
deadline_in(const struct connections *t, int seconds)
{
	return clock_monotonic(t->parts.clock) + seconds * NANOSECONDS;
}

static void
release(struct connections *t, struct connection *c)
{
	buffer_free(&c->gathered);
	free(c->from.peer);
	c->from.peer = NULL;
	c->state = FREE;
	c->next_free = t->free;
	t->free = c;
	t->open--;
}

static void
hang_up(struct connections *t, struct connection *c)
{
	close(c->from.fd); /* which takes it out of epoll too */
	release(t, c);
}

/* Edge-triggered: a connection that is lent must not wake us again and again. */
static int
watch_connection(struct connections *t, struct connection *c)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = c};

	if (c->watched)
		return 0;
	if (epoll_ctl(t->parts.epoll, EPOLL_CTL_ADD, c->from.fd, &event) == -1)
		return -1;
	c->watched = true;
	return 0;
}

/* The web server goes on using a connection that it keeps: another worker serves it. Where
 * there is none, and for others, it ends. Whoever has it then, our epoll would go on telling of
 * it. */
static void
give_on(struct connections *t, struct connection *c)
{
	bool web = c->from.peer == NULL && !c->from.verifies;

	if (c->watched)
		(void)epoll_ctl(t->parts.epoll, EPOLL_CTL_DEL, c->from.fd, NULL);
	c->watched = false;
	if (!web || !t->draining) {
		hang_up(t, c);
		return;
	}
	if (handover_give(t->parts.handover, c->from.fd) == 0) {
		release(t, c);
		return;
	}
	/* Where many are on their way, it waits for its turn: connections_expire(). */
	if ((errno != EAGAIN && errno != ETOOMANYREFS) || watch_connection(t, c) == -1)
		hang_up(t, c);
}

/* The deadline runs from the first byte on: dripping more of them does not move it. */
static void
wait_for_rest(struct connections *t, struct connection *c)
{
	if (!c->partial) {
		c->partial = true;
		c->deadline = deadline_in(t, t->draining ? DRAIN_DEADLINE : REQUEST_DEADLINE);
	}
	if (watch_connection(t, c) == -1)
		hang_up(t, c);
}

static void look(struct connections *t, struct connection *c);

/* The request is answered; the descriptor is closed already unless it is usable. */
static void
exchange_over(void *context, bool usable)
{
	struct connection *c = context;
	struct connections *t = c->table;

	c->state = WAITING;
	if (!usable) {
		release(t, c);
		return;
	}
	if (!c->head.keep || c->from.verifies) {
		hang_up(t, c);
		return;
	}
	if (t->draining)
		c->deadline = deadline_in(t, DRAIN_DEADLINE);
	if (t->draining || watch_connection(t, c) == -1) {
		give_on(t, c);
		return;
	}
	c->deadline = deadline_in(t, IDLE_DEADLINE);
	if (c->woken)
		look(t, c);
}

static enum gateway_scope
scope_of(const struct connection *c)
{
	if (!c->from.verifies)
		return SCOPE_ALL;
	return c->head.authorizer ? SCOPE_AUTHORIZER : SCOPE_VERIFICATION;
}

static void
lend(struct connections *t, struct connection *c, bool oversize)
{
	struct buffer gathered = c->gathered;
	struct arrival a = {.fd = c->from.fd,
	    .peer = c->from.peer,
	    .scope = scope_of(c),
	    .oversize = oversize,
	    .bytes = gathered.length > 0 ? gathered.data : NULL,
	    .length = gathered.length};

	c->state = LENT;
	c->woken = c->fresh = c->partial = false;
	buffer_init(&c->gathered, FRAMING_MAX);
	exchange_start(t->parts.service, &t->bridge, &a, exchange_over, c);
	buffer_free(&gathered);
}

/*
 * The state of what has come. A request mostly comes in one piece: then it is looked at
 * where it lies, and libfcgi reads it from the socket. The pieces of another one are
 * taken out and gathered, since a socket holds few small pieces.
 */
static enum framing
judge(struct connections *t, struct connection *c, size_t length)
{
	bool gathering = c->gathered.length > 0;
	enum framing verdict = FRAMING_INCOMPLETE;

	if (!gathering)
		verdict = framing_scan(t->bytes, length, &c->head);
	if (verdict != FRAMING_INCOMPLETE)
		return verdict;
	if (!gathering && recv(c->from.fd, t->bytes, length, MSG_DONTWAIT) != (ssize_t)length)
		return FRAMING_INVALID;
	if (buffer_append(&c->gathered, t->bytes, length) == -1)
		return FRAMING_INVALID;
	return gathering ? framing_scan((const unsigned char *)c->gathered.data,
			       c->gathered.length, &c->head)
			 : FRAMING_INCOMPLETE;
}

/* A web server whose client has gone closes the connection: nobody would take the token. A TCP
 * connection that was closed looks like one whose peer has said all it has to say. */
static bool
is_abandoned(const struct connection *c)
{
	struct pollfd p = {.fd = c->from.fd};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

/* Looks at what the socket holds, and lends it to libfcgi once there is a whole request. */
static void
look(struct connections *t, struct connection *c)
{
	int peek = c->gathered.length > 0 ? 0 : MSG_PEEK;
	ssize_t n = recv(c->from.fd, t->bytes, sizeof(t->bytes), peek | MSG_DONTWAIT);
	bool idle = n == -1 && (errno == EAGAIN || errno == EINTR);
	enum framing verdict;

	if (idle && (!t->draining || c->fresh || c->gathered.length > 0)) {
		if (watch_connection(t, c) == -1)
			hang_up(t, c);
		return;
	}
	if (idle) {
		give_on(t, c);
		return;
	}
	if (n <= 0) {
		hang_up(t, c);
		return;
	}
	verdict = judge(t, c, (size_t)n);
	if (c->head.authorizer && !c->from.verifies)
		verdict = FRAMING_INVALID;
	if (verdict != FRAMING_INVALID && is_abandoned(c)) {
		hang_up(t, c);
		return;
	}
	switch (verdict) {
	case FRAMING_INCOMPLETE:
		wait_for_rest(t, c);
		break;
	case FRAMING_COMPLETE:
		lend(t, c, false);
		break;
	case FRAMING_OVERSIZE:
		lend(t, c, true);
		break;
	case FRAMING_INVALID:
		log_line(t->parts.log, LOG_LEVEL_WARNING,
		    "Hung up on a peer that sent no well-formed FastCGI request");
		hang_up(t, c);
		break;
	}
}

void
connections_begin(struct connections *t, const struct accepted *a)
{
	struct connection *c = t->free;

	t->free = c->next_free;
	t->open++;
	*c = (struct connection){.from = *a, .state = WAITING, .fresh = !a->handed, .table = t};
	buffer_init(&c->gathered, FRAMING_MAX);
	c->deadline = deadline_in(t, t->draining ? DRAIN_DEADLINE
				     : a->handed ? IDLE_DEADLINE
						 : REQUEST_DEADLINE);
	look(t, c);
}

/* The event alone may be one of the connection that had this place before, earlier in the
 * same batch, so the socket is asked. */
static bool
peer_is_gone(const struct connection *c)
{
	struct pollfd p = {.fd = c->from.fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) == 1;
}

void
connections_wake(struct connections *t, struct connection *c, uint32_t events)
{
	if (c->state == LENT)
		c->woken = true;
	if (c->state != WAITING)
		return;
	look(t, c);
	/* What is not whole when the peer has gone never will be. */
	if (c->state == WAITING && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 &&
	    peer_is_gone(c))
		hang_up(t, c);
}

void
connections_expire(struct connections *t)
{
	int64_t now = clock_monotonic(t->parts.clock);

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &t->all[i];

		if (c->state == WAITING && t->draining && !c->fresh && !c->partial &&
		    c->gathered.length == 0)
			give_on(t, c);
		if (c->state == WAITING && c->deadline <= now)
			hang_up(t, c);
	}
}

void
connections_drain(struct connections *t)
{
	t->draining = true;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &t->all[i];

		if (c->state != WAITING)
			continue;
		c->partial = false; /* the shorter deadline counts now */
		c->deadline = deadline_in(t, DRAIN_DEADLINE);
		look(t, c);
	}
}

size_t
connections_count(const struct connections *t)
{
	return t->open;
}

bool
connections_full(const struct connections *t)
{
	return t->free == NULL;
}

void
connections_local(const struct connections *t, uid_t uid, size_t *own, size_t *all)
{
	*own = *all = 0;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		const struct connection *c = &t->all[i];

		if (c->state == FREE || c->from.peer == NULL)
			continue;
		(*all)++;
		*own += c->from.uid == uid;
	}
}

bool
connections_make_room(struct connections *t)
{
	struct connection *oldest = NULL;
	size_t all = 0;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &t->all[i];

		if (c->state == FREE || !c->from.verifies)
			continue;
		all++;
		if (c->state == WAITING && (oldest == NULL || c->deadline < oldest->deadline))
			oldest = c;
	}
	if (all >= VERIFYING_MAX && oldest != NULL)
		hang_up(t, oldest);
	return all < VERIFYING_MAX || oldest != NULL;
}

int
connections_open(
    struct connections **out, const struct connections_parts *parts, struct error *e)
{
	struct connections *t = calloc(1, sizeof(*t));

	*out = NULL;
	if (t == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	t->parts = *parts;
	for (size_t i = CONNECTIONS_MAX; i-- > 0;) {
		t->all[i].next_free = t->free;
		t->free = &t->all[i];
	}
	if (exchange_init(&t->bridge) == -1) {
		error_set(e, ERROR_INTERNAL, "the worker cannot start: %s", strerror(errno));
		free(t);
		return -1;
	}
	*out = t;
	return 0;
}

void
connections_free(struct connections *t)
{
	if (t == NULL)
		return;
	exchange_end(&t->bridge);
	free(t);
}
