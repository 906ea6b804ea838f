/*
 * Kept connections that go from the workers of one generation to those of the next one. If they
 * were closed instead, what a web server was just sending on one would be lost, and it repeats
 * no POST by itself.
 */
#ifndef FCGI_HANDOVER_H
#define FCGI_HANDOVER_H

struct handover {
	int in;  /* where they are given */
	int out; /* where they are taken: readable while there is one */
};

/* 0, or -1 and errno. */
int handover_open(struct handover *h);

/* From now on nobody takes them: all that are given are refused, those that wait are closed. */
void handover_end(const struct handover *h);

/* Gives a descriptor on, and closes ours. -1 and errno, and it is still there: too many are on
 * their way (EAGAIN, ETOOMANYREFS), or nobody takes it. */
int handover_give(const struct handover *h, int fd);

/* A descriptor that is ours from now on, or -1 and errno: EAGAIN when none waits. */
int handover_take(int out);

#endif
