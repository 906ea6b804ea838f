/*
 * One run of a script: a process group of its own with nothing of ours but a pipe to print
 * into, that is gone, to the last process in it, when the run has ended.
 */
#ifndef IDENTITY_SCRIPT_RUN_H
#define IDENTITY_SCRIPT_RUN_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct script_run {
	int fd;           /* of the program; it is this that is executed */
	const char *path; /* its argument 0 */
	const char *user; /* its argument 1 */
	int64_t deadline; /* on the clock of clock_system, in nanoseconds */
};

/*
 * Runs the program, with a fixed environment and the working directory "/", and appends what
 * it prints to *output, up to its bound. 0 when it exits with status 0 by itself, before the
 * deadline. Else ERROR_UNAVAILABLE.
 *
 * What it started and left behind in its process group is killed, as all of it is at the
 * deadline. A process that moved to a group of its own cannot be found; its output is not
 * waited for. Other threads may fork and wait, but only for children that they know by their
 * number.
 */
int script_run(const struct script_run *r, struct buffer *output, struct error *e);

#endif
