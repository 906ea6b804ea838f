/* How many token files there are at this moment, of one subject or of all, and a bound on them
 * or on the records of the state directory. */
#ifndef STORE_LIVE_H
#define STORE_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/directory.h"

/* Counts a subject's token files, or all when subject is NULL, by one pass over the
 * directory's names. 0, or -1 and ERROR_UNAVAILABLE. */
int live_count(
    const struct directory *d, const char *subject, unsigned int *count, struct error *e);

/*
 * A bound on the files of all subjects together, in memory that those who make files share.
 * Counting anew for each file would cost more than making it: what was counted holds until half
 * of the room that was left is used up, so that counts come closer together as the bound comes
 * near. It can be passed by the files that others are making in the moment of a count, one
 * each.
 */
struct live_bound {
	unsigned int limit; /* 0: none */
	bool records;       /* of all files that are there, whatever their names */
	/* Files that may be made before the next count; in the upper half, which count that
	 * was: of two at the same time one says nothing that still holds. */
	_Atomic uint64_t room;
	_Atomic int64_t until; /* monotonic nanoseconds: no room, and no count before */
};

/* Whether there is room for one more file. 0, or -1: ERROR_LIMITED, ERROR_UNAVAILABLE. */
int live_admit(struct live_bound *b, const struct directory *d, const struct clock *clock,
    struct error *e);

/* The same, and takes the room; to be given back if no file is made. */
int live_take(struct live_bound *b, const struct directory *d, const struct clock *clock,
    struct error *e);
void live_give_back(struct live_bound *b);

#endif
