#include "signer/message.h"

#include <stdbool.h>
#include <string.h>

/* Where the query has its texts, and how long one may be with its NUL. */
static const struct {
	size_t offset;
	size_t limit;
} texts[MESSAGE_TEXTS] = {
    [MESSAGE_CALLER_GROUPS] = {offsetof(struct query, caller_groups), LIMIT_GROUPS},
    [MESSAGE_SUBJECT_GROUPS] = {offsetof(struct query, subject_groups), LIMIT_GROUPS},
    [MESSAGE_EMAIL] = {offsetof(struct query, email), LIMIT_EMAIL},
    [MESSAGE_NAMESPACE] = {offsetof(struct query, space), LIMIT_NAMESPACE},
};

static const char **
text_of(struct query *q, size_t i)
{
	return (const char **)((char *)q + texts[i].offset);
}

void
message_request_init(struct message_request *m, const struct query *q)
{
	size_t at = 0;

	/* Padding too: no byte of the stack is sent. */
	memset(m, 0, offsetof(struct message_request, texts));
	m->head.magic = MESSAGE_REQUEST_MAGIC;
	m->head.kind = q != NULL ? MESSAGE_MINT : MESSAGE_KEYS;
	if (q == NULL)
		return;
	memcpy(&m->query, q, sizeof(*q));
	/* Mostly caller and subject are one, and sent once. */
	m->same = q->caller_groups != NULL && q->subject_groups != NULL &&
		  strcmp(q->caller_groups, q->subject_groups) == 0;
	if (m->same != 0)
		m->query.subject_groups = NULL;
	for (size_t i = 0; i < MESSAGE_TEXTS; i++) {
		const char *text = *text_of(&m->query, i);

		*text_of(&m->query, i) = NULL;
		if (text == NULL)
			continue;
		m->lengths[i] = (uint32_t)strlen(text) + 1;
		memcpy(m->texts + at, text, m->lengths[i]);
		at += m->lengths[i];
	}
}

size_t
message_request_size(const struct message_request *m)
{
	size_t size = offsetof(struct message_request, texts);

	for (size_t i = 0; i < MESSAGE_TEXTS; i++)
		size += m->lengths[i];
	return size;
}

static bool
ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* Whether every length is in its bounds and the whole is size bytes. */
static bool
fits(const struct message_request *m, size_t size)
{
	if (size < offsetof(struct message_request, texts) || size > sizeof(*m))
		return false;
	for (size_t i = 0; i < MESSAGE_TEXTS; i++)
		if (m->lengths[i] > texts[i].limit)
			return false;
	return size == message_request_size(m);
}

/* Lets the query lead to its texts. */
static int
take_texts(const struct message_request *m, struct query *q)
{
	const char *at = m->texts;

	for (size_t i = 0; i < MESSAGE_TEXTS; i++) {
		*text_of(q, i) = m->lengths[i] == 0 ? NULL : at;
		if (m->lengths[i] > 0 &&
		    memchr(at, '\0', m->lengths[i]) != at + m->lengths[i] - 1)
			return -1;
		at += m->lengths[i];
	}
	return 0;
}

int
message_request_read(const struct message_request *m, size_t size, struct query *q)
{
	if (!fits(m, size) || m->head.magic != MESSAGE_REQUEST_MAGIC ||
	    m->head.kind > MESSAGE_KEYS)
		return -1;
	*q = m->query;
	if (take_texts(m, q) == -1 || m->same > 1 ||
	    (m->same == 1 && q->subject_groups != NULL))
		return -1;
	if (m->same == 1)
		q->subject_groups = q->caller_groups;
	if (!ends(q->caller.name, sizeof(q->caller.name)) ||
	    !ends(q->caller.scheme, sizeof(q->caller.scheme)) ||
	    !ends(q->subject, sizeof(q->subject)) || !ends(q->audience, sizeof(q->audience)) ||
	    !ends(q->profile, sizeof(q->profile)))
		return -1;
	return q->lifetime < 0 || q->not_after < 0 ? -1 : 0;
}

void
message_answer_init(
    struct message_answer *m, uint64_t id, const struct signature *s, const struct error *e)
{
	const char *text = s != NULL ? s->token : e->text;
	size_t length = s != NULL ? s->length : strlen(e->text);

	memset(m, 0, offsetof(struct message_answer, text));
	m->head = (struct courier_head){.magic = MESSAGE_ANSWER_MAGIC,
	    .kind = s != NULL ? MESSAGE_MADE : MESSAGE_REFUSED,
	    .id = id};
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
	if (size < offsetof(struct message_answer, text) ||
	    m->head.magic != MESSAGE_ANSWER_MAGIC || m->head.kind < MESSAGE_MADE ||
	    m->head.kind > MESSAGE_REFUSED || m->length >= sizeof(m->text) ||
	    size != message_answer_size(m) || !ends(m->jti, sizeof(m->jti)) ||
	    !ends(m->kid, sizeof(m->kid)))
		return -1;
	if (m->head.kind == MESSAGE_REFUSED &&
	    (m->code == ERROR_NONE || m->code > ERROR_NO_PERMISSION ||
		m->length >= LIMIT_ERROR_TEXT))
		return -1;
	m->text[m->length] = '\0';
	return 0;
}
