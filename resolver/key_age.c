#include "resolver/key_age.h"

#include "base/clock.h"

bool
key_age_is_due(struct key_age *a, int64_t now, bool anew)
{
	bool due = now >= a->retry && (now >= a->fresh || (anew && now >= a->anew));

	if (due && anew)
		a->anew = now + KEY_AGE_ANEW * NANOSECONDS;
	return due;
}

void
key_age_succeed(struct key_age *a, int64_t now, int64_t fresh, int64_t stale)
{
	a->fetched = now;
	a->fresh = now + fresh * NANOSECONDS;
	a->trusted = a->fresh + stale * NANOSECONDS;
	a->retry = 0;
	a->failures = 0;
}

int64_t
key_age_fail(struct key_age *a, int64_t now)
{
	int64_t seconds = KEY_AGE_RETRY;

	for (unsigned int i = 0; i < a->failures && seconds < KEY_AGE_RETRY_MOST; i++)
		seconds *= 2;
	if (seconds > KEY_AGE_RETRY_MOST)
		seconds = KEY_AGE_RETRY_MOST;
	a->failures++;
	a->retry = now + seconds * NANOSECONDS;
	return seconds;
}

bool
key_age_is_trusted(const struct key_age *a, int64_t now)
{
	return now < a->trusted;
}

int64_t
key_age_keep(const struct key_age *a, int64_t now)
{
	int64_t until = now < a->fresh ? a->fresh : a->retry;

	if (until > a->trusted)
		until = a->trusted;
	return until > now ? until - now : 0;
}
