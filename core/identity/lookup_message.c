#include "identity/lookup_message.h"

#include <string.h>

int
lookup_request_init(
    struct lookup_request *q, enum lookup_what what, const char *name, struct error *e)
{
	size_t length = strlen(name);

	if (length >= sizeof(q->name))
		return error_set(e, ERROR_UNAVAILABLE, "%s name is too long",
		    what == LOOKUP_USER ? "the user's" : "the section's");
	q->head = (struct courier_head){.magic = LOOKUP_REQUEST_MAGIC, .kind = what};
	memcpy(q->name, name, length + 1);
	return 0;
}

size_t
lookup_request_size(const struct lookup_request *q)
{
	return offsetof(struct lookup_request, name) + strlen(q->name) + 1;
}

size_t
lookup_request_init_password(struct lookup_request *q, const struct password_question *question)
{
	q->head = (struct courier_head){.magic = LOOKUP_REQUEST_MAGIC, .kind = LOOKUP_PASSWORD};
	return offsetof(struct lookup_request, question) + password_pack(q->question, question);
}

static bool
ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

int
lookup_request_check(const struct lookup_request *q, size_t size)
{
	const size_t fixed = offsetof(struct lookup_request, name);
	struct password_question question;

	if (size <= fixed + 1 || size > sizeof(*q) || q->head.magic != LOOKUP_REQUEST_MAGIC ||
	    q->head.kind < LOOKUP_USER || q->head.kind > LOOKUP_PASSWORD)
		return -1;
	if (q->head.kind == LOOKUP_PASSWORD)
		return password_unpack(&question, q->question, size - fixed);
	if (size > fixed + sizeof(q->name))
		return -1;
	return ends(q->name, size - fixed) && size == lookup_request_size(q) ? 0 : -1;
}

static void
init_answer(struct lookup_answer *a, enum lookup_kind kind, uint64_t id, int64_t keep)
{
	a->head = (struct courier_head){.magic = LOOKUP_ANSWER_MAGIC, .kind = kind, .id = id};
	a->keep = keep;
}

static void
init_failed(struct lookup_answer *a, uint64_t id, const struct error *e)
{
	init_answer(a, LOOKUP_FAILED, id, 0);
	memcpy(a->reason, e->text, strlen(e->text) + 1);
}

void
lookup_answer_init(struct lookup_answer *a, uint64_t id, const struct membership *m,
    int64_t keep, const struct error *e)
{
	if (m == NULL) {
		init_failed(a, id, e);
		return;
	}
	init_answer(a, LOOKUP_FOUND, id, keep);
	membership_copy(&a->m, m);
}

void
lookup_answer_init_keys(struct lookup_answer *a, uint64_t id, const struct key_set *keys,
    int64_t keep, const struct error *e)
{
	if (keys == NULL) {
		init_failed(a, id, e);
		return;
	}
	init_answer(a, LOOKUP_SET, id, keep);
	memcpy(&a->keys, keys, key_set_size(keys));
}

void
lookup_answer_init_verdict(
    struct lookup_answer *a, uint64_t id, enum password_verdict verdict, const struct error *e)
{
	if (e != NULL) {
		init_failed(a, id, e);
		return;
	}
	init_answer(a, LOOKUP_VERDICT, id, 0);
	a->verdict = verdict;
}

size_t
lookup_answer_size(const struct lookup_answer *a)
{
	switch (a->head.kind) {
	case LOOKUP_FOUND:
		return offsetof(struct lookup_answer, m) + membership_size(&a->m);
	case LOOKUP_SET:
		return offsetof(struct lookup_answer, keys) + key_set_size(&a->keys);
	case LOOKUP_VERDICT:
		return offsetof(struct lookup_answer, verdict) + sizeof(a->verdict);
	default:
		return offsetof(struct lookup_answer, reason) + strlen(a->reason) + 1;
	}
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

/* What is asked for again when it is no good any more; a set of nothing is none. */
static int
check_set(const struct lookup_answer *a, size_t size)
{
	const size_t fixed = offsetof(struct lookup_answer, keys.json);

	return size > fixed + 1 && size <= fixed + sizeof(a->keys.json) && a->keep >= 0 &&
		       a->keys.trusted >= a->keep && ends(a->keys.json, size - fixed) &&
		       size == lookup_answer_size(a)
		   ? 0
		   : -1;
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

static int
check_verdict(const struct lookup_answer *a, size_t size)
{
	return size == lookup_answer_size(a) && a->keep == 0 &&
		       (a->verdict == PASSWORD_RIGHT || a->verdict == PASSWORD_WRONG)
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
	case LOOKUP_SET:
		return check_set(a, size);
	case LOOKUP_VERDICT:
		return check_verdict(a, size);
	default:
		return -1;
	}
}

bool
lookup_answer_fits(const struct lookup_answer *a, enum lookup_what what)
{
	switch (a->head.kind) {
	case LOOKUP_FAILED:
		return true;
	case LOOKUP_FOUND:
		return what == LOOKUP_USER;
	case LOOKUP_SET:
		return what == LOOKUP_KEYS || what == LOOKUP_KEYS_ANEW;
	case LOOKUP_VERDICT:
		return what == LOOKUP_PASSWORD;
	default:
		return false;
	}
}
