#define _GNU_SOURCE /* accept4, POLLRDHUP */
#include "fcgi/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "fcgi/exchange.h"
#include "fcgi/framing.h"
#include "identity/lookup_remote.h"
#include "signer/signer_remote.h"

enum {
	CONNECTIONS_MAX = 1024,
	VERIFYING_MAX = 256, /* of those, for tokens to be verified by TCP */
	EVENTS_MAX = 64,
	ACCEPT_BURST = 32,     /* accepted before the connections we have get a turn */
	REQUEST_DEADLINE = 10, /* seconds for a request to arrive whole */
	IDLE_DEADLINE = 300,   /* seconds that a kept connection may be silent */
	DRAIN_DEADLINE = 1,    /* seconds for a request to arrive once we are to end */
	TCP_DEADLINE = 5,      /* seconds that a write to a TCP peer may take */
};

enum state { FREE, WAITING, LENT };

struct connection {
	int fd;
	enum state state;
	bool watched;  /* known to epoll */
	bool woken;    /* epoll said something while it was lent */
	bool verifies; /* it came by TCP, to have a token verified */
	struct framing_head head;
	bool fresh;             /* no request came on it yet, so that one is certain to come */
	bool partial;           /* a part of a request is there, and its deadline runs */
	struct buffer gathered; /* that part, once it was taken from the socket */
	int64_t deadline;       /* monotonic nanoseconds, while waiting */
	char *peer; /* the account at the other end; NULL: a web server, or verifies */
	uid_t uid;  /* of that account; 0 for a web server's */
	struct worker *worker;
	struct connection *next_free;
};

/* A listening socket, and whether we are told of connections to it. */
struct entrance {
	int listener; /* -1: there is none */
	bool accepting;
	void (*take)(struct worker *w, int fd); /* what becomes of a connection */
};

enum { WEB, HANDED, PEERS, VERIFICATION, ENTRANCES };

struct worker {
	const struct worker_parts *parts;
	struct signer_remote *signer;
	struct lookup_remote *lookup; /* NULL: there is no resolver */
	int epoll;
	int signals;
	struct entrance entrances[ENTRANCES];
	struct peers known; /* who may connect */
	bool draining;
	size_t open;
	struct connection *free;
	struct connection connections[CONNECTIONS_MAX];
	struct bridge bridge;
	unsigned char bytes[FRAMING_MAX];
};

static int64_t
deadline_in(const struct worker *w, int seconds)
{
	return clock_monotonic(w->parts->clock) + seconds * NANOSECONDS;
}

/* Level-triggered, and only one of several workers is woken by a connection. */
static void
set_accepting(struct worker *w, struct entrance *from, bool accepting)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = from};

	if (from->listener == -1 || accepting == from->accepting)
		return;
	if (epoll_ctl(w->epoll, accepting ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, from->listener,
		&event) == 0)
		from->accepting = accepting;
}

static void
set_all_accepting(struct worker *w, bool accepting)
{
	for (size_t i = 0; i < ENTRANCES; i++)
		set_accepting(w, &w->entrances[i], accepting);
}

static void
release(struct worker *w, struct connection *c)
{
	buffer_free(&c->gathered);
	free(c->peer);
	c->peer = NULL;
	c->state = FREE;
	c->next_free = w->free;
	w->free = c;
	w->open--;
}

static void
hang_up(struct worker *w, struct connection *c)
{
	close(c->fd); /* which takes it out of epoll too */
	release(w, c);
}

/* The web server goes on using a connection that it keeps: another worker serves it. Where
 * there is none, and for others, it ends. Whoever has it then, our epoll would go on telling of
 * it. */
static void
give_on(struct worker *w, struct connection *c)
{
	bool web = c->peer == NULL && !c->verifies;

	if (c->watched)
		(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	if (web && w->draining && handover_give(w->parts->handover, c->fd) == 0)
		release(w, c);
	else
		hang_up(w, c);
}

/* Edge-triggered: a connection that is lent must not wake us again and again. */
static int
watch_connection(struct worker *w, struct connection *c)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = c};

	if (c->watched)
		return 0;
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, c->fd, &event) == -1)
		return -1;
	c->watched = true;
	return 0;
}

/* The deadline runs from the first byte on: dripping more of them does not move it. */
static void
wait_for_rest(struct worker *w, struct connection *c)
{
	if (!c->partial) {
		c->partial = true;
		c->deadline = deadline_in(w, w->draining ? DRAIN_DEADLINE : REQUEST_DEADLINE);
	}
	if (watch_connection(w, c) == -1)
		hang_up(w, c);
}

static void look(struct worker *w, struct connection *c);

/* The request is answered; the descriptor is closed already unless it is usable. */
static void
exchange_over(void *context, bool usable)
{
	struct connection *c = context;
	struct worker *w = c->worker;

	c->state = WAITING;
	if (!usable) {
		release(w, c);
		return;
	}
	if (!c->head.keep || c->verifies) {
		hang_up(w, c);
		return;
	}
	if (w->draining || watch_connection(w, c) == -1) {
		give_on(w, c);
		return;
	}
	c->deadline = deadline_in(w, IDLE_DEADLINE);
	if (c->woken)
		look(w, c);
}

static enum gateway_scope
scope_of(const struct connection *c)
{
	if (!c->verifies)
		return SCOPE_ALL;
	return c->head.authorizer ? SCOPE_AUTHORIZER : SCOPE_VERIFICATION;
}

static void
lend(struct worker *w, struct connection *c, bool oversize)
{
	struct buffer gathered = c->gathered;
	struct arrival a = {.fd = c->fd,
	    .peer = c->peer,
	    .scope = scope_of(c),
	    .oversize = oversize,
	    .bytes = gathered.length > 0 ? gathered.data : NULL,
	    .length = gathered.length};

	c->state = LENT;
	c->woken = c->fresh = c->partial = false;
	buffer_init(&c->gathered, FRAMING_MAX);
	exchange_start(w->parts->service, &w->bridge, &a, exchange_over, c);
	buffer_free(&gathered);
}

/*
 * The state of what has come. A request mostly comes in one piece: then it is looked at
 * where it lies, and libfcgi reads it from the socket. The pieces of another one are
 * taken out and gathered, since a socket holds few small pieces.
 */
static enum framing
judge(struct worker *w, struct connection *c, size_t length)
{
	bool gathering = c->gathered.length > 0;
	enum framing verdict = FRAMING_INCOMPLETE;

	if (!gathering)
		verdict = framing_scan(w->bytes, length, &c->head);
	if (verdict != FRAMING_INCOMPLETE)
		return verdict;
	if (!gathering && recv(c->fd, w->bytes, length, MSG_DONTWAIT) != (ssize_t)length)
		return FRAMING_INVALID;
	if (buffer_append(&c->gathered, w->bytes, length) == -1)
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
	struct pollfd p = {.fd = c->fd};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

/* Looks at what the socket holds, and lends it to libfcgi once there is a whole request. */
static void
look(struct worker *w, struct connection *c)
{
	int peek = c->gathered.length > 0 ? 0 : MSG_PEEK;
	ssize_t n = recv(c->fd, w->bytes, sizeof(w->bytes), peek | MSG_DONTWAIT);
	bool idle = n == -1 && (errno == EAGAIN || errno == EINTR);
	enum framing verdict;

	if (idle && (!w->draining || c->fresh || c->gathered.length > 0)) {
		if (watch_connection(w, c) == -1)
			hang_up(w, c);
		return;
	}
	if (idle) {
		give_on(w, c);
		return;
	}
	if (n <= 0) {
		hang_up(w, c);
		return;
	}
	verdict = judge(w, c, (size_t)n);
	if (c->head.authorizer && !c->verifies)
		verdict = FRAMING_INVALID;
	if (verdict != FRAMING_INVALID && is_abandoned(c)) {
		hang_up(w, c);
		return;
	}
	switch (verdict) {
	case FRAMING_INCOMPLETE:
		wait_for_rest(w, c);
		break;
	case FRAMING_COMPLETE:
		lend(w, c, false);
		break;
	case FRAMING_OVERSIZE:
		lend(w, c, true);
		break;
	case FRAMING_INVALID:
		log_line(w->parts->log, LOG_LEVEL_WARNING,
		    "Hung up on a peer that sent no well-formed FastCGI request");
		hang_up(w, c);
		break;
	}
}

/* The table's next free place, for a connection that is to be served. One that is fresh was
 * made for a request; another one may wait for its next one. */
static void
begin(struct worker *w, const struct connection *accepted, bool fresh)
{
	struct connection *c = w->free;

	w->free = c->next_free;
	w->open++;
	*c = *accepted;
	c->state = WAITING;
	c->fresh = fresh;
	c->worker = w;
	buffer_init(&c->gathered, FRAMING_MAX);
	c->deadline = deadline_in(w, fresh ? REQUEST_DEADLINE : IDLE_DEADLINE);
	look(w, c);
}

static void
take_web(struct worker *w, int fd)
{
	struct timeval limit = {.tv_sec = TCP_DEADLINE};

	if (!peers_admit_web(&w->known, fd)) {
		close(fd);
		return;
	}
	if (w->parts->tcp)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	begin(w, &(struct connection){.fd = fd}, true);
}

static void
take_handed(struct worker *w, int fd)
{
	if (peers_admit_web(&w->known, fd))
		begin(w, &(struct connection){.fd = fd}, false);
	else
		close(fd);
}

static void
take_peer(struct worker *w, int fd)
{
	uid_t uid = peers_uid(fd);
	size_t all = 0, own = 0;
	char *peer;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		const struct connection *c = &w->connections[i];

		if (c->state == FREE || c->peer == NULL)
			continue;
		all++;
		own += c->uid == uid;
	}
	peer = peers_admit_local(&w->known, uid, own, all);
	if (peer == NULL)
		close(fd);
	else
		begin(w, &(struct connection){.fd = fd, .peer = peer, .uid = uid}, true);
}

/*
 * TCP does not say who connects, so that nobody can have a share. Where all places are taken,
 * whoever has been silent for longest gives way: a web server sends its request at once.
 */
static void
take_verification(struct worker *w, int fd)
{
	struct connection *oldest = NULL;
	size_t all = 0;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &w->connections[i];

		if (c->state == FREE || !c->verifies)
			continue;
		all++;
		if (c->state == WAITING && (oldest == NULL || c->deadline < oldest->deadline))
			oldest = c;
	}
	if (all >= VERIFYING_MAX && oldest == NULL) {
		close(fd);
		return;
	}
	if (all >= VERIFYING_MAX)
		hang_up(w, oldest);
	begin(w, &(struct connection){.fd = fd, .verifies = true}, true);
}

/* Pauses when the table or the process's descriptors are used up; a tick resumes. */
static void
take_connections(struct worker *w, struct entrance *from, int burst)
{
	for (int i = 0; i < burst && from->listener != -1; i++) {
		/* A Unix socket takes a write of libfcgi's whole or not at all; a TCP one might
		 * take a part, so there a write has to wait. It need not where a connection
		 * carries one answer, for which an empty socket has room. */
		int block = w->parts->tcp && from == &w->entrances[WEB] ? 0 : SOCK_NONBLOCK;
		int fd = -1;

		if (w->free != NULL && from == &w->entrances[HANDED])
			fd = handover_take(from->listener);
		else if (w->free != NULL)
			fd = accept4(from->listener, NULL, NULL, SOCK_CLOEXEC | block);
		if (fd == -1 && w->free != NULL &&
		    (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
			return;
		if (fd == -1) {
			set_accepting(w, from, false);
			return;
		}
		from->take(w, fd);
	}
}

/* What waits in the queue is still taken: its senders think that they are connected. */
static void
drain(struct worker *w)
{
	if (w->draining)
		return;
	for (size_t i = 0; i < ENTRANCES; i++)
		take_connections(w, &w->entrances[i], CONNECTIONS_MAX);
	set_all_accepting(w, false);
	w->draining = true;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &w->connections[i];

		if (c->state != WAITING)
			continue;
		c->partial = false; /* the shorter deadline counts now */
		c->deadline = deadline_in(w, DRAIN_DEADLINE);
		look(w, c);
	}
}

static void
take_signals(struct worker *w)
{
	struct signalfd_siginfo info;

	while (read(w->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM)
			drain(w);
		else
			service_reopen_audit(w->parts->service);
	}
}

static void
tick(struct worker *w)
{
	int64_t now = clock_monotonic(w->parts->clock);

	signer_remote_expire(w->signer);
	if (w->lookup != NULL)
		lookup_remote_expire(w->lookup);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &w->connections[i];

		if (c->state == WAITING && c->deadline <= now)
			hang_up(w, c);
	}
	if (!w->draining && w->free != NULL)
		set_all_accepting(w, true);
}

/* The end comes only when the monitor is gone, and then we drain; it would wake us for
 * ever. */
static void
take_answers(struct worker *w)
{
	if (signer_remote_receive(w->signer) == -1)
		(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->parts->signer, NULL);
}

static void
take_memberships(struct worker *w)
{
	if (lookup_remote_receive(w->lookup) == -1)
		(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->parts->resolver, NULL);
}

/* The event alone may be one of the connection that had this place before, earlier in the
 * same batch, so the socket is asked. */
static bool
peer_is_gone(const struct connection *c)
{
	struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) == 1;
}

/* What is not whole when the peer has gone never will be. */
static void
wake(struct worker *w, struct connection *c, uint32_t events)
{
	look(w, c);
	if (c->state == WAITING && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 &&
	    peer_is_gone(c))
		hang_up(w, c);
}

static bool
is_entrance(const struct worker *w, const void *source)
{
	for (size_t i = 0; i < ENTRANCES; i++)
		if (source == &w->entrances[i])
			return true;
	return false;
}

static void
dispatch(struct worker *w, void *source, uint32_t events)
{
	struct connection *c = source;

	if (is_entrance(w, source))
		take_connections(w, source, ACCEPT_BURST);
	else if (source == &w->signals)
		take_signals(w);
	else if (source == &w->lookup)
		take_memberships(w);
	else if (c->state == WAITING)
		wake(w, c, events);
	else if (c->state == LENT)
		c->woken = true;
}

/* What makes room comes before what needs it. */
static void
dispatch_all(struct worker *w, struct epoll_event *events, int count)
{
	for (int i = 0; i < count; i++)
		if (events[i].data.ptr == &w->signer)
			take_answers(w);
	for (int i = 0; i < count; i++)
		if (events[i].data.ptr != &w->signer)
			dispatch(w, events[i].data.ptr, events[i].events);
}

static bool
all_accepting(const struct worker *w)
{
	for (size_t i = 0; i < ENTRANCES; i++)
		if (w->entrances[i].listener != -1 && !w->entrances[i].accepting)
			return false;
	return true;
}

/* Ticks once a second while there is anything whose time can run out; an idle worker
 * sleeps until something happens. */
static void
loop(struct worker *w)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t next_tick = deadline_in(w, 1);

	while (!w->draining || w->open > 0) {
		bool timed = w->open > 0 || !all_accepting(w);
		int n = epoll_wait(w->epoll, events, EVENTS_MAX, timed ? 1000 : -1);

		dispatch_all(w, events, n);
		if (timed && clock_monotonic(w->parts->clock) >= next_tick) {
			tick(w);
			next_tick = deadline_in(w, 1);
		}
	}
}

static int
watch(struct worker *w, int fd, void *source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	return fd == -1 ? -1 : epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
}

int
worker_run(const struct worker_parts *parts, struct error *e)
{
	struct worker *w = calloc(1, sizeof(*w));
	sigset_t stop;
	int rc = -1;

	if (w == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	w->parts = parts;
	w->epoll = w->signals = -1;
	w->entrances[WEB] = (struct entrance){parts->listeners->web, false, take_web};
	w->entrances[HANDED] = (struct entrance){parts->handover->out, false, take_handed};
	w->entrances[PEERS] = (struct entrance){parts->listeners->peer, false, take_peer};
	w->entrances[VERIFICATION] =
	    (struct entrance){parts->listeners->verification, false, take_verification};
	peers_init(&w->known, parts->peers, parts->log, parts->clock);
	for (size_t i = CONNECTIONS_MAX; i-- > 0;) {
		w->connections[i].next_free = w->free;
		w->free = &w->connections[i];
	}
	if (signer_remote_new(&w->signer, parts->signer, parts->signer_threads, parts->clock,
		parts->entropy, e) == -1)
		goto out;
	service_set_signer(parts->service, signer_remote_signer(w->signer));
	if (parts->resolver != -1) {
		if (lookup_remote_new(&w->lookup, parts->resolver, parts->lookup_deadline,
			parts->clock, parts->entropy, e) == -1)
			goto out;
		service_set_lookup(parts->service, lookup_remote_lookup(w->lookup));
		service_set_passwords(parts->service, lookup_remote_passwords(w->lookup));
	}
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGUSR1);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->epoll == -1 || watch(w, w->signals, &w->signals) == -1 ||
	    watch(w, parts->signer, &w->signer) == -1 ||
	    (parts->resolver != -1 && watch(w, parts->resolver, &w->lookup) == -1) ||
	    exchange_init(&w->bridge) == -1) {
		error_set(e, ERROR_INTERNAL, "the worker cannot start: %s", strerror(errno));
		goto out;
	}
	set_all_accepting(w, true);
	loop(w);
	rc = 0;
out:
	signer_remote_free(w->signer);
	lookup_remote_free(w->lookup);
	if (w->epoll != -1)
		close(w->epoll);
	if (w->signals != -1)
		close(w->signals);
	free(w);
	return rc;
}
