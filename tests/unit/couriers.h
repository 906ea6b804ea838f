/* What tests of a courier share: its end and that of the other process, which the test plays.
 */
#ifndef TESTS_UNIT_COURIERS_H
#define TESTS_UNIT_COURIERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/courier.h"

enum {
	COURIERS_ASK = 0x61736b31,
	COURIERS_ANSWER = 0x616e7331,
	COURIERS_SAID = COURIER_HELLO + 1,
	COURIERS_LAST = COURIER_MOST
};

struct note {
	struct courier_head head;
	char text[16];
};

struct couriers_outcome {
	int calls;
	enum error_code code;
	char text[64];
};

struct couriers_fixture {
	int ours;
	int theirs; /* -1: closed */
	struct courier *courier;
	int64_t now; /* what its clock says */
	struct { /* of its parts, when it is opened; 0: not bounded by how fast the other is */
		size_t few;
		int64_t wait;
	} pace;
	struct couriers_outcome outcomes[COURIERS_LAST + 1];
};

/* Opens it, anew when it is open. */
int couriers_open(struct couriers_fixture *f, size_t most, const struct entropy *entropy);

/* For cmocka: set-up and teardown of a test. */
int couriers_setup(void **state);
int couriers_teardown(void **state);

/* Sends note i; what comes of it is outcome i. */
int couriers_submit(struct couriers_fixture *f, size_t i, struct error *e);
int couriers_submit_light(struct couriers_fixture *f, size_t i, struct error *e);
void couriers_submit_all(struct couriers_fixture *f, size_t count);

/* The next note that was sent. */
struct note couriers_take(const struct couriers_fixture *f);
void couriers_assert_nothing_asked(const struct couriers_fixture *f);
struct note couriers_make_answer(uint64_t id, const char *text);

/* Sends the first size bytes of it, and lets them be taken. */
void couriers_answer_with(struct couriers_fixture *f, const struct note *n, size_t size);

/* What outcome i is. */
void couriers_assert_answered(const struct couriers_fixture *f, size_t i, const char *text);
void couriers_assert_failed(const struct couriers_fixture *f, size_t i, const char *text);
void couriers_assert_pending(const struct couriers_fixture *f, size_t i);

#endif
