/* How many token files there are at this moment, of one subject or of all. */
#ifndef STORE_LIVE_H
#define STORE_LIVE_H

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/directory.h"

/* Counts a subject's token files, or all when subject is NULL, by one pass over the
 * directory's names. 0, or -1 and ERROR_UNAVAILABLE. */
int live_count(
    const struct directory *d, const char *subject, unsigned int *count, struct error *e);

/*
 * A bound on the files of all subjects together. Counting anew for each file would cost more
 * than making it: what was counted holds until half of the room that was left, parted among
 * the processes that make files, is used up; so counts come closer together as the bound comes
 * near. Each of those processes may pass it by one file.
 */
struct live_bound {
	unsigned int limit;   /* 0: none */
	unsigned int sharers; /* processes that make files in the directory */
	unsigned int room;    /* files that may be made before the next count */
	int64_t until; /* monotonic nanoseconds: there is no room before the next count */
};

/* Whether one more file may be made. 0, or -1: ERROR_LIMITED, ERROR_UNAVAILABLE. */
int live_admit(struct live_bound *b, const struct directory *d, const struct clock *clock,
    struct error *e);

/* To be called for each file that was made. */
void live_made(struct live_bound *b);

#endif
