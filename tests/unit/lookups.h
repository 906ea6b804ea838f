/* What tests of look-ups share: one who asks, and the resolver, which the test plays. */
#ifndef TESTS_UNIT_LOOKUPS_H
#define TESTS_UNIT_LOOKUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity/lookup_message.h"
#include "identity/lookup_remote.h"

enum { LOOKUPS_DEADLINE = 5 /* seconds */, LOOKUPS_WAITS = 300 };

struct lookups_fixture;

/* What one who asked was told. */
struct lookups_outcome {
	struct lookups_fixture *f;
	int calls;
	bool found; /* m was there */
	bool known;
	enum error_code code;
	char groups[64];
	char text[128];
	const char *again; /* asks about this user from its callback */
};

struct lookups_fixture {
	int ours;
	int theirs; /* -1: closed */
	int64_t now;
	struct clock clock;
	struct lookup_remote *remote;
	struct lookups_outcome
	    outcomes[LOOKUPS_WAITS + 1]; /* the last is for those who ask anew */
};

/* For cmocka: set-up and teardown of a test. */
int lookups_setup(void **state);
int lookups_teardown(void **state);

/* Asks about the user; what comes of it is outcome i. ask asserts that it was taken. */
int lookups_submit(struct lookups_fixture *f, const char *user, size_t i, struct error *e);
void lookups_ask(struct lookups_fixture *f, const char *user, size_t i);

/* The next request, which is about the user. Returns its id. */
uint64_t lookups_take(const struct lookups_fixture *f, const char *user);
void lookups_assert_nothing_asked(const struct lookups_fixture *f);

/* Answers id with m, or with a failure when it is NULL, and lets it be taken. */
void lookups_answer(
    struct lookups_fixture *f, uint64_t id, const struct membership *m, int64_t keep);
void lookups_answer_group(
    struct lookups_fixture *f, uint64_t id, const char *group, int64_t keep);

/* What outcome i is. */
void lookups_assert_pending(const struct lookups_fixture *f, size_t i);
void lookups_assert_groups(const struct lookups_fixture *f, size_t i, const char *groups);
void lookups_assert_failed(const struct lookups_fixture *f, size_t i, const char *text);

#endif
