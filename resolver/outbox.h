/*
 * Answers on their way to one process that asks: sent at once, or kept, in order, until its
 * socket takes them. Never waits. For one thread at a time; others may meanwhile wait for
 * the epoll.
 */
#ifndef RESOLVER_OUTBOX_H
#define RESOLVER_OUTBOX_H

#include <stddef.h>

/* Kept for one socket: as many as a process waits for at once. Of more, the oldest go, since
 * whoever asked for them has long been told by a deadline of its own. */
enum { OUTBOX_MOST = 256 };

struct parcel;

/* Zeroes are one that is closed. */
struct outbox {
	int epoll; /* tells of the socket, with a pointer to this */
	int fd;
	size_t count;
	struct parcel *first;
	struct parcel **end;
};

/* fd, an end of a SOCK_SEQPACKET socketpair, and epoll stay the caller's; *b stays where it is
 * until outbox_close(). 0, or -1 and errno. */
int outbox_open(struct outbox *b, int epoll, int fd);

/* What is kept goes; what is sent from now on, too. Once more does nothing. */
void outbox_close(struct outbox *b);

/* Sends size bytes, or keeps a copy. */
void outbox_send(struct outbox *b, const void *message, size_t size);

/* To be called when fd is writable: sends what it takes. */
void outbox_flush(struct outbox *b);

#endif
