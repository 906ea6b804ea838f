#include "base/pace.h"

#include "base/clock.h"

enum { PERIOD_ANSWERS = 16 };
#define PERIOD (NANOSECONDS / 20)

void
pace_begin(struct pace *p, int64_t now)
{
	p->since = now;
}

void
pace_renew(struct pace *p, int64_t now)
{
	p->since = now;
	p->busy = 0;
	p->answers = 0;
}

void
pace_answered(struct pace *p, int64_t now)
{
	p->busy += now - p->since;
	p->since = now;
	p->answers++;
	if (p->busy < PERIOD || p->answers < PERIOD_ANSWERS)
		return;
	p->each[1] = p->each[0];
	p->each[0] = p->busy / p->answers;
	p->busy = 0;
	p->answers = 0;
}

/* The faster of two periods counts: one in which the machine stood still says nothing. */
int64_t
pace_room(const struct pace *p, int64_t time)
{
	int64_t each = p->each[0] < p->each[1] ? p->each[0] : p->each[1];

	return each > 0 ? time / each : INT64_MAX;
}
