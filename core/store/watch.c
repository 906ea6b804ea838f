#define _GNU_SOURCE
#include "store/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/limits.h"
#include "store/due.h"
#include "store/system_error.h"
#include "store/token_name.h"

#define MILLISECONDS (NANOSECONDS / 1000)

/*
 * Under load there are thousands of files a second. Both delays let one wake-up serve
 * many of them; together they stay well below the half second that a file may be late.
 */
static const int64_t gather = 50 * MILLISECONDS; /* from one read of events to the next */
static const int64_t slack = 100 * MILLISECONDS; /* from the time the first file is due */

/* How often the path is looked at: a directory that is removed while it is open sends no
 * event, nor does a mount over it. */
static const int64_t check_every = 10 * NANOSECONDS;

/* When a file that could not be deleted is tried again, unless max_age is shorter. */
static const int64_t retry_after = 10 * NANOSECONDS;

enum {
	DELETE_BATCH = 1024, /* files between two looks at stop_fd */
	EVENT_BYTES = 16 * 1024,
	EVENTS = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
	ENDED = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED,
};

struct watch {
	const struct directory *directory;
	const struct sweep_options *options;
	const struct clock *clock;
	int inotify;
	struct due_queue *queue;
	struct due_index *known; /* during a listing: what the queue held before it */
	int64_t complete;        /* every file made before this monotonic time is known */
	int64_t next_read;       /* times on the monotonic clock */
	int64_t next_check;
	bool list;        /* files may have been missed */
	int told_refusal; /* the errno that options->kept heard of last, 0 after a success */
};

static bool
is_wanted(const char *name)
{
	int64_t time;

	return token_name_parse(name, &time) == 0 || token_name_is_temporary(name);
}

static int
out_of_memory(struct error *e)
{
	return error_set(e, ERROR_UNAVAILABLE, "out of memory: start again");
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * When a file that a listing found is due. Its name says how old it is, within what is
 * known besides: it is not older than the last time when all files were known.
 */
static int64_t
due_by_name(const struct watch *w, const char *name, int64_t now)
{
	int64_t max_age = w->options->max_age;
	int64_t made, age;

	if (token_name_parse(name, &made) == -1)
		return now + max_age; /* a temporary file: its mint may go on */
	age = clock_realtime(w->clock) - made;
	if (age < 0) /* the clock stepped back since */
		age = 0;
	age = earlier(age, earlier(max_age, now - w->complete));
	return now + max_age - age;
}

static int
add_listed(void *context, const char *name)
{
	struct watch *w = context;

	if (!is_wanted(name) || due_index_has(w->known, name))
		return 0;
	return due_add(w->queue, name, due_by_name(w, name, clock_monotonic(w->clock)));
}

/* Adds the files that are there and not known. Those that are keep their due time. */
static int
list_files(struct watch *w, struct error *e)
{
	int rc = -1;

	w->known = due_index_new(w->queue);
	*e = (struct error){.code = ERROR_NONE};
	if (w->known != NULL)
		rc = directory_list(w->directory, add_listed, w, e);
	if (rc == -1 && e->code == ERROR_NONE)
		out_of_memory(e);
	due_index_free(w->known);
	w->known = NULL;
	w->list = false;
	return rc;
}

static int
take_event(struct watch *w, const struct inotify_event *event, int64_t now, struct error *e)
{
	if ((event->mask & IN_Q_OVERFLOW) != 0) {
		w->list = true;
		return 0;
	}
	if ((event->mask & ENDED) != 0) {
		if (directory_check(w->directory, e) == -1)
			return -1;
		return error_set(e, ERROR_UNAVAILABLE,
		    "%s: the directory was moved or unmounted: start again",
		    w->directory->path);
	}
	if ((event->mask & IN_ISDIR) != 0 || event->len == 0 || !is_wanted(event->name))
		return 0;
	if (due_add(w->queue, event->name, now + w->options->max_age) == -1)
		return out_of_memory(e);
	return 0;
}

/* Takes all events that are there, and lists the directory when some were lost. */
static int
read_events(struct watch *w, struct error *e)
{
	_Alignas(struct inotify_event) char bytes[EVENT_BYTES];
	int64_t started = clock_monotonic(w->clock);

	for (;;) {
		ssize_t n = read(w->inotify, bytes, sizeof(bytes));

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1)
			return system_error(e, errno, "inotify");
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(bytes + at);

			at += (ssize_t)(sizeof(*event) + event->len);
			if (take_event(w, event, clock_monotonic(w->clock), e) == -1)
				return -1;
		}
	}
	if (w->list && list_files(w, e) == -1)
		return -1;
	w->complete = started;
	w->next_read = clock_monotonic(w->clock) + gather;
	return 0;
}

/* Keeps the file in the queue; says so unless it was said already. */
static int
retry_later(struct watch *w, const char *name, int number, int64_t now)
{
	const struct sweep_options *o = w->options;

	if (number != w->told_refusal && o->kept != NULL)
		o->kept(o->context, name, strerror(number));
	w->told_refusal = number;
	return due_add(w->queue, name, now + earlier(retry_after, o->max_age));
}

/* Deletes what is due, up to a batch. 1 when more may be, 0, or -1. */
static int
delete_due(struct watch *w, struct error *e)
{
	char name[LIMIT_FILE_NAME];
	int64_t due;

	for (int i = 0; i < DELETE_BATCH; i++) {
		int64_t now = clock_monotonic(w->clock);
		int found = due_first(w->queue, name, &due);
		int went;

		if (found == 0 || (found == 1 && due > now))
			return 0;
		if (found == -1)
			return out_of_memory(e);
		due_drop(w->queue);
		went = sweep_file(w->directory, w->options, name);
		if (went == -1) {
			if (retry_later(w, name, errno, now) == -1)
				return out_of_memory(e);
			continue;
		}
		if (went == 1)
			w->told_refusal = 0;
		/* A link that somebody made must not save a token for good. */
		if (went == 0 && sweep_is_linked(w->directory, name) &&
		    due_add(w->queue, name, now + earlier(retry_after, w->options->max_age)) ==
			-1)
			return out_of_memory(e);
		/* What a killed process left may have kept its token file, as a second link,
		 * from being deleted when that was due. */
		if (went == 1 && token_name_is_temporary(name) && !w->options->dry_run)
			w->list = true;
	}
	return 1;
}

/* Milliseconds until something is to be done without an event, rounded up. Suspended
 * time does not count for poll(2), so that a machine that wakes up may be late by them:
 * at most check_every. */
static int
time_to_sleep(struct watch *w, bool gathering)
{
	int64_t now = clock_monotonic(w->clock);
	int64_t until = w->next_check;
	char name[LIMIT_FILE_NAME];
	int64_t due;

	if (due_first(w->queue, name, &due) == 1)
		until = earlier(until, due + slack);
	if (gathering || w->list)
		until = earlier(until, w->next_read);
	until = earlier(until, now + check_every);
	return until <= now ? 0 : (int)((until - now + MILLISECONDS - 1) / MILLISECONDS);
}

/* What is done every now and then. */
static int
look_around(struct watch *w, struct error *e)
{
	if (w->options->meanwhile != NULL)
		w->options->meanwhile(w->options->context);
	w->next_check = clock_monotonic(w->clock) + check_every;
	return directory_check(w->directory, e);
}

/* Sleeps, then takes what happened. 1 when it is time to stop, 0 to go on, -1. */
static int
wait_and_take(struct watch *w, int stop_fd, bool hurry, struct error *e)
{
	bool gathering = clock_monotonic(w->clock) < w->next_read;
	struct pollfd fds[] = {
	    {.fd = stop_fd, .events = POLLIN},
	    {.fd = gathering ? -1 : w->inotify, .events = POLLIN},
	};

	if (poll(fds, 2, hurry ? 0 : time_to_sleep(w, gathering)) == -1 && errno != EINTR)
		return system_error(e, errno, "poll");
	if (fds[0].revents != 0)
		return 1;
	if ((fds[1].revents != 0 || (w->list && !gathering)) && read_events(w, e) == -1)
		return -1;
	if (clock_monotonic(w->clock) < w->next_check)
		return 0;
	return look_around(w, e);
}

/* Watches the directory that is open, not what its path leads to by now. */
static int
watch_start(struct watch *w, struct error *e)
{
	char path[64];
	int rc;

	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->inotify == -1 && errno == EMFILE)
		return error_set(e, ERROR_UNAVAILABLE,
		    "inotify: no more instances: raise fs.inotify.max_user_instances");
	if (w->inotify == -1)
		return system_error(e, errno, "inotify");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", w->directory->fd);
	rc = inotify_add_watch(w->inotify, path, EVENTS);
	if (rc == -1 && errno == ENOENT) { /* /proc is not mounted */
		rc = inotify_add_watch(w->inotify, w->directory->path, EVENTS | IN_DONT_FOLLOW);
		if (directory_check(w->directory, e) == -1)
			return -1;
	}
	if (rc == -1 && errno == ENOSPC)
		return error_set(e, ERROR_UNAVAILABLE,
		    "inotify: no more watches: raise fs.inotify.max_user_watches");
	if (rc == -1)
		return system_error(e, errno, "cannot watch %s", w->directory->path);
	return 0;
}

int
watch_run(const struct directory *d, const struct sweep_options *o, const struct clock *clock,
    int stop_fd, struct error *e)
{
	struct watch w = {.directory = d,
	    .options = o,
	    .clock = clock,
	    .inotify = -1,
	    .queue = due_new(),
	    .complete =
		INT64_MIN / 2, /* nothing is known yet, not even that nothing is there */
	    .list = true};
	int rc = -1;

	if (w.queue == NULL) {
		out_of_memory(e);
		goto out;
	}
	/* Watch first, list second: what is made in between is seen twice, not missed. */
	if (watch_start(&w, e) == -1 || read_events(&w, e) == -1 || look_around(&w, e) == -1)
		goto out;
	do {
		rc = delete_due(&w, e);
		if (rc != -1)
			rc = wait_and_take(&w, stop_fd, rc == 1, e);
	} while (rc == 0);
	rc = rc == 1 ? 0 : -1;
out:
	if (w.inotify != -1)
		close(w.inotify);
	due_free(w.queue);
	return rc;
}
