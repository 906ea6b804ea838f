/* Starting the processes of the program, alike hardened and bound to their parent. */
#ifndef FCGI_CHILD_H
#define FCGI_CHILD_H

#include <sys/types.h>

/*
 * fork(2). In the child: gets signal death when the monitor dies; ignores what a
 * terminal sends to the whole group; has no core dumps and cannot be traced or read by
 * others of the same user; is scheduled as SCHED_BATCH. Returns as fork does.
 */
pid_t child_fork(int death);

/* Closes every descriptor from 3 on but those in keep. For a child that was just forked. */
void child_close_others(const int *keep, int count);

#endif
