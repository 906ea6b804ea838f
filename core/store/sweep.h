/*
 * Deleting token files that are due, by one pass over the directory. A file is judged
 * by the time in its name first; only one that is due is looked at, and it goes only
 * if it is a regular file of ours with one link. Links are never followed.
 *
 * "Ours" is what belongs to us or to the directory's owner. access = "subject" may have
 * given files to their subjects: a file that nobody but its owner may use is taken for one
 * of those where nobody but the directory's owner can put files, and that is us.
 *
 * A temporary file that a killed process left behind goes as well, once its modification
 * time is old enough. It may hold a second link to a token file; that one goes with it.
 */
#ifndef STORE_SWEEP_H
#define STORE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/directory.h"

/* Called for each file that was deleted, or would have been on a dry run. */
typedef void sweep_deleted(void *context, const char *name);

/* Called for each file that is due and stays, with the reason. */
typedef void sweep_kept(void *context, const char *name, const char *reason);

/* Called by watch_run() at its start and then about every ten seconds, for what else there is
 * to do. The shorter, the better: meanwhile no file is deleted. */
typedef void sweep_meanwhile(void *context);

struct sweep_options {
	int64_t max_age; /* nanoseconds; 0 deletes every token file */
	bool dry_run;
	sweep_deleted *deleted;     /* may be NULL */
	sweep_kept *kept;           /* may be NULL */
	sweep_meanwhile *meanwhile; /* may be NULL */
	void *context;
};

/*
 * Deletes what is older than max_age by the real-time clock. A name of more than
 * max_age in the future was made before the clock stepped back: its age is unknown,
 * and it is treated as due rather than kept for that long.
 * *count is how many. ERROR_UNAVAILABLE or ERROR_NO_PERMISSION when the directory cannot be
 * read, or when a file cannot be deleted: the others are, first.
 */
int sweep_once(const struct directory *d, const struct sweep_options *o,
    const struct clock *clock, size_t *count, struct error *e);

/* Deletes the one file if it may go, and tells the callbacks. 1 when it went, 0 when there
 * is nothing to do (gone already, or not ours to delete), -1 and errno when the system
 * refused: of this the callbacks hear nothing. */
int sweep_file(const struct directory *d, const struct sweep_options *o, const char *name);

/* The same without callbacks. */
int sweep_delete(const struct directory *d, const char *name, bool dry_run);

/* Whether a file that was kept has another link: when that goes, it can be deleted. */
bool sweep_is_linked(const struct directory *d, const char *name);

#endif
