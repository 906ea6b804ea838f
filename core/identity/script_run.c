#define _GNU_SOURCE /* pipe2, pidfd_open */
#include "identity/script_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "identity/script_child.h"

enum { PIECE = 4096 };

/* A script that runs. Descriptors are -1 when there are none. */
struct process {
	pid_t pid;
	int pidfd;
	int output;     /* what it prints; not waited for */
	int report;     /* errno when it was not executed; not waited for */
	int far_output; /* the child's ends */
	int far_report;
};

static void
close_one(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
close_all(struct process *p)
{
	close_one(&p->pidfd);
	close_one(&p->output);
	close_one(&p->report);
	close_one(&p->far_output);
	close_one(&p->far_report);
}

/* The child's end waits, as programs expect of their output. */
static int
make_pipe(int *ours, int *far)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	*ours = ends[0];
	*far = ends[1];
	return fcntl(*ours, F_SETFL, O_NONBLOCK);
}

/* No handler of ours may run in the child: all signals wait until it has none. */
static int
start(struct process *p, const struct script_run *r)
{
	sigset_t all, before;

	if (make_pipe(&p->output, &p->far_output) == -1 ||
	    make_pipe(&p->report, &p->far_report) == -1)
		return -1;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	p->pid = fork();
	if (p->pid == 0)
		script_child(r, p->far_output, p->far_report);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	close_one(&p->far_output);
	close_one(&p->far_report);
	if (p->pid == -1)
		return -1;
	/* The child does it too: whoever comes first. */
	(void)setpgid(p->pid, p->pid);
	p->pidfd = pidfd_open(p->pid, 0);
	return p->pidfd == -1 ? -1 : 0;
}

/* Appends what has been printed by now; once there is no more to come, the descriptor is
 * closed. */
static int
take_output(struct process *p, struct buffer *output, struct error *e)
{
	char piece[PIECE];
	ssize_t n;

	while (p->output != -1) {
		n = read(p->output, piece, sizeof(piece));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN ? 0
					       : error_set(e, ERROR_UNAVAILABLE,
						     "cannot be heard: %s", strerror(errno));
		if (n == 0)
			close_one(&p->output);
		else if (buffer_append(output, piece, (size_t)n) == -1)
			return error_set(
			    e, ERROR_UNAVAILABLE, "prints more than %zu bytes", output->limit);
	}
	return 0;
}

/* Until the deadline, in milliseconds, rounded up. */
static int
time_left(int64_t deadline)
{
	int64_t left = deadline - clock_monotonic(&clock_system);

	return left <= 0 ? 0 : (int)((left + NANOSECONDS / 1000 - 1) / (NANOSECONDS / 1000));
}

/* Follows the script until it has exited; -1 when it is to be ended. */
static int
follow(struct process *p, const struct script_run *r, struct buffer *output, struct error *e)
{
	for (;;) {
		struct pollfd wait[] = {{p->pidfd, POLLIN, 0}, {p->output, POLLIN, 0}};
		int left = time_left(r->deadline);
		int ready = left > 0 ? poll(wait, 2, left) : 0;

		if (ready == -1 && errno != EINTR)
			return error_set(e, ERROR_UNAVAILABLE, "poll: %s", strerror(errno));
		if (ready == 0)
			return error_set(e, ERROR_UNAVAILABLE, "timed out and was killed");
		if (ready > 0 && wait[1].revents != 0 && take_output(p, output, e) == -1)
			return -1;
		if (ready > 0 && wait[0].revents != 0)
			return 0;
	}
}

/* Kills whoever is left in the group, whose number is not given to others before its leader
 * has been waited for. */
static int
finish(const struct process *p)
{
	int status = -1;

	(void)kill(-p->pid, SIGKILL);
	(void)kill(p->pid, SIGKILL); /* not yet in its group, if that went wrong */
	while (waitpid(p->pid, &status, 0) == -1 && errno == EINTR)
		;
	return status;
}

static int
judge(const struct process *p, int status, struct error *e)
{
	int wrong;

	if (read(p->report, &wrong, sizeof(wrong)) == (ssize_t)sizeof(wrong))
		return error_set(
		    e, ERROR_UNAVAILABLE, "cannot be executed: %s", strerror(wrong));
	if (WIFSIGNALED(status))
		return error_set(e, ERROR_UNAVAILABLE, "was ended by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(
		    e, ERROR_UNAVAILABLE, "exited with status %d", WEXITSTATUS(status));
	return 0;
}

int
script_run(const struct script_run *r, struct buffer *output, struct error *e)
{
	struct process p = {-1, -1, -1, -1, -1, -1};
	int rc = -1;
	int status;

	if (start(&p, r) == -1)
		error_set(e, ERROR_UNAVAILABLE, "cannot be started: %s", strerror(errno));
	else
		rc = follow(&p, r, output, e);
	if (p.pid > 0) {
		status = finish(&p);
		/* What it printed before it exited is in the pipe. */
		if (rc == 0)
			rc = judge(&p, status, e);
		if (rc == 0)
			rc = take_output(&p, output, e);
	}
	close_all(&p);
	return rc;
}
