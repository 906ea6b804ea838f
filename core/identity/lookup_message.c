#include "identity/lookup_message.h"

#include <string.h>

int
lookup_request_init(struct lookup_request *q, const char *user, struct error *e)
{
	size_t length = strlen(user);

	if (length >= sizeof(q->user))
		return error_set(e, ERROR_UNAVAILABLE, "the user's name is too long");
	q->head = (struct courier_head){.magic = LOOKUP_REQUEST_MAGIC};
	memcpy(q->user, user, length + 1);
	return 0;
}

size_t
lookup_request_size(const struct lookup_request *q)
{
	return offsetof(struct lookup_request, user) + strlen(q->user) + 1;
}

static bool
ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

int
lookup_request_check(const struct lookup_request *q, size_t size)
{
	const size_t fixed = offsetof(struct lookup_request, user);

	if (size <= fixed + 1 || size > sizeof(*q) || q->head.magic != LOOKUP_REQUEST_MAGIC)
		return -1;
	return ends(q->user, size - fixed) && size == lookup_request_size(q) ? 0 : -1;
}

void
lookup_answer_init(struct lookup_answer *a, uint64_t id, const struct membership *m,
    int64_t keep, const struct error *e)
{
	memset(a, 0, offsetof(struct lookup_answer, m.groups) + 1);
	a->head = (struct courier_head){.magic = LOOKUP_ANSWER_MAGIC,
	    .kind = m != NULL ? LOOKUP_FOUND : LOOKUP_FAILED,
	    .id = id};
	if (m != NULL) {
		a->keep = keep;
		membership_copy(&a->m, m);
	} else {
		memcpy(a->reason, e->text, strlen(e->text) + 1);
	}
}

size_t
lookup_answer_size(const struct lookup_answer *a)
{
	return offsetof(struct lookup_answer, m) + membership_size(&a->m);
}

int
lookup_answer_check(const struct lookup_answer *a, size_t size)
{
	const size_t fixed = offsetof(struct lookup_answer, m.groups);

	if (size <= fixed || size > sizeof(*a) || *(const unsigned char *)&a->m.known > 1 ||
	    (a->head.kind != LOOKUP_FOUND && a->head.kind != LOOKUP_FAILED))
		return -1;
	if (!ends(a->reason, sizeof(a->reason)) || !ends(a->m.email, sizeof(a->m.email)) ||
	    !ends(a->m.space, sizeof(a->m.space)) || !ends(a->m.groups, size - fixed))
		return -1;
	if (size != lookup_answer_size(a))
		return -1;
	/* Whoever reads groups goes from newline to newline. */
	return size == fixed + 1 || a->m.groups[size - fixed - 2] == '\n' ? 0 : -1;
}
