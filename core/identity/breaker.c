#include "identity/breaker.h"

#include "base/clock.h"

enum { SLOW = 900 }; /* milliseconds; every timeout is longer */

bool
breaker_closed(const struct breaker *b, size_t source, int64_t now)
{
	return now >= b->until[source];
}

void
breaker_failed(struct breaker *b, size_t source, int64_t now, int64_t taken, int64_t retry)
{
	if (taken >= SLOW * (NANOSECONDS / 1000))
		b->until[source] = now + retry * NANOSECONDS;
}
