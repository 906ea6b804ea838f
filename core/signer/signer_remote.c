#include "signer/signer_remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/courier.h"
#include "signer/message.h"

enum {
	PENDING = 128,
	FEW = 8,      /* that wait however long it takes: a handful of clients is no overload */
	DEADLINE = 5, /* seconds */
};

/* What a request may wait for those before it. Clients want an answer within half a second,
 * whichever it is, and the web server and the signature take their part of that. */
#define WAIT (NANOSECONDS / 5)

struct signer_remote {
	struct signer signer; /* first, so that the one leads to the other */
	struct courier *courier;
};

static int
check(void *answer, size_t size)
{
	return message_answer_check(answer, size);
}

static void
deliver(courier_call *call, void *context, const void *answer, const struct error *e)
{
	signer_done *done = (signer_done *)call;
	const struct message_answer *m = answer;
	struct signature s = {0};
	struct error refusal;

	if (m == NULL) {
		done(context, NULL, e);
		return;
	}
	if (m->head.kind == MESSAGE_REFUSED) {
		error_set(&refusal, (enum error_code)m->code, "%s", m->text);
		done(context, NULL, &refusal);
		return;
	}
	s.token = m->text;
	s.length = m->length;
	s.expires = m->expires;
	memcpy(s.jti, m->jti, sizeof(s.jti));
	memcpy(s.kid, m->kid, sizeof(s.kid));
	done(context, &s, e);
}

/* Asks for a token, or for the public keys when q is NULL. */
static int
remote_submit(struct signer *self, const struct query *q, signer_done *done, void *context,
    struct error *e)
{
	struct signer_remote *r = (struct signer_remote *)self;
	struct message_request m;

	message_request_init(&m, q);
	/* The keys are there: whether we are ready, and what verifies, can always be told. */
	return (q == NULL ? courier_submit_light : courier_submit)(
	    r->courier, &m, message_request_size(&m), (courier_call *)done, context, e);
}

static int
remote_publish(struct signer *self, signer_done *done, void *context, struct error *e)
{
	return remote_submit(self, NULL, done, context, e);
}

int
signer_remote_receive(struct signer_remote *r)
{
	return courier_receive(r->courier);
}

void
signer_remote_expire(struct signer_remote *r)
{
	courier_expire(r->courier);
}

bool
signer_remote_busy(const struct signer_remote *r)
{
	return courier_busy(r->courier);
}

struct signer *
signer_remote_signer(struct signer_remote *r)
{
	return &r->signer;
}

int
signer_remote_new(struct signer_remote **out, int fd, size_t threads, const struct clock *clock,
    const struct entropy *entropy, struct error *e)
{
	const struct courier_parts parts = {.fd = fd,
	    .clock = clock,
	    .entropy = entropy,
	    .peer = "the signer",
	    .magic = MESSAGE_ANSWER_MAGIC,
	    .most = PENDING,
	    .few = threads < FEW       ? FEW
		   : threads < PENDING ? threads
				       : PENDING,
	    .wait = WAIT,
	    .answer_size = sizeof(struct message_answer),
	    .deadline = DEADLINE * NANOSECONDS,
	    .check = check,
	    .deliver = deliver};
	struct signer_remote *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (r == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	r->signer = (struct signer){.submit = remote_submit, .publish = remote_publish};
	if (courier_new(&r->courier, &parts, e) == -1) {
		free(r);
		return -1;
	}
	*out = r;
	return 0;
}

void
signer_remote_free(struct signer_remote *r)
{
	if (r == NULL)
		return;
	courier_free(r->courier);
	free(r);
}
