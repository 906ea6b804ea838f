/* What tests of failures share: work that is done again and again, and each time another one of
 * its system calls fails. Linked with --wrap for those calls, in our own code: see FAULTS in
 * the Makefile. Whatever fails ends the test. */
#ifndef TESTS_UNIT_FAULTS_H
#define TESTS_UNIT_FAULTS_H

#include <stdbool.h>

#include "base/error.h"

/* In place of an errno: what is read or written is read or written in part. */
enum { FAULTS_SHORT = -1 };

/*
 * Does the work with its first call failing, then with its second one, until none is left, and
 * all this for each of the errors. The work says between which of its lines calls may fail.
 * After each time no more descriptors are open than before.
 */
void faults_sweep(void (*work)(void *context), void *context);

/* The same for one errno alone, or FAULTS_SHORT. */
void faults_sweep_by(int number, void (*work)(void *context), void *context);

/* Between these two they fail; in children that are forked meanwhile none does. */
void faults_on(void);
void faults_off(void);

/* The same, and they fail in those children alone. */
void faults_on_in_children(void);

/* Whether one has failed this time, and how. */
bool faults_hit(void);
int faults_number(void);

/* Fails unless rc is 0; or -1 where a call has failed, and then the error says something. */
void faults_check(int rc, const struct error *e);

#endif
