/* identity/lookup_message, from whoever needs to know to the resolver. Input: the kind, and
 * what stands behind the head. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "identity/lookup_message.h"
#include "tests/fuzz/fuzz.h"

static void
check_name(const struct lookup_request *q, size_t size)
{
	struct lookup_request *again = calloc(1, sizeof(*again));
	struct error e;

	REQUIRE(again != NULL && *q->name != '\0');
	REQUIRE(lookup_request_init(again, (enum lookup_what)q->head.kind, q->name, &e) == 0);
	REQUIRE(lookup_request_size(again) == size && memcmp(again, q, size) == 0);
	free(again);
}

static void
check_password(const struct lookup_request *q, size_t size)
{
	struct lookup_request *again = calloc(1, sizeof(*again));
	struct password_question asked;

	REQUIRE(again != NULL);
	REQUIRE(password_unpack(&asked, q->question,
		    size - offsetof(struct lookup_request, question)) == 0);
	REQUIRE(password_is_askable(&asked) && text_clean(asked.user));
	REQUIRE(asked.password == NULL || *asked.password != '\0');
	REQUIRE(strchr(asked.user, '/') == NULL);
	REQUIRE(lookup_request_init_password(again, &asked) == size);
	REQUIRE(memcmp(again, q, size) == 0);
	free(again);
}

static void
run(const uint8_t *bytes, size_t size)
{
	const size_t fixed = offsetof(struct lookup_request, name);
	struct fuzz_input in = {bytes, size};
	const struct courier_head head = {
	    .magic = LOOKUP_REQUEST_MAGIC, .kind = fuzz_byte(&in) % 8};
	uint8_t *message = malloc(fixed + in.left);
	const struct lookup_request *q = (const struct lookup_request *)message;

	REQUIRE(message != NULL);
	memcpy(message, &head, sizeof(head));
	memcpy(message + fixed, in.at, in.left);
	if (lookup_request_check(q, fixed + in.left) == 0) {
		REQUIRE(fixed + in.left <= sizeof(*q));
		if (head.kind == LOOKUP_PASSWORD)
			check_password(q, fixed + in.left);
		else
			check_name(q, fixed + in.left);
	}
	free(message);
}

const struct fuzz_target fuzz_lookup_request = {.name = "lookup_request", .run = run};
