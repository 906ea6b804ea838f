/* What tests of the state directory share: one for each test, families and their tokens.
 * Whatever fails ends the test. */
#ifndef TESTS_UNIT_STATES_H
#define TESTS_UNIT_STATES_H

#include "store/refresh.h"
#include "store/state.h"
#include "tests/unit/stores.h"

/* When it is, in seconds, and the limits of families. */
enum { STATES_NOW = 1700000000, STATES_LIFETIME = 30 * 86400, STATES_IDLE = 7 * 86400 };
extern const struct refresh_limits states_limits;
extern const struct refresh_family states_family;

struct states_fixture {
	struct stores_fixture *store; /* FOLDER */
	char path[512];               /* FOLDER/state */
	struct state *state;
};

int states_enter(void **state);
int states_leave(void **state);

/* Begins a family now. */
void states_begin(const struct states_fixture *f, char token[REFRESH_TOKEN]);

/* What became of a token that was presented. */
enum states_verdict { STATES_TAKEN, STATES_REFUSED, STATES_FAILED };

/* Uses a token to the end: takes, rotates, confirms. next gets the successor, if it is taken.
 */
enum states_verdict states_use(const struct state *s, const char *token, int64_t now,
    char next[REFRESH_TOKEN], struct error *e);

/* Takes and gives back: whether it would be taken. */
bool states_is_good(const struct state *s, const char *token);

/* How many entries a directory of the state has. */
size_t states_count(const struct states_fixture *f, const char *name);

/* The path of the file of a token's family. */
void states_file(const struct states_fixture *f, const char *token, char path[LIMIT_PATH]);

#endif
