#define _GNU_SOURCE /* accept4 */
#include "fcgi/entrances.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	ACCEPT_BURST = 32, /* accepted before the connections we have get a turn */
	TCP_DEADLINE = 5,  /* seconds that a write to a TCP peer may take */
};

/* Level-triggered, and only one of several workers is woken by a connection. */
static void
set_accepting(const struct entrances *all, struct entrance *from, bool accepting)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = from};

	if (from->listener == -1 || accepting == from->accepting)
		return;
	if (epoll_ctl(all->epoll, accepting ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, from->listener,
		&event) == 0)
		from->accepting = accepting;
}

void
entrances_accept(struct entrances *all, bool accepting)
{
	for (size_t i = 0; i < ENTRANCES; i++)
		set_accepting(all, &all->each[i], accepting);
}

bool
entrances_accepting(const struct entrances *all)
{
	for (size_t i = 0; i < ENTRANCES; i++)
		if (all->each[i].listener != -1 && !all->each[i].accepting)
			return false;
	return true;
}

static void
take_web(struct entrances *all, int fd)
{
	struct timeval limit = {.tv_sec = TCP_DEADLINE};

	if (!peers_admit_web(&all->known, fd)) {
		close(fd);
		return;
	}
	if (all->tcp)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	connections_begin(all->connections, &(struct accepted){.fd = fd});
}

static void
take_handed(struct entrances *all, int fd)
{
	/* As those that we accept: a write to it does not wait. */
	if (listener_is_tcp(fd) == all->tcp && peers_admit_web(&all->known, fd) &&
	    (all->tcp || fcntl(fd, F_SETFL, O_NONBLOCK) == 0))
		connections_begin(
		    all->connections, &(struct accepted){.fd = fd, .handed = true});
	else
		close(fd);
}

/* A local process that is connected, while its account is looked up. */
struct arrival {
	struct entrances *all;
	int fd;
	uid_t uid;
	struct arrival *next;
};

static void
turn_away(struct entrances *all, int fd, uid_t uid, const char *why)
{
	peers_refuse_local(&all->known, uid, why);
	close(fd);
}

static struct arrival *
arrive(struct entrances *all, int fd, uid_t uid)
{
	struct arrival *a = malloc(sizeof(*a));

	if (a == NULL)
		return NULL;
	*a = (struct arrival){.all = all, .fd = fd, .uid = uid, .next = all->arrivals};
	all->arrivals = a;
	return a;
}

static void
take_out(struct arrival *a)
{
	struct arrival **at = &a->all->arrivals;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	free(a);
}

static void
account_known(void *context, const struct account_entry *found, const struct error *failure)
{
	const struct arrival a = *(struct arrival *)context;
	struct accepted accepted = {.fd = a.fd, .uid = a.uid};

	take_out(context);
	if (found != NULL)
		accepted.peer = strdup(found->name);
	if (accepted.peer != NULL && !connections_full(a.all->connections)) {
		connections_begin(a.all->connections, &accepted);
		return;
	}
	free(accepted.peer);
	turn_away(a.all, a.fd, a.uid,
	    found == NULL ? failure->text : "there is no room for its connection");
}

/* Those that wait for their names count, too. */
static void
count_local(const struct entrances *all, uid_t uid, size_t *own, size_t *every)
{
	connections_local(all->connections, uid, own, every);
	for (const struct arrival *a = all->arrivals; a != NULL; a = a->next) {
		(*every)++;
		*own += a->uid == uid;
	}
}

static void
take_peer(struct entrances *all, int fd)
{
	const struct account_question q = {.uid = peers_uid(fd)};
	struct arrival *a;
	struct error e;
	size_t own, every;

	count_local(all, q.uid, &own, &every);
	if (!peers_admit_local(&all->known, q.uid, own, every)) {
		close(fd);
		return;
	}
	a = arrive(all, fd, q.uid);
	if (a == NULL) {
		turn_away(all, fd, q.uid, "out of memory");
	} else if (all->accounts->submit(all->accounts, &q, account_known, a, &e) == -1) {
		take_out(a);
		turn_away(all, fd, q.uid, e.text);
	}
}

/* TCP does not say who connects, so that nobody can have a share. The longest silent gives way
 * to who comes: a web server sends its request at once. */
static void
take_verification(struct entrances *all, int fd)
{
	if (!connections_make_room(all->connections))
		close(fd);
	else
		connections_begin(
		    all->connections, &(struct accepted){.fd = fd, .verifies = true});
}

/* Pauses when the table or the process's descriptors are used up. */
static void
take_burst(struct entrances *all, struct entrance *from, int burst)
{
	for (int i = 0; i < burst && from->listener != -1; i++) {
		/* A Unix socket takes a write of libfcgi's whole or not at all; a TCP one might
		 * take a part, so there a write has to wait. It need not where a connection
		 * carries one answer, for which an empty socket has room. */
		int block = all->tcp && from == &all->each[WEB] ? 0 : SOCK_NONBLOCK;
		bool room = !connections_full(all->connections);
		int fd = -1;

		if (room && from == &all->each[HANDED])
			fd = handover_take(from->listener);
		else if (room)
			fd = accept4(from->listener, NULL, NULL, SOCK_CLOEXEC | block);
		if (fd == -1 && room &&
		    (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
			return;
		if (fd == -1) {
			set_accepting(all, from, false);
			return;
		}
		from->take(all, fd);
	}
}

void
entrances_take(struct entrances *all, struct entrance *from)
{
	take_burst(all, from, ACCEPT_BURST);
}

void
entrances_close(struct entrances *all)
{
	for (size_t i = 0; i < ENTRANCES; i++)
		take_burst(all, &all->each[i], CONNECTIONS_MAX);
	entrances_accept(all, false);
}

bool
entrances_have(const struct entrances *all, const void *source)
{
	for (size_t i = 0; i < ENTRANCES; i++)
		if (source == &all->each[i])
			return true;
	return false;
}

bool
entrances_busy(const struct entrances *all)
{
	return all->arrivals != NULL;
}

void
entrances_init(struct entrances *all, const struct entrances_parts *parts)
{
	const struct listeners *l = parts->listeners;

	*all = (struct entrances){
	    .each = {[WEB] = {l->web, false, take_web},
		[HANDED] = {parts->handover->out, false, take_handed},
		[PEERS] = {l->peer, false, take_peer},
		[VERIFICATION] = {l->verification, false, take_verification}},
	    .accounts = parts->accounts,
	    .connections = parts->connections,
	    .tcp = parts->tcp,
	    .epoll = parts->epoll};
	peers_init(&all->known, parts->peers, parts->log, parts->clock);
}
