/* Starting the processes of the program, alike hardened and bound to their parent. */
#ifndef FCGI_CHILD_H
#define FCGI_CHILD_H

#include <sys/types.h>

#include "base/error.h"

/* From here on this process, and those that it forks, make no core dumps and cannot be traced
 * or read by others of the same user. */
void child_hide(void);

/*
 * fork(2). In the child: gets signal death when the monitor dies; ignores what a
 * terminal sends to the whole group; is scheduled as SCHED_BATCH. Returns as fork does.
 */
pid_t child_fork(int death);

/* A child that tells when it does what it is for. */
struct child {
	const char *name;
	int death; /* the signal, as for child_fork() */
	/* What it does, until it ends the process itself. It is to call child_report(ready). */
	void (*run)(const void *context, int ready);
	const void *context;
};

/* Starts it. The process, once it has reported well, or -1 and what it complained of:
 * ERROR_UNAVAILABLE where it ended before, where that takes longer than 30 s, and when SIGTERM
 * or SIGINT waits for us, which are to be blocked. */
pid_t child_start(const struct child *c, struct error *e);

/* Closes every descriptor from 3 on but those in keep. For a child that was just forked. */
void child_close_others(const int *keep, int count);

/* A child that serves workers over sockets. */
struct server {
	const char *name;
	const int *sockets; /* its ends; with ready all that stays open */
	unsigned int count;
	/* What it does; it ends the process itself. It tells whether it serves by
	 * child_report(ready). */
	void (*run)(const void *context, int ready);
	const void *context;
};

/* Starts it, bound to us as by child_fork(SIGKILL), and deaf to what ends workers. The process
 * once it serves, or -1 and what it complained of. */
pid_t child_serve(const struct server *s, struct error *e);

/* Does play(context) in a child, for what may end its process: a library that reads a
 * configuration, or looks up a group, need not survive that memory ends. 0, or -1 and what it
 * came to: its error, or ERROR_UNAVAILABLE where it came to no end. */
int child_rehearse(int (*play)(void *context, struct error *e), void *context, struct error *e);

/* Tells over ready that it serves, if rc is 0, or why not, and closes that. *e travels as it
 * is: both ends are of one build. rc, or -1 and ERROR_INTERNAL when that cannot be told: the
 * process is to end. */
int child_report(int ready, int rc, struct error *e);

#endif
