#include <string.h>

#include "store/record.h"
#include "store/revocation_entry.h"
#include "store/revocations.h"

/* One that is damaged stays: it may say that something is revoked. */
static bool
is_due(void *context, const char *name, const struct buffer *bytes)
{
	const int64_t *before = context;
	struct revocation_entry entry;

	if (strncmp(name, REVOCATION_TOKEN, strlen(REVOCATION_TOKEN)) != 0 &&
	    strncmp(name, REVOCATION_SIGNED, strlen(REVOCATION_SIGNED)) != 0 &&
	    strncmp(name, REVOCATION_SUBJECT, strlen(REVOCATION_SUBJECT)) != 0)
		return false;
	return revocation_entry_read(&entry, bytes) == 0 && entry.expires < *before;
}

int
revocation_sweep(
    const struct state *s, int64_t now, bool dry_run, size_t *count, struct error *e)
{
	int64_t before = now - STATE_GRACE;
	struct record_sweep sweep = {.directory = state_revoked(s),
	    .before = before,
	    .dry_run = dry_run,
	    .is_due = is_due,
	    .context = &before};
	int rc = record_sweep(&sweep, now, e);

	*count = sweep.count;
	return rc;
}
