#include <string.h>

#include "store/record.h"
#include "store/refresh.h"
#include "store/refresh_head.h"

static bool
is_due(void *context, const char *name, const struct buffer *bytes)
{
	const int64_t *before = context;
	struct refresh_head head;

	/* One that is damaged is of no use to anybody. */
	return strncmp(name, REFRESH_PREFIX, strlen(REFRESH_PREFIX)) == 0 &&
	       (refresh_head_read(&head, bytes) == -1 || head.due < *before);
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
