/*
 * signer/message, from a worker to the signer. Input: how many bytes of texts there are, by two
 * bytes; the texts, which are parted by NULs; and what the rest of a message differs by from
 * one that has them, from its start on.
 */
#include <stdlib.h>
#include <string.h>

#include "signer/message.h"
#include "tests/fuzz/fuzz.h"

static bool
same(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

/* Sent on, it says the same again. */
static void
check_query(const struct query *q)
{
	struct message_request *again = malloc(sizeof(*again));
	struct query other;

	REQUIRE(q->lifetime >= 0 && q->not_after >= 0);
	REQUIRE(q->caller_groups == NULL || strlen(q->caller_groups) < LIMIT_GROUPS);
	REQUIRE(q->subject_groups == NULL || strlen(q->subject_groups) < LIMIT_GROUPS);
	REQUIRE(q->email == NULL || strlen(q->email) < LIMIT_EMAIL);
	REQUIRE(q->space == NULL || strlen(q->space) < LIMIT_NAMESPACE);
	REQUIRE(again != NULL);
	message_request_init(again, q);
	REQUIRE(message_request_read(again, message_request_size(again), &other) == 0);
	REQUIRE(strcmp(other.caller.name, q->caller.name) == 0);
	REQUIRE(strcmp(other.caller.scheme, q->caller.scheme) == 0);
	REQUIRE(strcmp(other.subject, q->subject) == 0);
	REQUIRE(strcmp(other.audience, q->audience) == 0);
	REQUIRE(strcmp(other.profile, q->profile) == 0);
	REQUIRE(other.lifetime == q->lifetime && other.not_after == q->not_after);
	REQUIRE(same(other.caller_groups, q->caller_groups));
	REQUIRE(same(other.subject_groups, q->subject_groups));
	REQUIRE(same(other.email, q->email) && same(other.space, q->space));
	free(again);
}

/* The lengths of the texts that the tail has, of which there are at most as many. */
static void
set_lengths(struct message_request *m, const uint8_t *tail, size_t size)
{
	for (size_t i = 0; i < MESSAGE_TEXTS && size > 0; i++) {
		const uint8_t *end = memchr(tail, '\0', size);
		size_t length = end == NULL ? size : (size_t)(end - tail) + 1;

		m->lengths[i] = (uint32_t)length;
		tail += length;
		size -= length;
	}
}

static void
run(const uint8_t *bytes, size_t size)
{
	const size_t fixed = offsetof(struct message_request, texts);
	struct fuzz_input in = {bytes, size};
	size_t tail = fuzz_byte(&in);
	struct message_request *m = calloc(1, sizeof(*m));
	uint8_t *message;
	struct query q;

	REQUIRE(m != NULL);
	tail |= (size_t)fuzz_byte(&in) << 8;
	if (tail > in.left)
		tail = in.left;
	m->head = (struct courier_head){.magic = MESSAGE_REQUEST_MAGIC, .kind = MESSAGE_MINT};
	set_lengths(m, in.at, tail);
	message = (uint8_t *)fuzz_copy(m, fixed);
	for (size_t i = 0; i < fixed && tail + i < in.left; i++)
		message[i] ^= in.at[tail + i];
	/* In just as much memory as came. */
	message = realloc(message, fixed + tail);
	REQUIRE(message != NULL);
	memcpy(message + fixed, in.at, tail);
	if (message_request_read((const struct message_request *)message, fixed + tail, &q) ==
	    0)
		check_query(&q);
	REQUIRE(message_request_read(m, fixed - 1, &q) == -1);
	free(message);
	free(m);
}

const struct fuzz_target fuzz_signer_request = {.name = "signer_request", .run = run};
