#define _GNU_SOURCE /* close_range, pipe2, SCHED_BATCH */
#include "fcgi/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"

enum { START_DEADLINE = 30 }; /* seconds to load a key, with a slow passphrase */

void
child_hide(void)
{
	static const struct rlimit none = {0, 0};
	/* First, since it is not our file any more when we are not dumpable. */
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	if (fd != -1 && write(fd, "0", 1) == -1)
		errno = 0; /* the limit has to do */
	if (fd != -1)
		close(fd);
	(void)setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* its leak checker traces the process */
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

pid_t
child_fork(int death)
{
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
	/* A wake-up does not interrupt who computes: fewer switches, more tokens. */
	(void)sched_setscheduler(0, SCHED_BATCH, &normal);
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

/* Descriptor 0 may be the listening socket, and a server is to reach no network by it. */
static void
leave_standard_input(void)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null != -1)
		(void)dup2(null, STDIN_FILENO);
	else
		close(STDIN_FILENO);
}

/* How it ended, as waitpid(2) says, were it by us. */
static int
end(pid_t pid)
{
	int status = 0;

	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	return status;
}

/* Readable while a signal waits that tells us to end, which stays for who handles it. -1: it
 * cannot be had, and what is started has its time. */
static int
watch_for_end(void)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	return signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Waits for the report, which becomes *e. 1, or 0 when there is none, or -1 and why nobody
 * waits for it any more. */
static int
await(int fd, const char *name, struct error *e)
{
	struct pollfd p[] = {
	    {.fd = fd, .events = POLLIN}, {.fd = watch_for_end(), .events = POLLIN}};
	const int64_t end = clock_monotonic(&clock_system) + START_DEADLINE * NANOSECONDS;
	int n, saved;

	do {
		int64_t wait = end - clock_monotonic(&clock_system);

		n = poll(p, 2, wait > 0 ? (int)(wait / (NANOSECONDS / 1000)) : 0);
	} while (n == -1 && errno == EINTR);
	saved = errno;
	if (p[1].fd != -1)
		close(p[1].fd);
	if (n == -1)
		return error_set(e, ERROR_UNAVAILABLE, "poll: %s", strerror(saved));
	if (n > 0 && p[0].revents != 0)
		return read(fd, e, sizeof(*e)) == (ssize_t)sizeof(*e);
	if (n > 0)
		return error_set(
		    e, ERROR_UNAVAILABLE, "told to end while the %s is started", name);
	return error_set(
	    e, ERROR_UNAVAILABLE, "the %s has not started after %d s", name, START_DEADLINE);
}

/* Ends what did not start, and says why if it did not. */
static void
give_up(pid_t pid, const char *name, bool reported, struct error *e)
{
	int status = end(pid);

	if (!reported)
		error_set(e, ERROR_UNAVAILABLE,
		    "the %s ended by %s %d as it started: is there enough memory?", name,
		    WIFSIGNALED(status) ? "signal" : "exit status",
		    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

pid_t
child_start(const struct child *c, struct error *e)
{
	int ready[2];
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) == -1)
		return error_set(e, ERROR_INTERNAL, "pipe: %s", strerror(errno));
	pid = child_fork(c->death);
	if (pid == 0) {
		c->run(c->context, ready[1]);
		_exit(1);
	}
	close(ready[1]);
	if (pid == -1) {
		error_set(e, ERROR_INTERNAL, "fork: %s", strerror(errno));
	} else {
		int told = await(ready[0], c->name, e);

		if (told != 1 || e->code != ERROR_NONE) {
			give_up(pid, c->name, told != 0, e);
			pid = -1;
		}
	}
	close(ready[0]);
	return pid;
}

static void
serve(const void *context, int ready)
{
	const struct server *s = context;
	int keep[LIMIT_WORKERS + 1];
	sigset_t none;

	/* Sent to a whole group; a server must outlive the workers. */
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGUSR1, SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < s->count; i++)
		keep[i] = s->sockets[i];
	keep[s->count] = ready;
	child_close_others(keep, (int)s->count + 1);
	leave_standard_input();
	s->run(s->context, ready);
}

pid_t
child_serve(const struct server *s, struct error *e)
{
	const struct child c = {.name = s->name, .death = SIGKILL, .run = serve, .context = s};

	return child_start(&c, e);
}

struct trial {
	int (*play)(void *context, struct error *e);
	void *context;
};

static void
try(const void *context, int ready)
{
	const struct trial *t = context;
	struct error e = {0};
	int rc = t->play(t->context, &e);

	(void)child_report(ready, rc, &e);
}

int
child_rehearse(int (*play)(void *context, struct error *e), void *context, struct error *e)
{
	const struct trial t = {play, context};
	const struct child c = {.name = "reading of the configuration",
	    .death = SIGKILL,
	    .run = try,
	    .context = &t};
	pid_t pid = child_start(&c, e);

	if (pid == -1)
		return -1;
	(void)end(pid);
	return 0;
}

int
child_report(int ready, int rc, struct error *e)
{
	static const struct error none = {0};
	ssize_t n = write(ready, rc == 0 ? &none : e, sizeof(none));

	close(ready);
	if (n != (ssize_t)sizeof(none))
		rc = error_set(e, ERROR_INTERNAL, "the monitor takes no report");
	return rc;
}
