/* A process that is kept alive: when it may be started again after it died. */
#ifndef FCGI_SLOT_H
#define FCGI_SLOT_H

#include <stdint.h>
#include <sys/types.h>

struct slot {
	pid_t pid;       /* -1 while there is none */
	int64_t started; /* monotonic nanoseconds */
	int64_t due;     /* when it may be started again */
	int backoff;     /* milliseconds */
};

void slot_started(struct slot *s, pid_t pid);

/* What died young waits before it is started again, longer each time. */
void slot_died(struct slot *s);

/* It could not be started: the same. */
void slot_failed(struct slot *s);

/* Milliseconds until it is to be started; 0: now; -1: it runs. */
int slot_wait(const struct slot *s);

/* Ends the process, if there is one. */
void slot_end(struct slot *s);

/* The same, for one that was told to end: it has so many milliseconds to do it by itself. */
void slot_let_end(struct slot *s, int milliseconds);

#endif
