#include "tools/authserver-token/flight.h"

#include <string.h>
#include <time.h>

/* How often who waits looks for what has come of it. */
static const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

/* What has come of an attempt since this call began is taken as if it had been this call's. */
static bool
is_usable(const struct found *found, const char *seen, const struct flight *f)
{
	int64_t now = clock_realtime(f->clock) / NANOSECONDS;

	if (found->what != FOUND_TOKEN)
		return false;
	return strcmp(found->serial, seen) != 0 ? !life_ended(&found->life, now)
						: life_enough(&found->life, now, f->min_life);
}

static int
ask(struct buffer *token, const struct cache *c, const struct flight *f, struct error *e)
{
	struct error not_kept;

	if (f->ask(f->context, token, e) == -1) {
		/* Unless it is kept, the next one asks, and that is all. */
		(void)cache_keep_failure(c, e, &not_kept);
		return -1;
	}
	if (cache_keep(c, token, &not_kept) == -1)
		f->tell(f->context, &not_kept);
	return 0;
}

/* 1 when the matter is settled by what was found, with *rc; 0 when it is not. */
static int
settle(int *rc, struct buffer *token, const struct found *found, const char *seen,
    const struct flight *f, struct error *e)
{
	if (is_usable(found, seen, f)) {
		*rc = buffer_append(token, found->token.data, found->token.length);
		if (*rc == -1)
			error_set(e, ERROR_UNAVAILABLE, "out of memory");
		return 1;
	}
	if (found->what != FOUND_FAILURE || strcmp(found->serial, seen) == 0)
		return 0;
	*e = found->failure;
	*rc = -1;
	return 1;
}

int
flight_token(
    struct buffer *token, const struct cache *c, const struct flight *f, struct error *e)
{
	int64_t end = clock_monotonic(f->clock) + (f->timeout + 1) * NANOSECONDS;
	char seen[CACHE_SERIAL] = "";
	struct found found;
	bool first = true;
	int locked = 0;
	int rc = -1;

	for (;;) {
		int settled;

		if (cache_look(c, &found, e) == -1)
			break;
		if (first)
			memcpy(seen, found.serial, sizeof(seen));
		first = false;
		settled = settle(&rc, token, &found, seen, f, e);
		cache_forget(&found);
		if (settled)
			return rc;
		/* Looked at once more under the lock: somebody may have been faster. */
		if (locked)
			return ask(token, c, f, e);
		locked = cache_lock(c, e);
		if (locked == -1)
			return -1;
		if (locked == 0 && clock_monotonic(f->clock) > end)
			return error_set(e, ERROR_UNAVAILABLE,
			    "%s: another authserver-token has been asking for %d seconds: try "
			    "again",
			    c->path, f->timeout);
		if (locked == 0)
			(void)nanosleep(&pause, NULL);
	}
	cache_forget(&found);
	return -1;
}
