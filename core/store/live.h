/* How many token files there are at this moment, of one subject or of all. */
#ifndef STORE_LIVE_H
#define STORE_LIVE_H

#include <stdint.h>

#include "base/error.h"
#include "store/directory.h"

/* Counts a subject's token files, or all when subject is NULL, by one pass over the
 * directory's names. 0, or -1 and ERROR_UNAVAILABLE. */
int live_count(
    const struct directory *d, const char *subject, unsigned int *count, struct error *e);

/*
 * A bound on the files of all subjects together. Counting anew for each file would cost more
 * than making it: what was counted holds until half of the room that was left, parted among
 * the processes that make files, is used up. So the bound is never passed, and counts come
 * closer together as it comes near.
 */
struct live_bound {
	unsigned int limit;   /* 0: none */
	unsigned int sharers; /* processes that make files in the directory */
	unsigned int room;    /* files that may be made before the next count */
	int64_t counted;      /* when, in monotonic nanoseconds; only while there is no room */
};

/* Whether one more file may be made at now (monotonic nanoseconds). 0, or -1: ERROR_LIMITED,
 * ERROR_UNAVAILABLE. */
int live_admit(struct live_bound *b, const struct directory *d, int64_t now, struct error *e);

/* To be called for each file that was made. */
void live_made(struct live_bound *b);

#endif
