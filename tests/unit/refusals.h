/* What tests of failures share: work that is done again and again, and each time another one of
 * the calls fails that our code makes of a library or of the system. Linked with --wrap for all
 * that refusals.c has. Whatever fails ends the test. */
#ifndef TESTS_UNIT_REFUSALS_H
#define TESTS_UNIT_REFUSALS_H

#include <stdbool.h>

#include "base/error.h"

/* 0; or -1 and *e. Whatever it made is gone again; calls fail between the two lines below. */
typedef int refusals_work(void *context, struct error *e);

/*
 * Does the work with its first call failing, then with its second one, until none is left: as
 * memory is short, and once more as by a signal. What fails says so in *e, and leaves no more
 * descriptors open than there were. context is the work's.
 */
void refusals_sweep(refusals_work *work, void *context);

/* The same, and all later calls fail, too, as memory is short. */
void refusals_sweep_ever(refusals_work *work, void *context);

/* Between these two they fail. */
void refusals_on(void);
void refusals_off(void);

/* Whether one has failed this time. */
bool refusals_hit(void);

#endif
