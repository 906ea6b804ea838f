#include <string.h>

#include "store/record.h"
#include "store/refresh_record.h"

static bool
is_due(void *context, const char *name, const struct buffer *bytes)
{
	const int64_t *before = context;
	struct refresh_record r;

	/* One that is damaged is of no use to anybody. */
	return strncmp(name, REFRESH_PREFIX, strlen(REFRESH_PREFIX)) == 0 &&
	       (refresh_record_read(&r, bytes) == -1 || refresh_record_due(&r) < *before);
}

int
refresh_sweep(const struct state *s, int64_t now, bool dry_run, size_t *count, struct error *e)
{
	int64_t before = now - STATE_GRACE;
	struct record_sweep sweep = {.directory = state_refresh(s),
	    .before = before,
	    .dry_run = dry_run,
	    .is_due = is_due,
	    .context = &before};
	int rc = record_sweep(&sweep, now, e);

	*count = sweep.count;
	return rc;
}
