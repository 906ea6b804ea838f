#include "fcgi/resolver_process.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/program.h"
#include "fcgi/child.h"
#include "identity/lookup_process.h"

enum { WORD = 32 };

struct job {
	const char *path;
	const struct flags *flags;
	const int *sockets;
	unsigned int count;
	bool unprivileged;
};

/* Becomes the program, in which the descriptors stay open: --serve=FD for each socket. */
static int
become(const struct job *j, int ready, struct error *e)
{
	char text[LIMIT_WORKERS + 1][WORD];
	const char *extra[LIMIT_WORKERS + 2] = {NULL};
	char **command;

	for (unsigned int i = 0; i <= j->count; i++) {
		int fd = i < j->count ? j->sockets[i] : ready;

		(void)snprintf(text[i], WORD, "--%s=%d", i < j->count ? "serve" : "ready", fd);
		(void)fcntl(fd, F_SETFD, 0);
		extra[i] = text[i];
	}
	command = flags_command(j->flags, j->path, extra);
	if (command != NULL)
		(void)execve(j->path, command, lookup_process_environment);
	flags_command_free(command);
	return error_set(e, ERROR_INTERNAL, "%s cannot be run", j->path);
}

static void
resolver_main(const void *context, int ready)
{
	const struct job *j = context;
	struct error e = {0};

	if (j->unprivileged)
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)child_report(ready, become(j, ready, &e), &e);
}

pid_t
resolver_process_start(const struct flags *flags, const int *sockets, unsigned int count,
    bool unprivileged, struct error *e)
{
	char path[LIMIT_PATH];
	const struct job job = {.path = path,
	    .flags = flags,
	    .sockets = sockets,
	    .count = count,
	    .unprivileged = unprivileged};
	const struct server server = {.name = "resolver",
	    .sockets = sockets,
	    .count = count,
	    .run = resolver_main,
	    .context = &job};

	return program_find(path, LOOKUP_PROGRAM, e) == -1 ? -1 : child_serve(&server, e);
}
