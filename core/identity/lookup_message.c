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
	a->head = (struct courier_head){.magic = LOOKUP_ANSWER_MAGIC,
	    .kind = m != NULL ? LOOKUP_FOUND : LOOKUP_FAILED,
	    .id = id};
	a->keep = m != NULL ? keep : 0;
	if (m != NULL)
		membership_copy(&a->m, m);
	else
		memcpy(a->reason, e->text, strlen(e->text) + 1);
}

size_t
lookup_answer_size(const struct lookup_answer *a)
{
	return a->head.kind == LOOKUP_FOUND
		   ? offsetof(struct lookup_answer, m) + membership_size(&a->m)
		   : offsetof(struct lookup_answer, reason) + strlen(a->reason) + 1;
}

static bool
is_bool(const bool *value)
{
	return *(const unsigned char *)value <= 1;
}

static int
check_found(const struct lookup_answer *a, size_t size)
{
	const size_t fixed = offsetof(struct lookup_answer, m.groups);

	if (size <= fixed || size > fixed + sizeof(a->m.groups) || !is_bool(&a->m.known) ||
	    !is_bool(&a->m.partial) || !ends(a->m.email, sizeof(a->m.email)) ||
	    !ends(a->m.space, sizeof(a->m.space)) || !ends(a->m.groups, size - fixed) ||
	    size != lookup_answer_size(a))
		return -1;
	/* Whoever reads groups goes from newline to newline. */
	return size == fixed + 1 || a->m.groups[size - fixed - 2] == '\n' ? 0 : -1;
}

static int
check_failed(const struct lookup_answer *a, size_t size)
{
	const size_t fixed = offsetof(struct lookup_answer, reason);

	return size > fixed && size <= fixed + sizeof(a->reason) && a->keep == 0 &&
		       ends(a->reason, size - fixed) && size == lookup_answer_size(a)
		   ? 0
		   : -1;
}

int
lookup_answer_check(const struct lookup_answer *a, size_t size)
{
	if (size < offsetof(struct lookup_answer, m))
		return -1;
	switch (a->head.kind) {
	case LOOKUP_FOUND:
		return check_found(a, size);
	case LOOKUP_FAILED:
		return check_failed(a, size);
	default:
		return -1;
	}
}
