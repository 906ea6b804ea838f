/*
 * Watch mode: deletes each token file when it reaches its age, and sleeps in between.
 * inotify(7) tells of new files, so that the directory is listed at the start and after
 * an overflow of the queue alone, and idling costs the same for any number of files.
 *
 * A file is due max_age after it was seen, by the monotonic clock: no step of the real-time
 * clock keeps a token alive or ends it early. The time in the name counts only for files
 * whose creation was not seen, and never for more than max_age from now.
 */
#ifndef STORE_WATCH_H
#define STORE_WATCH_H

#include "base/clock.h"
#include "base/error.h"
#include "store/directory.h"
#include "store/sweep.h"

/*
 * Deletes files until stop_fd becomes readable (a signalfd, a pipe), then returns 0. A
 * file goes at most 0.5 s after it is due. One that the system refuses to delete is tried
 * again, and o->kept is told once until one can be deleted. max_age is at least a second.
 * -1 with ERROR_UNAVAILABLE when the directory was removed, renamed or replaced, when
 * memory is short, or when inotify's limits are reached; ERROR_NO_PERMISSION when it cannot
 * be read.
 */
int watch_run(const struct directory *d, const struct sweep_options *o,
    const struct clock *clock, int stop_fd, struct error *e);

#endif
