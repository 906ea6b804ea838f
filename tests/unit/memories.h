/* What tests without memory share. Each allocation fails in turn: what has no memory fails and
 * says why, and what it stands on is as it was. */
#ifndef TESTS_UNIT_MEMORIES_H
#define TESTS_UNIT_MEMORIES_H

#include "tests/unit/states.h"

/* Where files are: FOLDER, with a state and a token directory; states_leave() takes it away. */
extern struct states_fixture *memories_place;
int memories_enter(void **state);

/* Makes a file of FOLDER with this in it, and memories_path is its path. */
extern char memories_path[1024];
void memories_put(const char *name, const char *text);

/* Something to do. 0; or -1 and *e, and nothing is left of it. */
typedef int memories_work(struct error *e);

/* For what only says that it has failed: -1 and *e. */
int memories_none(struct error *e);

/* Does it once with all memory, for what is done once; then without its first allocation,
 * without its second one, until there is none left. What the libraries named take for
 * themselves does not fail. */
void memories_without(memories_work *w, const char *spare);

#endif
