/*
 * When a token file that is kept fresh is to be renewed. Pure: lifetimes, the token's end and a
 * time in, a time out; all in nanoseconds.
 *
 * Each file has a place of its own in the time between two renewals, by its phase, so that
 * files that were made in one moment are not renewed in one moment; whoever asks, and however
 * often the keeper is started anew, the answer is the same.
 */
#ifndef STORE_KEEP_TIME_H
#define STORE_KEEP_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct keep_terms {
	int64_t lifetime; /* of each token */
	int64_t at_least; /* what a token in the file has left, always */
	int64_t every;    /* between two looks at the file; 0: it is looked at when it is due */
};

/* The longest time between two renewals: what is left of a lifetime when a part has been put
 * aside for what goes wrong. 0 or less: there is none, every is too long. */
int64_t keep_time_period(const struct keep_terms *t);

/* A phase from what distinguishes the file. */
uint64_t keep_time_phase(const char *host, const char *path);

/* Whether a token that ends at expires lives longer at now than one which is made now would:
 * the clock was set back, and others may refuse it as one of the future. */
bool keep_time_is_future(int64_t lifetime, int64_t expires, int64_t now);

/*
 * When a file whose token ends at expires is to be renewed, where now is the time: at now or
 * before means at once, as for a token of the future.
 */
int64_t keep_time_due(const struct keep_terms *t, uint64_t phase, int64_t expires, int64_t now);

#endif
