/*
 * signer/message, from the signer to a worker. Input: what a message differs by from an empty
 * token's, up to its text, and the text.
 */
#include <stdlib.h>
#include <string.h>

#include "signer/message.h"
#include "tests/fuzz/fuzz.h"

/* Made anew of what it says, it is the same. */
static void
check_answer(const struct message_answer *m)
{
	struct message_answer *again = malloc(sizeof(*again));
	struct signature s = {.token = m->text, .length = m->length, .expires = m->expires};
	struct error e = {.code = (enum error_code)m->code};

	REQUIRE(again != NULL && m->text[m->length] == '\0');
	memcpy(s.jti, m->jti, sizeof(s.jti));
	memcpy(s.kid, m->kid, sizeof(s.kid));
	if (m->head.kind == MESSAGE_REFUSED) {
		REQUIRE(m->length < sizeof(e.text));
		memcpy(e.text, m->text, m->length + 1);
		REQUIRE(strlen(e.text) <= m->length);
	}
	message_answer_init(again, m->head.id, m->head.kind == MESSAGE_MADE ? &s : NULL, &e);
	REQUIRE(again->head.kind == m->head.kind && again->head.id == m->head.id);
	REQUIRE(again->head.kind == MESSAGE_REFUSED || again->length == m->length);
	REQUIRE(message_answer_check(again, message_answer_size(again)) == 0);
	free(again);
}

static void
run(const uint8_t *bytes, size_t size)
{
	const size_t fixed = offsetof(struct message_answer, text);
	struct message_answer *m = calloc(1, sizeof(*m));
	size_t tail = size > fixed ? size - fixed : 0;
	uint8_t *message;

	REQUIRE(m != NULL);
	m->head = (struct courier_head){.magic = MESSAGE_ANSWER_MAGIC, .kind = MESSAGE_MADE};
	m->length = (uint32_t)tail;
	message = (uint8_t *)fuzz_copy(m, fixed);
	for (size_t i = 0; i < fixed && i < size; i++)
		message[i] ^= bytes[i];
	/* Just as much as came, and the NUL that is put behind it. */
	message = realloc(message, fixed + tail + 1);
	REQUIRE(message != NULL);
	if (tail > 0)
		memcpy(message + fixed, bytes + fixed, tail);
	if (message_answer_check((struct message_answer *)message, fixed + tail) == 0)
		check_answer((struct message_answer *)message);
	free(message);
	free(m);
}

const struct fuzz_target fuzz_signer_answer = {.name = "signer_answer", .run = run};
