#include "base/courier.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/pace.h"

/* A request that so many processes died over may be what kills them. */
enum { TRIES_MAX = 5 };

struct pending {
	courier_call *done; /* NULL while the slot is free */
	void *context;
	int64_t since; /* monotonic nanoseconds */
	unsigned int tries;
	bool once;
	bool light; /* not bounded by the pace, nor counted in it */
	size_t size;
	struct courier_head *request; /* with what is behind it; alone if once */
};

struct courier {
	struct courier_parts parts;
	uint32_t incarnation; /* tells our answers from those to a process before us */
	uint32_t sequence;
	size_t busy;
	size_t heavy; /* of those, which are not light */
	struct pace pace;
	struct pending pending[COURIER_MOST];
	struct courier_head *answer; /* with room for the largest */
};

/* An id is incarnation, sequence and slot: unique, and leads to its slot. */
static uint64_t
make_id(struct courier *c, size_t slot)
{
	c->sequence++;
	return (uint64_t)c->incarnation << 32 |
	       ((uint64_t)(c->sequence & 0xffffff) * COURIER_MOST + slot);
}

static int
send_whole(int fd, const void *message, size_t size, int flags)
{
	ssize_t n;

	do
		n = send(fd, message, size, MSG_NOSIGNAL | flags);
	while (n == -1 && errno == EINTR);
	return n == (ssize_t)size ? 0 : -1;
}

/* The head, which is kept, and what is behind it. */
static int
send_request(struct courier *c, struct pending *p, const void *behind, size_t size)
{
	struct iovec parts[] = {
	    {p->request, sizeof(*p->request)}, {(void *)(uintptr_t)behind, size}};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t n;

	p->tries++;
	do
		n = sendmsg(c->parts.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	return n == (ssize_t)(sizeof(*p->request) + size) ? 0 : -1;
}

/* Frees the slot first: the callback may submit anew. */
static void
finish(struct courier *c, struct pending *p, const void *answer, const struct error *e)
{
	courier_call *done = p->done;
	void *context = p->context;

	free(p->request);
	c->busy--;
	c->heavy -= !p->light;
	*p = (struct pending){0};
	c->parts.deliver(done, context, answer, e);
}

static void
fail(struct courier *c, struct pending *p, const char *reason)
{
	struct error e;

	error_set(&e, ERROR_UNAVAILABLE, "%s %s", c->parts.peer, reason);
	finish(c, p, NULL, &e);
}

/* Fails what has waited since before then. */
static void
fail_all(struct courier *c, int64_t then, const char *reason)
{
	for (size_t i = 0; i < COURIER_MOST; i++)
		if (c->pending[i].done != NULL && c->pending[i].since < then)
			fail(c, &c->pending[i], reason);
}

/* How many that are not light may be under way: whoever has to wait for too long had better ask
 * again later. */
static size_t
room(const struct courier *c)
{
	int64_t paced = pace_room(&c->pace, c->parts.wait);

	if (c->parts.wait == 0 || paced >= (int64_t)c->parts.most)
		return c->parts.most;
	return paced < (int64_t)c->parts.few ? c->parts.few : (size_t)paced;
}

/* As many bytes of the request are kept as given says: all of it, or the head alone. */
static int
submit(
    struct courier *c, struct pending *given, const void *request, size_t size, struct error *e)
{
	const size_t head = sizeof(struct courier_head);
	size_t slot = 0;
	struct pending *p;

	if (c->busy >= COURIER_MOST || (!given->light && c->heavy >= room(c)))
		return error_set(e, ERROR_UNAVAILABLE, "%zu requests to %s are under way",
		    c->busy, c->parts.peer);
	while (c->pending[slot].done != NULL)
		slot++;
	p = &c->pending[slot];
	given->request = malloc(given->size);
	if (given->request == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	memcpy(given->request, request, given->size);
	given->request->id = make_id(c, slot);
	if (send_request(c, given, (const char *)request + head, size - head) == -1) {
		error_set(e, ERROR_UNAVAILABLE, "%s takes no more: %s", c->parts.peer,
		    strerror(errno));
		free(given->request);
		return -1;
	}
	given->since = clock_monotonic(c->parts.clock);
	*p = *given;
	c->busy++;
	if (!given->light && c->heavy++ == 0)
		pace_begin(&c->pace, given->since);
	return 0;
}

int
courier_submit(struct courier *c, const void *request, size_t size, courier_call *done,
    void *context, struct error *e)
{
	struct pending p = {.done = done, .context = context, .size = size};

	return submit(c, &p, request, size, e);
}

int
courier_submit_light(struct courier *c, const void *request, size_t size, courier_call *done,
    void *context, struct error *e)
{
	struct pending p = {.done = done, .context = context, .light = true, .size = size};

	return submit(c, &p, request, size, e);
}

int
courier_submit_once(struct courier *c, const void *request, size_t size, courier_call *done,
    void *context, struct error *e)
{
	struct pending p = {.done = done,
	    .context = context,
	    .once = true,
	    .size = sizeof(struct courier_head)};

	return submit(c, &p, request, size, e);
}

/* A new process, for which nothing is queued. What was sent after it had emptied the queue
 * is answered twice, and the second answer finds nobody waiting. */
static void
resend(struct courier *c)
{
	for (size_t i = 0; i < COURIER_MOST; i++) {
		struct pending *p = &c->pending[i];

		if (p->done == NULL)
			continue;
		if (p->once)
			fail(c, p, "ended before it answered");
		else if (p->tries >= TRIES_MAX)
			fail(c, p, "ended again and again over this request");
		else if (send_request(c, p, p->request + 1, p->size - sizeof(*p->request)) ==
			 -1)
			fail(c, p, "takes no more");
	}
}

static void
take_answer(struct courier *c, size_t size)
{
	static const struct error none = {0};
	struct pending *p;

	if (size < sizeof(*c->answer) || c->answer->magic != c->parts.magic)
		return;
	if (c->answer->kind == COURIER_HELLO) {
		pace_renew(&c->pace, clock_monotonic(c->parts.clock));
		resend(c);
		return;
	}
	p = &c->pending[c->answer->id % COURIER_MOST];
	if (c->parts.check(c->answer, size) == -1)
		return;
	if (p->done != NULL && p->request->id == c->answer->id) {
		if (!p->light)
			pace_answered(&c->pace, clock_monotonic(c->parts.clock));
		finish(c, p, c->answer, &none);
	}
	/* Else the deadline came first, or a process before us asked. */
}

int
courier_receive(struct courier *c)
{
	for (;;) {
		ssize_t n = recv(c->parts.fd, c->answer, c->parts.answer_size, MSG_DONTWAIT);

		/* The latter comes once before what is still there, if the other end was
		 * closed with requests that nobody read. */
		if (n == -1 && (errno == EINTR || errno == ECONNRESET))
			continue;
		if (n == -1)
			return 0;
		if (n == 0) { /* no message of ours is empty */
			fail_all(c, INT64_MAX, "is gone");
			return -1;
		}
		take_answer(c, (size_t)n);
	}
}

void
courier_expire(struct courier *c)
{
	fail_all(
	    c, clock_monotonic(c->parts.clock) - c->parts.deadline, "did not answer in time");
}

bool
courier_busy(const struct courier *c)
{
	return c->busy > 0;
}

int
courier_new(struct courier **out, const struct courier_parts *parts, struct error *e)
{
	struct courier *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c != NULL) {
		c->parts = *parts;
		c->answer = malloc(parts->answer_size);
	}
	if (c == NULL || c->answer == NULL ||
	    entropy_fill(parts->entropy, &c->incarnation, sizeof(c->incarnation)) == -1) {
		courier_free(c);
		return error_set(e, ERROR_INTERNAL, "out of memory or of random bytes");
	}
	/* What waits there is for a process before us, or a hello that asks for nothing. */
	(void)courier_receive(c);
	*out = c;
	return 0;
}

void
courier_free(struct courier *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < COURIER_MOST; i++)
		free(c->pending[i].request);
	free(c->answer);
	free(c);
}

void
courier_hello(int fd, uint32_t magic)
{
	const struct courier_head hello = {.magic = magic, .kind = COURIER_HELLO};
	char dropped;

	while (recv(fd, &dropped, sizeof(dropped), MSG_DONTWAIT) > 0)
		continue;
	(void)send_whole(fd, &hello, sizeof(hello), MSG_DONTWAIT);
}

int
courier_answer(int fd, const void *answer, size_t size, int flags)
{
	return send_whole(fd, answer, size, flags);
}

bool
courier_ended(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}
