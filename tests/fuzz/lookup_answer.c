/*
 * identity/lookup_message, from the resolver to whoever asked. Input: the kind, and what stands
 * behind the head; of a membership: known, partial, e-mail address and namespace, a line each,
 * and the groups.
 */
#include <stdlib.h>
#include <string.h>

#include "identity/lookup_message.h"
#include "tests/fuzz/fuzz.h"

static void
check_answer(const struct lookup_answer *a, size_t size)
{
	struct lookup_answer *again = calloc(1, sizeof(*again));
	struct error e = {.code = ERROR_UNAVAILABLE};

	REQUIRE(again != NULL && size <= sizeof(*a) && lookup_answer_size(a) == size);
	switch (a->head.kind) {
	case LOOKUP_FOUND:
		for (const char *g = a->m.groups; *g != '\0'; g = strchr(g, '\n') + 1)
			REQUIRE(strchr(g, '\n') != NULL);
		REQUIRE(membership_size(&a->m) <= sizeof(a->m));
		lookup_answer_init(again, a->head.id, &a->m, a->keep, NULL);
		break;
	case LOOKUP_SET:
		REQUIRE(a->keep >= 0 && a->keys.trusted >= a->keep && *a->keys.json != '\0');
		lookup_answer_init_keys(again, a->head.id, &a->keys, a->keep, NULL);
		break;
	case LOOKUP_VERDICT:
		lookup_answer_init_verdict(
		    again, a->head.id, (enum password_verdict)a->verdict, NULL);
		break;
	default:
		REQUIRE(a->head.kind == LOOKUP_FAILED && strlen(a->reason) < sizeof(e.text));
		memcpy(e.text, a->reason, strlen(a->reason) + 1);
		lookup_answer_init(again, a->head.id, NULL, 0, &e);
		break;
	}
	REQUIRE(lookup_answer_size(again) == size && memcmp(again, a, size) == 0);
	REQUIRE(lookup_answer_fits(a, LOOKUP_USER) + lookup_answer_fits(a, LOOKUP_KEYS) +
		    lookup_answer_fits(a, LOOKUP_PASSWORD) ==
		(a->head.kind == LOOKUP_FAILED ? 3 : 1));
	free(again);
}

static void
fill(char *to, size_t size, struct fuzz_input *in)
{
	char *line = fuzz_line(in);

	/* What is too long stands there without an end. */
	memcpy(to, line, strlen(line) < size ? strlen(line) : size);
	free(line);
}

/* As many fixed bytes as a membership has, from a few. */
static void
make_membership(struct membership *m, struct fuzz_input *in)
{
	uint8_t known = fuzz_byte(in), partial = fuzz_byte(in);

	memcpy(&m->known, &known, 1);
	memcpy(&m->partial, &partial, 1);
	fill(m->email, sizeof(m->email), in);
	fill(m->space, sizeof(m->space), in);
}

static void
run(const uint8_t *bytes, size_t size)
{
	const size_t head = offsetof(struct lookup_answer, m);
	struct fuzz_input in = {bytes, size};
	uint32_t kind = fuzz_byte(&in) % 6;
	struct lookup_answer *a = calloc(1, sizeof(*a));
	size_t fixed = head;
	uint8_t *message;

	REQUIRE(a != NULL);
	a->head = (struct courier_head){.magic = LOOKUP_ANSWER_MAGIC, .kind = kind};
	a->keep = (int8_t)fuzz_byte(&in);
	if (kind == LOOKUP_FOUND) {
		make_membership(&a->m, &in);
		fixed = offsetof(struct lookup_answer, m.groups);
	}
	/* In just as much memory as came. */
	message = (uint8_t *)fuzz_copy(a, fixed);
	message = realloc(message, fixed + in.left);
	REQUIRE(message != NULL);
	memcpy(message + fixed, in.at, in.left);
	if (lookup_answer_check((const struct lookup_answer *)message, fixed + in.left) == 0)
		check_answer((const struct lookup_answer *)message, fixed + in.left);
	free(message);
	free(a);
}

const struct fuzz_target fuzz_lookup_answer = {.name = "lookup_answer", .run = run};
