#include "fcgi/slot.h"

#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"

enum {
	BACKOFF_FIRST = 100, /* milliseconds before what died young is started again */
	BACKOFF_MAX = 5000,
	YOUNG = 1000, /* what lived longer than this is started again at once */
};

static const int64_t millisecond = NANOSECONDS / 1000;

void
slot_started(struct slot *s, pid_t pid)
{
	s->pid = pid;
	s->started = clock_monotonic(&clock_system);
}

void
slot_died(struct slot *s)
{
	int64_t now = clock_monotonic(&clock_system);

	s->pid = -1;
	if (now - s->started > YOUNG * millisecond)
		s->backoff = 0;
	else if (s->backoff == 0)
		s->backoff = BACKOFF_FIRST;
	else if (s->backoff * 2 < BACKOFF_MAX)
		s->backoff *= 2;
	else
		s->backoff = BACKOFF_MAX;
	s->due = now + s->backoff * millisecond;
}

void
slot_failed(struct slot *s)
{
	s->started = clock_monotonic(&clock_system);
	slot_died(s);
}

int
slot_wait(const struct slot *s)
{
	int64_t wait = s->due - clock_monotonic(&clock_system);

	if (s->pid != -1)
		return -1;
	return wait > 0 ? (int)(wait / millisecond) + 1 : 0;
}

void
slot_end(struct slot *s)
{
	if (s->pid == -1)
		return;
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	s->pid = -1;
}

void
slot_let_end(struct slot *s, int milliseconds)
{
	const struct timespec nap = {.tv_nsec = millisecond};

	for (int i = 0; i < milliseconds && s->pid != -1; i++) {
		if (waitpid(s->pid, NULL, WNOHANG) != 0)
			s->pid = -1;
		else
			(void)nanosleep(&nap, NULL);
	}
	slot_end(s);
}
