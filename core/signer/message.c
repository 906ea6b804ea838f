#include "signer/message.h"

#include <stdbool.h>
#include <string.h>

enum { REQUEST_MAGIC = 0x61737132, ANSWER_MAGIC = 0x61736132 }; /* "asq2", "asa2" */

void
message_request_init(struct message_request *m, uint64_t id, const struct query *q)
{
	size_t fixed = offsetof(struct query, groups);

	/* Padding too: no byte of the stack is sent. */
	memset(m, 0, offsetof(struct message_request, query.groups) + 1);
	m->magic = REQUEST_MAGIC;
	m->kind = q != NULL ? MESSAGE_MINT : MESSAGE_KEYS;
	m->id = id;
	if (q != NULL)
		memcpy(&m->query, q, fixed + strlen(q->groups) + 1);
}

size_t
message_request_size(const struct message_request *m)
{
	return offsetof(struct message_request, query.groups) + strlen(m->query.groups) + 1;
}

static bool
ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

int
message_request_check(const struct message_request *m, size_t size)
{
	const struct query *q = &m->query;
	const size_t fixed = offsetof(struct message_request, query.groups);

	if (size <= fixed || size > sizeof(*m) || m->magic != REQUEST_MAGIC ||
	    m->kind > MESSAGE_KEYS)
		return -1;
	if (!ends(q->groups, size - fixed) || size != message_request_size(m))
		return -1;
	if (!ends(q->caller.name, sizeof(q->caller.name)) ||
	    !ends(q->caller.scheme, sizeof(q->caller.scheme)) ||
	    !ends(q->subject, sizeof(q->subject)) || !ends(q->audience, sizeof(q->audience)) ||
	    !ends(q->profile, sizeof(q->profile)))
		return -1;
	return q->lifetime < 0 ? -1 : 0;
}

void
message_hello(struct message_answer *m)
{
	memset(m, 0, offsetof(struct message_answer, text));
	m->magic = ANSWER_MAGIC;
	m->kind = MESSAGE_HELLO;
}

void
message_answer_init(
    struct message_answer *m, uint64_t id, const struct signature *s, const struct error *e)
{
	const char *text = s != NULL ? s->token : e->text;
	size_t length = s != NULL ? s->length : strlen(e->text);

	message_hello(m);
	m->kind = s != NULL ? MESSAGE_MADE : MESSAGE_REFUSED;
	m->id = id;
	m->expires = s != NULL ? s->expires : 0;
	if (s != NULL) {
		memcpy(m->jti, s->jti, sizeof(m->jti));
		memcpy(m->kid, s->kid, sizeof(m->kid));
	}
	m->code = s != NULL ? ERROR_NONE : e->code;
	m->length = (uint32_t)length;
	memcpy(m->text, text, length);
}

size_t
message_answer_size(const struct message_answer *m)
{
	return offsetof(struct message_answer, text) + m->length;
}

int
message_answer_check(struct message_answer *m, size_t size)
{
	if (size < offsetof(struct message_answer, text) || m->magic != ANSWER_MAGIC ||
	    m->kind > MESSAGE_REFUSED || m->length >= sizeof(m->text) ||
	    size != message_answer_size(m) || !ends(m->jti, sizeof(m->jti)) ||
	    !ends(m->kid, sizeof(m->kid)))
		return -1;
	if (m->kind == MESSAGE_REFUSED &&
	    (m->code == ERROR_NONE || m->code > ERROR_NO_PERMISSION ||
		m->length >= LIMIT_ERROR_TEXT))
		return -1;
	m->text[m->length] = '\0';
	return 0;
}
