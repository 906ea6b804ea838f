#define _GNU_SOURCE /* SCHED_BATCH, close_range */
#include "tools/authserver/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tools/authserver/complain.h"

enum { MILLISECOND = 1000000 };

static void
default_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL); /* fails for SIGKILL and the like, which is fine */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child, between fork and exec. Does not return. */
static void
become(const struct child *c, pid_t parent)
{
	struct sched_param zero = {0};
	int input = c->input != -1 ? c->input : open("/dev/null", O_RDONLY);

	(void)setpgid(0, 0);
	/* The parent may be gone before the kernel was told to watch it. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1 || getppid() != parent)
		_exit(EX_OSERR);
	/* nginx works through a batch of events before others run: the signer of the token
	 * is not interrupted for each. Where this is refused, it is only slower. */
	if (c->batch)
		(void)sched_setscheduler(0, SCHED_BATCH, &zero);
	if (dup2(input, STDIN_FILENO) == -1)
		_exit(EX_OSERR);
	(void)close_range(STDERR_FILENO + 1, UINT_MAX, 0);
	default_signals();
	(void)unsetenv("NGINX"); /* would name descriptors that nginx is to take over */
	execv(c->argv[0], c->argv);
	_exit(complain(EX_OSERR, "cannot start %s: %s", c->argv[0], strerror(errno)));
}

int
child_start(struct child *c, struct error *e)
{
	pid_t self = getpid();
	pid_t pid = fork();

	if (pid == -1)
		return error_set(
		    e, ERROR_UNAVAILABLE, "cannot start %s: %s", c->name, strerror(errno));
	if (pid == 0)
		become(c, self);
	(void)setpgid(pid, pid); /* by both, so that it is done whoever is first */
	c->pid = pid;
	return 0;
}

void
child_signal(const struct child *c, int number)
{
	if (c->pid != 0)
		(void)kill(c->pid, number);
}

bool
child_ended(struct child *c)
{
	siginfo_t info = {0};

	if (c->pid == 0)
		return true;
	/* Not reaped yet, so the number of its group cannot be another's. */
	if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == -1 ||
	    info.si_pid == 0)
		return false;
	(void)kill(-c->pid, SIGKILL);
	(void)waitpid(c->pid, &c->status, 0);
	c->pid = 0;
	return true;
}

bool
child_wait(struct child *c, int milliseconds)
{
	int64_t end = clock_monotonic(&clock_system) + (int64_t)milliseconds * MILLISECOND;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (!child_ended(c)) {
		int64_t left = end - clock_monotonic(&clock_system);
		struct timespec t = {
		    .tv_sec = left / NANOSECONDS, .tv_nsec = left % NANOSECONDS};

		if (left <= 0)
			return false;
		(void)sigtimedwait(&set, NULL, &t);
	}
	return true;
}

void
child_kill(struct child *c)
{
	if (c->pid == 0)
		return;
	(void)kill(-c->pid, SIGKILL);
	(void)kill(c->pid, SIGKILL);
	(void)child_wait(c, 1000);
}

int
child_exit_status(const struct child *c)
{
	int code;

	if (!WIFEXITED(c->status))
		return EX_SOFTWARE;
	code = WEXITSTATUS(c->status);
	return code >= EX__BASE && code <= EX__MAX ? code : EX_UNAVAILABLE;
}
