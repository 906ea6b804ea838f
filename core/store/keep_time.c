#include "store/keep_time.h"

#include "base/clock.h"

enum {
	ROUNDING = 1, /* seconds by which "exp" may be early: it is of whole ones */
	SPARE = 5,    /* a fifth of the time is for a disk that is full, and the like */
};

static int64_t
slack(const struct keep_terms *t)
{
	return t->lifetime - t->at_least - ROUNDING * NANOSECONDS;
}

/* How long before the last moment a file is to be renewed. */
static int64_t
margin(const struct keep_terms *t)
{
	return slack(t) / SPARE + t->every;
}

int64_t
keep_time_period(const struct keep_terms *t)
{
	return slack(t) - margin(t);
}

/* FNV-1a, and then the last step of MurmurHash3, since its upper bits alone are good. */
static uint64_t
mix(uint64_t hash, const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
		hash = (hash ^ *at) * 0x100000001b3;
	return (hash ^ '\n') * 0x100000001b3;
}

uint64_t
keep_time_phase(const char *host, const char *path)
{
	uint64_t hash = mix(mix(0xcbf29ce484222325, host), path);

	hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
	hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
	return hash ^ (hash >> 33);
}

bool
keep_time_is_future(int64_t lifetime, int64_t expires, int64_t now)
{
	return expires - now > lifetime + ROUNDING * NANOSECONDS;
}

int64_t
keep_time_due(const struct keep_terms *t, uint64_t phase, int64_t expires, int64_t now)
{
	int64_t period = keep_time_period(t);
	int64_t latest = expires - t->at_least - margin(t);
	int64_t early;

	if (period <= 0 || keep_time_is_future(t->lifetime, expires, now))
		return now;
	/* The last moment of the file's own before the latest. */
	early = (latest - (int64_t)(phase % (uint64_t)period)) % period;
	return latest - (early >= 0 ? early : early + period);
}
