#define _GNU_SOURCE /* close_range, dup3, execveat */
#include "identity/script_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the descriptors end up. The interpreter of a #! script is given /dev/fd/PROGRAM as
 * the file to read, so that this one stays open. */
enum { PROGRAM = 3, REPORT = 4, FREE = 5 };

static char path_variable[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
static char locale_variable[] = "LC_ALL=C.UTF-8";
static char *const environment[] = {path_variable, locale_variable, NULL};

/* Arranges them, whatever numbers they had: first out of the way, then into their places. */
static int
arrange(int program, int output, int *report)
{
	int none = open("/dev/null", O_RDWR | O_CLOEXEC);

	program = fcntl(program, F_DUPFD_CLOEXEC, FREE);
	output = fcntl(output, F_DUPFD_CLOEXEC, FREE);
	none = fcntl(none, F_DUPFD_CLOEXEC, FREE);
	*report = fcntl(*report, F_DUPFD_CLOEXEC, FREE);
	if (dup2(none, 0) == -1 || dup2(output, 1) == -1 || dup2(none, 2) == -1 ||
	    dup2(program, PROGRAM) == -1 || dup3(*report, REPORT, O_CLOEXEC) == -1)
		return -1;
	*report = REPORT;
	return close_range(FREE, ~0U, 0);
}

static void
reset_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &standard, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn void
script_child(const struct script_run *r, int output, int report)
{
	static const struct rlimit nothing = {0, 0};
	char *const arguments[] = {(char *)r->path, (char *)r->user, NULL};
	int wrong;

	(void)setpgid(0, 0);
	/* It ends with whoever waits for it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)umask(077);
	if (arrange(r->fd, output, &report) == 0 && chdir("/") == 0 &&
	    setrlimit(RLIMIT_CORE, &nothing) == 0) {
		reset_signals();
		(void)execveat(PROGRAM, "", arguments, environment, AT_EMPTY_PATH);
	}
	wrong = errno;
	(void)!write(report, &wrong, sizeof(wrong));
	_exit(127);
}
