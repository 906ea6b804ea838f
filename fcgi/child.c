#define _GNU_SOURCE /* close_range, SCHED_BATCH */
#include "fcgi/child.h"

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <syslog.h>
#include <unistd.h>

pid_t
child_fork(int death)
{
	static const struct rlimit none = {0, 0};
	static const struct sched_param normal = {0};
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, death);
	if (getppid() != parent) /* it died before the line above */
		_exit(1);
	(void)signal(SIGINT, SIG_IGN);
	closelog(); /* its descriptor will be closed, and its number be another's */
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setrlimit(RLIMIT_CORE, &none);
	/* A wake-up does not interrupt who computes: fewer switches, more tokens. */
	(void)sched_setscheduler(0, SCHED_BATCH, &normal);
#ifndef __SANITIZE_ADDRESS__ /* its leak checker traces the process */
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
	return 0;
}

void
child_close_others(const int *keep, int count)
{
	unsigned int from = 3;

	for (;;) {
		unsigned int next = ~0U; /* the lowest kept descriptor that is not behind us */

		for (int i = 0; i < count; i++)
			if (keep[i] >= (int)from && (unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		if (next > from)
			(void)close_range(from, next - 1, 0);
		if (next == ~0U)
			return;
		from = next + 1;
	}
}
