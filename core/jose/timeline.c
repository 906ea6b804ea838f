#include "jose/timeline.h"

/* When the successor of periods[i] starts to sign, INT64_MAX when there is none. */
static int64_t
succeeded(const struct period *periods, size_t count, size_t i)
{
	int64_t first = INT64_MAX;

	for (size_t j = 0; j < count; j++)
		if (periods[j].algorithm == periods[i].algorithm &&
		    periods[j].from > periods[i].from && periods[j].from < first)
			first = periods[j].from;
	return first;
}

int64_t
timeline_end(const struct period *periods, size_t count, size_t i, int64_t longest)
{
	int64_t successor = succeeded(periods, count, i);

	if (successor > INT64_MAX - longest - TIMELINE_MARGIN)
		return INT64_MAX;
	return successor + longest + TIMELINE_MARGIN;
}

enum key_state
timeline_state(
    const struct period *periods, size_t count, size_t i, int64_t now, int64_t longest)
{
	if (now < periods[i].from)
		return KEY_STATE_NEXT;
	if (now < succeeded(periods, count, i))
		return KEY_STATE_ACTIVE;
	return now < timeline_end(periods, count, i, longest) ? KEY_STATE_RETIRED
							      : KEY_STATE_EXPIRED;
}

int
timeline_active(
    const struct period *periods, size_t count, const struct algorithm *algorithm, int64_t now)
{
	int newest = -1;

	for (size_t i = 0; i < count; i++)
		if (periods[i].algorithm == algorithm && periods[i].from <= now &&
		    (newest == -1 || periods[i].from > periods[newest].from))
			newest = (int)i;
	return newest;
}

int64_t
timeline_change(const struct period *periods, size_t count, int64_t now, int64_t longest)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < count; i++) {
		int64_t end = timeline_end(periods, count, i, longest);

		if (periods[i].from > now && periods[i].from < next)
			next = periods[i].from;
		if (end > now && end < next)
			next = end;
	}
	return next;
}

const char *
key_state_name(enum key_state state)
{
	static const char *const names[] = {
	    [KEY_STATE_NEXT] = "next",
	    [KEY_STATE_ACTIVE] = "active",
	    [KEY_STATE_RETIRED] = "retired",
	    [KEY_STATE_EXPIRED] = "expired",
	};

	return names[state];
}
