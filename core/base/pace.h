/*
 * How many requests another process may have before it, so that the last of them is answered
 * in a given time: by how fast it has answered lately. A queue that is bounded by a number
 * alone is too long for a slow one, or too short for a fast one. Knows no clock.
 */
#ifndef BASE_PACE_H
#define BASE_PACE_H

#include <stdint.h>

/* All times are monotonic nanoseconds. Zeroed, it knows nothing yet. */
struct pace {
	int64_t since;        /* until when busy was counted */
	int64_t busy;         /* of this period: while it had something to answer */
	unsigned int answers; /* of this period */
	int64_t each[2];      /* what an answer took in the last period and the one before */
};

/* It has something to do from now on, after it had nothing. */
void pace_begin(struct pace *p, int64_t now);

/* It is another process from now on: how long that took says nothing of how fast it is. */
void pace_renew(struct pace *p, int64_t now);

/* It has answered. */
void pace_answered(struct pace *p, int64_t now);

/* How many it answers in that time. INT64_MAX while that is not known. */
int64_t pace_room(const struct pace *p, int64_t time);

#endif
