/*
 * Which sources are left alone for a while, since they were slow to fail: the next request
 * would wait as long for nothing. Shared by threads.
 */
#ifndef IDENTITY_BREAKER_H
#define IDENTITY_BREAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/* Zeroes are one that lets everything through. */
struct breaker {
	_Atomic int64_t
	    until[LIMIT_LIST]; /* monotonic nanoseconds; by position of the source */
};

/* Whether the source may be asked now. */
bool breaker_closed(const struct breaker *b, size_t source, int64_t now);

/* Tells that the source failed at now, after so many nanoseconds; if that was slow, it is left
 * alone for retry seconds. */
void breaker_failed(
    struct breaker *b, size_t source, int64_t now, int64_t taken, int64_t retry);

#endif
