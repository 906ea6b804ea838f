#include "signer/signer_remote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "signer/message.h"

enum {
	PENDING_MAX = 128, /* queries on their way; one more is refused with 503 */
	TRIES_MAX = 5,     /* a query that so many signers died over may be what kills them */
	DEADLINE = 5,      /* seconds */
};

struct pending {
	signer_done *done; /* NULL while the slot is free */
	void *context;
	int64_t since; /* monotonic nanoseconds */
	unsigned int tries;
	struct message_request request;
};

struct signer_remote {
	struct signer signer; /* first, so that the one leads to the other */
	int fd;
	const struct clock *clock;
	uint32_t incarnation; /* tells our answers from those to a worker before us */
	uint32_t sequence;
	size_t busy;
	struct pending pending[PENDING_MAX];
	struct message_answer answer;
};

/* An id is incarnation, sequence and slot: unique, and leads to its slot. */
static uint64_t
make_id(struct signer_remote *r, size_t slot)
{
	r->sequence++;
	return (uint64_t)r->incarnation << 32 | (uint64_t)(r->sequence & 0xffffff) << 8 | slot;
}

static int
send_request(struct signer_remote *r, struct pending *p)
{
	size_t size = message_request_size(&p->request);
	ssize_t n;

	p->tries++;
	do
		n = send(r->fd, &p->request, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == (ssize_t)size ? 0 : -1;
}

/* Frees the slot first: the callback may submit anew. */
static void
finish(struct signer_remote *r, struct pending *p, const struct signature *s,
    const struct error *e)
{
	signer_done *done = p->done;
	void *context = p->context;

	p->done = NULL;
	r->busy--;
	done(context, s, e);
}

static void
fail(struct signer_remote *r, struct pending *p, const char *reason)
{
	struct error e;

	error_set(&e, ERROR_UNAVAILABLE, "%s", reason);
	finish(r, p, NULL, &e);
}

/* Fails what has waited since before then. */
static void
fail_all(struct signer_remote *r, int64_t then, const char *reason)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (r->pending[i].done != NULL && r->pending[i].since < then)
			fail(r, &r->pending[i], reason);
}

/* Asks for a token, or for the public keys when q is NULL. */
static int
remote_submit(struct signer *self, const struct query *q, signer_done *done, void *context,
    struct error *e)
{
	struct signer_remote *r = (struct signer_remote *)self;
	size_t slot = 0;
	struct pending *p;

	while (slot < PENDING_MAX && r->pending[slot].done != NULL)
		slot++;
	if (slot == PENDING_MAX)
		return error_set(
		    e, ERROR_UNAVAILABLE, "%d signatures are under way", PENDING_MAX);
	p = &r->pending[slot];
	p->tries = 0;
	message_request_init(&p->request, make_id(r, slot), q);
	if (send_request(r, p) == -1)
		return error_set(
		    e, ERROR_UNAVAILABLE, "the signer takes no more: %s", strerror(errno));
	p->done = done;
	p->context = context;
	p->since = clock_monotonic(r->clock);
	r->busy++;
	return 0;
}

static int
remote_publish(struct signer *self, signer_done *done, void *context, struct error *e)
{
	return remote_submit(self, NULL, done, context, e);
}

/* A new signer, for which nothing is queued. What was sent after it had emptied the queue
 * is signed twice, and the second answer finds nobody waiting. */
static void
resend(struct signer_remote *r)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &r->pending[i];

		if (p->done == NULL)
			continue;
		if (p->tries >= TRIES_MAX)
			fail(r, p, "the signer ended again and again over this request");
		else if (send_request(r, p) == -1)
			fail(r, p, "the signer takes no more");
	}
}

static void
take_answer(struct signer_remote *r)
{
	const struct message_answer *m = &r->answer;
	size_t slot = m->id & 0xff;
	struct pending *p = &r->pending[slot < PENDING_MAX ? slot : 0];
	struct signature s = {.token = m->text, .length = m->length, .expires = m->expires};
	struct error e = {0};

	if (m->kind == MESSAGE_HELLO) {
		resend(r);
		return;
	}
	if (p->done == NULL || p->request.id != m->id)
		return; /* the deadline came first, or another worker asked */
	if (m->kind == MESSAGE_MADE) {
		memcpy(s.jti, m->jti, sizeof(s.jti));
		memcpy(s.kid, m->kid, sizeof(s.kid));
		finish(r, p, &s, &e);
		return;
	}
	error_set(&e, (enum error_code)m->code, "%s", m->text);
	finish(r, p, NULL, &e);
}

int
signer_remote_receive(struct signer_remote *r)
{
	for (;;) {
		ssize_t n = recv(r->fd, &r->answer, sizeof(r->answer), MSG_DONTWAIT);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return 0;
		if (n == 0) { /* no message of ours is empty */
			fail_all(r, INT64_MAX, "the signer is gone");
			return -1;
		}
		if (message_answer_check(&r->answer, (size_t)n) == 0)
			take_answer(r);
	}
}

void
signer_remote_expire(struct signer_remote *r)
{
	int64_t oldest = clock_monotonic(r->clock) - DEADLINE * NANOSECONDS;

	fail_all(r, oldest, "the signer did not answer in time");
}

bool
signer_remote_busy(const struct signer_remote *r)
{
	return r->busy > 0;
}

struct signer *
signer_remote_signer(struct signer_remote *r)
{
	return &r->signer;
}

int
signer_remote_new(struct signer_remote **out, int fd, const struct clock *clock,
    const struct entropy *entropy, struct error *e)
{
	struct signer_remote *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (r == NULL || entropy_fill(entropy, &r->incarnation, sizeof(r->incarnation)) == -1) {
		free(r);
		return error_set(e, ERROR_INTERNAL, "out of memory or of random bytes");
	}
	r->signer = (struct signer){.submit = remote_submit, .publish = remote_publish};
	r->fd = fd;
	r->clock = clock;
	/* What waits there is for a worker before us, or a hello that asks for nothing. */
	(void)signer_remote_receive(r);
	*out = r;
	return 0;
}

void
signer_remote_free(struct signer_remote *r)
{
	free(r);
}
