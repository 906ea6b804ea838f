/* When keys are fetched, and for how long those that are there count. Times are in monotonic
 * nanoseconds and passed in. */
#ifndef RESOLVER_KEY_AGE_H
#define RESOLVER_KEY_AGE_H

#include <stdbool.h>
#include <stdint.h>

/* In seconds. */
enum {
	KEY_AGE_ANEW = 30,       /* between two fetches for an unknown kid, at least */
	KEY_AGE_RETRY = 5,       /* after the first fetch that failed; then twice as long */
	KEY_AGE_RETRY_MOST = 60, /* each time, up to this */
};

/* Zeroes are of keys that have never been fetched. */
struct key_age {
	int64_t fetched;
	int64_t fresh;         /* until then they need not be fetched */
	int64_t trusted;       /* until then they may be used */
	int64_t retry;         /* no fetch before, since the last one failed */
	int64_t anew;          /* none for an unknown kid before */
	unsigned int failures; /* since the last fetch that did not */
};

/* Whether to fetch now; anew: since a kid is unknown, which counts as done when it is. */
bool key_age_is_due(struct key_age *a, int64_t now, bool anew);

/* Keys came now, good for fresh seconds and, while there are no newer ones, for stale more. */
void key_age_succeed(struct key_age *a, int64_t now, int64_t fresh, int64_t stale);

/* None came now: the seconds until they are fetched again. */
int64_t key_age_fail(struct key_age *a, int64_t now);

bool key_age_is_trusted(const struct key_age *a, int64_t now);

/* For keys that are trusted: the nanoseconds until others may be had. */
int64_t key_age_keep(const struct key_age *a, int64_t now);

#endif
