#define _GNU_SOURCE /* pipe2 */
#include "identity/lookup_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/program.h"
#include "identity/lookup_remote.h"

enum {
	THERE = 3, /* the socket's number in the resolver */
	START = 5, /* seconds that a resolver may take until it reads the socket */
};

char *const lookup_process_environment[] = {
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", NULL};

/* What we print is not the resolver's business; its complaints go where ours go. */
static int
describe_files(posix_spawn_file_actions_t *files, int fd)
{
	if (posix_spawn_file_actions_init(files) != 0)
		return -1;
	return posix_spawn_file_actions_addopen(
		   files, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
		       posix_spawn_file_actions_addopen(
			   files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
		       posix_spawn_file_actions_adddup2(files, fd, THERE) == 0
		   ? 0
		   : -1;
}

static int
spawn(const struct flags *flags, const char *const *extra, int fd, struct error *e)
{
	posix_spawn_file_actions_t files;
	char path[LIMIT_PATH];
	char **command;
	pid_t pid;
	int failed;

	if (program_find(path, LOOKUP_PROGRAM, e) == -1)
		return -1;
	command = flags_command(flags, path, extra);
	if (command == NULL || describe_files(&files, fd) == -1) {
		flags_command_free(command);
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	}
	failed = posix_spawn(&pid, path, &files, NULL, command, lookup_process_environment);
	(void)posix_spawn_file_actions_destroy(&files);
	flags_command_free(command);
	return failed == 0 ? 0
			   : error_set(e, ERROR_UNAVAILABLE, "%s: %s", path, strerror(failed));
}

/* Until it has said hello, or has ended. A password that is asked about before is dropped when
 * it starts, as what is queued for one that was there before. */
static void
await_hello(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int n;

	do
		n = poll(&ready, 1, START * 1000);
	while (n == -1 && errno == EINTR);
}

static int
start(struct lookup_process *p, struct error *e)
{
	static const char *const serve[] = {"--serve=3", NULL};
	int pair[2];
	int rc;

	if (p->fd != -1)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return error_set(e, ERROR_UNAVAILABLE, "socketpair: %s", strerror(errno));
	rc = spawn(p->flags, serve, pair[1], e);
	close(pair[1]);
	if (rc == 0)
		await_hello(pair[0]);
	if (rc == 0 && lookup_remote_new(&p->remote, pair[0], p->deadline, &clock_system,
			   &entropy_system, e) == 0) {
		p->fd = pair[0];
		return 0;
	}
	close(pair[0]);
	return -1;
}

/* Waits for the answer to what was submitted with rc. After a resolver that has died, whoever
 * asks next gets a new one. */
static int
await(struct lookup_process *p, int rc)
{
	struct pollfd ready = {.fd = p->fd, .events = POLLIN};
	bool ended = rc == -1;

	while (lookup_remote_busy(p->remote)) {
		if (poll(&ready, 1, 1000) == 1)
			ended = lookup_remote_receive(p->remote) == -1;
		lookup_remote_expire(p->remote);
	}
	if (ended)
		lookup_process_end(p);
	return rc;
}

static int
process_submit(
    struct lookup *self, const char *user, lookup_done *done, void *context, struct error *e)
{
	struct lookup_process *p = (struct lookup_process *)self;

	if (start(p, e) == -1)
		return -1;
	return await(p, lookup_submit(lookup_remote_lookup(p->remote), user, done, context, e));
}

static int
process_submit_keys(struct lookup *self, const struct lookup_keys *which,
    lookup_keys_done *done, void *context, struct error *e)
{
	struct lookup_process *p = (struct lookup_process *)self;

	if (start(p, e) == -1)
		return -1;
	return await(
	    p, lookup_submit_keys(lookup_remote_lookup(p->remote), which, done, context, e));
}

static struct lookup_process *
of_passwords(struct password_checker *self)
{
	return (
	    struct lookup_process *)((char *)self - offsetof(struct lookup_process, passwords));
}

static int
process_submit_password(struct password_checker *self, const struct password_question *q,
    password_done *done, void *context, struct error *e)
{
	struct lookup_process *p = of_passwords(self);

	if (start(p, e) == -1)
		return -1;
	return await(
	    p, password_submit(lookup_remote_passwords(p->remote), q, done, context, e));
}

void
lookup_process_init(struct lookup_process *p, const struct flags *flags, const struct config *c)
{
	*p = (struct lookup_process){
	    .lookup = {.submit = process_submit, .submit_keys = process_submit_keys},
	    .passwords = {.submit = process_submit_password},
	    .flags = flags,
	    .deadline = config_resolver_deadline(c) + START,
	    .fd = -1};
}

void
lookup_process_end(struct lookup_process *p)
{
	lookup_remote_free(p->remote);
	if (p->fd != -1)
		close(p->fd);
	p->remote = NULL;
	p->fd = -1;
}

int
lookup_process_check(const struct flags *flags, struct error *e)
{
	static const char *const check[] = {"--check", "--ready=3", NULL};
	int pair[2];
	ssize_t n;
	int rc;

	if (pipe2(pair, O_CLOEXEC) == -1)
		return error_set(e, ERROR_UNAVAILABLE, "pipe: %s", strerror(errno));
	rc = spawn(flags, check, pair[1], e);
	close(pair[1]);
	if (rc == 0) {
		do
			n = read(pair[0], e, sizeof(*e));
		while (n == -1 && errno == EINTR);
		if (n != (ssize_t)sizeof(*e))
			rc = error_set(e, ERROR_UNAVAILABLE, LOOKUP_PROGRAM " did not answer");
		else
			rc = e->code == ERROR_NONE ? 0 : -1;
	}
	close(pair[0]);
	return rc;
}
