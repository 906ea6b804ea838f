/*
 * Requests to another process of ours over a SOCK_SEQPACKET socketpair, one datagram a message;
 * answers come back in any order. For one thread with an event loop; never blocks. What a
 * message says is its owner's: here it is bytes behind a head.
 */
#ifndef BASE_COURIER_H
#define BASE_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

/* What every message begins with. */
struct courier_head {
	uint32_t magic;
	uint32_t kind;
	uint64_t id; /* of a request; comes back in its answer */
};

/* The kind of an answer to nothing, and a head alone: the other process has started, and what
 * is unanswered must be asked again, or has failed. */
enum { COURIER_HELLO };

enum { COURIER_MOST = 256 };

struct courier;

/* Stands for the callback of whoever asks. */
typedef void courier_call(void);

struct courier_parts {
	int fd; /* this process's end; stays the caller's */
	const struct clock *clock;
	const struct entropy *entropy;
	const char *peer; /* what the other process is called in errors */
	uint32_t magic;   /* of its answers */
	size_t most;      /* requests on their way, up to COURIER_MOST; one more is refused */
	size_t few;       /* so many are never refused for what follows */
	int64_t wait; /* nanoseconds: no more than are answered in that; 0: not bounded so */
	size_t answer_size; /* of the largest answer */
	int64_t deadline;   /* nanoseconds that an answer may take */
	/* 0 when size bytes at answer are one, whose head has been checked. */
	int (*check)(void *answer, size_t size);
	/* Calls back with an answer, or with NULL and why there is none. */
	void (*deliver)(
	    courier_call *done, void *context, const void *answer, const struct error *e);
};

/* 0, or -1 and ERROR_INTERNAL; *out is NULL on failure, else courier_free() it. */
int courier_new(struct courier **out, const struct courier_parts *parts, struct error *e);
void courier_free(struct courier *c);

/*
 * Sends size bytes that begin with a head, whose id is set here. 0: deliver will be called with
 * done exactly once, later. -1: it will not, and *e says why (ERROR_UNAVAILABLE).
 */
int courier_submit(struct courier *c, const void *request, size_t size, courier_call *done,
    void *context, struct error *e);

/* The same for a request that costs the other process next to nothing: what waits there for
 * long does not keep it out, it keeps out none of the others, and its answer says nothing of
 * how fast those are. */
int courier_submit_light(struct courier *c, const void *request, size_t size,
    courier_call *done, void *context, struct error *e);

/* The same as courier_submit() for a request that is a secret: no copy is kept, so that it
 * cannot be asked again. Where the other process ended over it, that is its answer
 * (ERROR_UNAVAILABLE). */
int courier_submit_once(struct courier *c, const void *request, size_t size, courier_call *done,
    void *context, struct error *e);

/* To be called when fd is readable: takes every answer that is there and calls back. 0, or -1
 * when the socket has ended: every request has failed then, and will. */
int courier_receive(struct courier *c);

/* To be called about once a second: what was not answered in time ends with
 * ERROR_UNAVAILABLE. */
void courier_expire(struct courier *c);

/* Whether requests are waiting for an answer. */
bool courier_busy(const struct courier *c);

/*
 * The other side: greets for a process that has just started. What is queued on fd was meant
 * for the one before and is dropped, and whoever asked is told to ask again. Never waits: who
 * takes nothing now is told by the deadlines of its requests.
 */
void courier_hello(int fd, uint32_t magic);

/* Sends an answer of size bytes; a process that is gone asks no more. flags as in send(2). 0,
 * or -1 when it was not sent. */
int courier_answer(int fd, const void *answer, size_t size, int flags);

/* Whether the other end is gone: to recv(2), an empty datagram looks like that too. */
bool courier_ended(int fd);

#endif
