#define _GNU_SOURCE
#include "tools/authserver-keep/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
	SCAN = 60,     /* seconds between two looks at who the subjects are */
	LOOK = 10,     /* and at whether the configuration or a key has changed */
	BATCH = 64,    /* files at once, before signals are looked at */
	TOGETHER = 10, /* parts of a spare time for which what is due may wait for more */
};

/* What the loop goes by; monotonic nanoseconds. */
struct loop {
	struct keeper *keeper;
	int signals;
	int clock; /* readable when somebody has set the real-time clock */
	int64_t scan;
	int64_t look;
	size_t at;  /* where the next batch starts */
	char *said; /* of a reload that failed */
	bool stop;
};

static int64_t
now(void)
{
	return clock_monotonic(&clock_system);
}

/* Asked for once for all files: there may be many. */
static struct moment
this_moment(void)
{
	return (struct moment){.monotonic = now(), .realtime = clock_realtime(&clock_system)};
}

static void
signals_of(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGHUP);
	(void)sigaddset(set, SIGCHLD);
}

void
watch_block(void)
{
	sigset_t set;

	signals_of(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A timer that never rings, but for a step of the clock. */
static int
arm_clock(int fd)
{
	const struct itimerspec never = {.it_value.tv_sec = INT32_MAX};

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

static int
open_loop(struct loop *l, struct error *e)
{
	sigset_t set;

	signals_of(&set);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	l->clock = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->signals != -1 && l->clock != -1 && arm_clock(l->clock) == 0)
		return 0;
	return error_set(
	    e, ERROR_UNAVAILABLE, "cannot wait for signals and clocks: %s", strerror(errno));
}

static void
reload(struct loop *l, bool asked)
{
	const struct log *log = l->keeper->log;
	struct error e = {0};

	if (keeper_reload(l->keeper, &e) == 0) {
		log_line(log, LOG_LEVEL_INFO, asked ? "Reloaded" : "Reloaded: a file changed");
		(void)kept_say(&l->said, NULL, NULL, NULL);
		l->at = 0;
	} else if (kept_say(&l->said, NULL, NULL, &e) || asked) {
		log_line(log, LOG_LEVEL_ERROR, "Not reloaded, the old configuration stays: %s",
		    e.text);
	}
}

static void
scan(struct loop *l)
{
	struct error e = {0};

	if (keeper_scan(l->keeper, &e) == -1)
		log_line(l->keeper->log, LOG_LEVEL_ERROR, "%s", e.text);
	l->scan = now() + SCAN * NANOSECONDS;
	l->at = 0;
}

static void
take_signals(struct loop *l)
{
	struct signalfd_siginfo s;

	while (read(l->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		if (s.ssi_signo == SIGHUP) {
			reload(l, true);
			scan(l);
		} else if (s.ssi_signo != SIGCHLD) {
			l->stop = true;
		}
	}
}

/* What the time tells. */
static void
take_time(struct loop *l)
{
	uint64_t ticks;

	/* A step has woken us: what is due is reckoned by the new time in any case. */
	if (read(l->clock, &ticks, sizeof(ticks)) == -1 && errno == ECANCELED)
		(void)arm_clock(l->clock);
	if (l->look <= now()) {
		/* What failed is tried again too: not all of its files are known. */
		if (l->said != NULL ||
		    issuer_changed(l->keeper->issuer, l->keeper->options->flags))
			reload(l, false);
		l->look = now() + LOOK * NANOSECONDS;
	}
	if (l->scan <= now())
		scan(l);
}

/* Looks at some of the files that are due; all of them get their turn. Whether there are more.
 */
static bool
work(struct loop *l)
{
	struct kept_list *list = &l->keeper->list;
	const struct moment moment = this_moment();
	size_t done = 0;

	for (size_t seen = 0; seen < list->count; seen++) {
		struct kept *f = &list->items[l->at < list->count ? l->at : 0];

		if (done == BATCH)
			return true;
		l->at = l->at + 1 < list->count ? l->at + 1 : 0;
		if (keeper_next(f, &moment) > moment.monotonic)
			continue;
		keeper_look(l->keeper, f);
		done++;
	}
	return false;
}

/* For how long a file of the section may wait, so that several are renewed at a time. */
static int64_t
patience(const struct keeper *k)
{
	int64_t least = NANOSECONDS;

	for (size_t i = 0; i < k->issuer->config.keeps.count; i++) {
		const struct keep_section *s = &k->issuer->config.keeps.items[i];
		int64_t part = (s->lifetime - s->at_least) * NANOSECONDS / TOGETHER / TOGETHER;

		least = part < least ? part : least;
	}
	return least;
}

/* Milliseconds until there is something to do, rounded up. */
static int
time_left(const struct loop *l)
{
	const struct kept_list *list = &l->keeper->list;
	const struct moment moment = this_moment();
	int64_t next = l->look < l->scan ? l->look : l->scan;
	int64_t hooks = hooks_next(l->keeper->hooks);
	int64_t first = INT64_MAX, left;

	for (size_t i = 0; i < list->count; i++) {
		int64_t at = keeper_next(&list->items[i], &moment);

		first = at < first ? at : first;
	}
	if (first != INT64_MAX && first + patience(l->keeper) < next)
		next = first + patience(l->keeper);
	left = (next < hooks ? next : hooks) - now();
	return left <= 0 ? 0 : (int)(left / (NANOSECONDS / 1000)) + 1;
}

int
watch_keep(struct keeper *k, struct error *e)
{
	struct loop l = {.keeper = k, .signals = -1, .clock = -1};
	int rc = open_loop(&l, e);

	l.look = now() + LOOK * NANOSECONDS;
	while (rc == 0 && !l.stop) {
		struct pollfd wait[] = {{l.signals, POLLIN, 0}, {l.clock, POLLIN, 0}};
		bool more;

		take_time(&l);
		more = work(&l);
		hooks_turn(k->hooks);
		(void)poll(wait, 2, more ? 0 : time_left(&l));
		take_signals(&l);
	}
	(void)kept_say(&l.said, NULL, NULL, NULL);
	if (l.signals != -1)
		close(l.signals);
	if (l.clock != -1)
		close(l.clock);
	return rc;
}
