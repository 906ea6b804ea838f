/*
 * base/courier: whatever the other process sends, each request ends once. Input: datagrams,
 * each with its length in a byte before; a length of 255 stands for a hello, 254 for the answer
 * to the first request, 253 for one to a request that was not made.
 */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/courier.h"
#include "tests/fuzz/fuzz.h"

enum { MAGIC = 0x66757a7a, ANSWER = 64, REQUESTS = 3, SENT = 8 };

static int ends[2];
static struct call {
	uint64_t id; /* 0: not seen yet */
	unsigned int answered;
} calls[REQUESTS];

static void
start(void)
{
	REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
}

static int64_t
no_time(void *state)
{
	(void)state;
	return 1;
}

static int
check(void *answer, size_t size)
{
	const struct courier_head *head = answer;

	REQUIRE(size >= sizeof(*head) && head->magic == MAGIC && head->kind != COURIER_HELLO);
	return head->kind == 1 ? 0 : -1;
}

static void
done(void)
{
	REQUIRE(false); /* stands for one that deliver would call */
}

static void
deliver(courier_call *call, void *context, const void *answer, const struct error *e)
{
	struct call *c = context;

	REQUIRE(call == done);
	REQUIRE((answer == NULL) == (e->code != ERROR_NONE));
	/* It is the answer to this very request. */
	REQUIRE(answer == NULL || ((const struct courier_head *)answer)->id == c->id);
	c->answered++;
}

/* Takes what the courier sends: the requests, in their order, and then some of them again. */
static void
take_requests(void)
{
	struct courier_head message[ANSWER / sizeof(struct courier_head)];
	size_t i = 0;
	ssize_t n;

	while ((n = recv(ends[1], message, sizeof(message), MSG_DONTWAIT)) > 0) {
		REQUIRE((size_t)n >= sizeof(*message));
		if (i < REQUESTS && calls[i].id == 0)
			calls[i++].id = message->id;
	}
}

static void
send_one(struct fuzz_input *in)
{
	struct courier_head head = {.magic = MAGIC, .kind = COURIER_HELLO};
	size_t size = fuzz_byte(in);

	if (size >= 253) {
		if (size < 255)
			head = (struct courier_head){MAGIC, 1, calls[0].id + (size == 253)};
		(void)send(ends[1], &head, sizeof(head), MSG_DONTWAIT);
		return;
	}
	if (size > in->left)
		size = in->left;
	if (size > 0) /* an empty one is the end of the other process */
		(void)send(ends[1], in->at, size, MSG_DONTWAIT);
	in->at += size;
	in->left -= size;
}

static void
run(const uint8_t *bytes, size_t size)
{
	static const struct clock clock = {.realtime = no_time, .monotonic = no_time};
	const struct courier_parts parts = {.fd = ends[0],
	    .clock = &clock,
	    .entropy = &entropy_system,
	    .peer = "the peer",
	    .magic = MAGIC,
	    .most = REQUESTS,
	    .answer_size = ANSWER,
	    .deadline = -1, /* all are late as soon as anybody looks */
	    .check = check,
	    .deliver = deliver};
	struct fuzz_input in = {bytes, size};
	struct courier_head request[2] = {{.magic = 1, .kind = 1}};
	struct courier *c = NULL;
	struct error e;

	memset(calls, 0, sizeof(calls));
	REQUIRE(courier_new(&c, &parts, &e) == 0);
	for (size_t i = 0; i < REQUESTS; i++)
		REQUIRE((i == 1 ? courier_submit_once : courier_submit)(
			    c, request, sizeof(request), done, &calls[i], &e) == 0);
	REQUIRE(courier_submit(c, request, sizeof(request), done, NULL, &e) == -1);
	take_requests();
	while (in.left > 0) {
		for (int i = 0; i < SENT && in.left > 0; i++)
			send_one(&in);
		REQUIRE(courier_receive(c) == 0);
		take_requests();
	}
	courier_expire(c);
	REQUIRE(!courier_busy(c));
	for (size_t i = 0; i < REQUESTS; i++)
		REQUIRE(calls[i].answered == 1);
	courier_free(c);
	take_requests();
}

const struct fuzz_target fuzz_courier = {.name = "courier", .start = start, .run = run};
