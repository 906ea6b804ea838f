/*
 * Calls that fail when a test says so. What is linked with failures.o has these calls of ours,
 * and those of the library, go through it: see FAILURES_UNITS in the Makefile.
 */
#ifndef TESTS_UNIT_FAILURES_H
#define TESTS_UNIT_FAILURES_H

#include <stdbool.h>

/*
 * From now on the turn-th call of the name, counted from 0, fails with errno number, and so do
 * those behind it until there were times of them. Whatever allocates is "memory". NULL: none
 * fails any more. Returns what failures_count() does, for what was set before.
 */
int failures_set(const char *name, int turn, int times, int number);

/* How many calls have failed. */
int failures_count(void);

/* For a test's own __wrap_: whether this call is to fail. errno is set. */
bool failures_hit(const char *name);

#endif
