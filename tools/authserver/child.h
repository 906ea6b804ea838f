/*
 * A program that runs below ours: started in a process group of its own, so that a
 * terminal's Ctrl-C reaches only us and what it leaves behind can be ended with it; and
 * ended by the kernel when we are killed.
 */
#ifndef AUTHSERVER_CHILD_H
#define AUTHSERVER_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct child {
	const char *name; /* for log lines */
	char *const *argv;
	int input;  /* becomes its descriptor 0; -1: /dev/null */
	bool batch; /* runs under SCHED_BATCH */
	pid_t pid;  /* 0 while it does not run */
	int status; /* of wait(2), once it ended */
};

/* Starts it. ERROR_UNAVAILABLE. SIGCHLD must be blocked, as for child_wait(). */
int child_start(struct child *c, struct error *e);

/* Sends a signal to the program itself, when it runs. */
void child_signal(const struct child *c, int signal);

/*
 * Takes note if it ended, and ends what it left in its group. True when it does not
 * run (any more).
 */
bool child_ended(struct child *c);

/* Waits until it ended, for that many milliseconds at most. True as above. */
bool child_wait(struct child *c, int milliseconds);

/* SIGKILL for it and its group, and waits. */
void child_kill(struct child *c);

/* The exit status with which we pass on how it ended: its own where sysexits(3) has it. */
int child_exit_status(const struct child *c);

#endif
