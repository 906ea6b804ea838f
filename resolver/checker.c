#define _GNU_SOURCE /* pipe2, pidfd_open, memfd_create, \
		       posix_spawn_file_actions_addclosefrom_np */
#include "resolver/checker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/program.h"
#include "identity/lookup_process.h"
#include "identity/password.h"

/* Where the program finds the configuration, as its main.c knows. */
enum { CONFIGURATION = 3 };
#define CONFIGURATION_PATH "/proc/self/fd/3"

/* A file in memory with the bytes of the one at path, as it is taken for a configuration:
 * nobody may write it. */
static int
copy_file(const char *path, struct error *e)
{
	struct buffer text;
	int fd = -1;

	buffer_init(&text, LIMIT_CONFIG_FILE);
	if (file_read_trusted(path, &text, NULL, e) == -1)
		goto out;
	fd = memfd_create("configuration", MFD_CLOEXEC);
	if (fd == -1 || write(fd, text.data, text.length) != (ssize_t)text.length ||
	    fchmod(fd, 0400) == -1) {
		error_set(e, ERROR_UNAVAILABLE, "memfd_create: %s", strerror(errno));
		if (fd != -1)
			close(fd);
		fd = -1;
	}
out:
	buffer_free(&text);
	return fd;
}

int
checker_program_open(struct checker_program *p, const struct flags *flags, struct error *e)
{
	static const char *const nothing[] = {NULL};
	struct flags given = *flags;

	*p = (struct checker_program){.configuration = -1};
	if (program_find(p->path, PASSWORD_PROGRAM, e) == -1)
		return -1;
	p->configuration = copy_file(flags->config_file, e);
	if (p->configuration == -1)
		return -1;
	given.config_file = CONFIGURATION_PATH;
	p->command = flags_command(&given, p->path, nothing);
	if (p->command != NULL)
		return 0;
	checker_program_close(p);
	return error_set(e, ERROR_INTERNAL, "out of memory");
}

void
checker_program_close(struct checker_program *p)
{
	flags_command_free(p->command);
	if (p->configuration != -1)
		close(p->configuration);
	*p = (struct checker_program){.configuration = -1};
}

static int
describe_files(posix_spawn_file_actions_t *files, const struct checker_program *p, int question,
    int answer)
{
	return posix_spawn_file_actions_adddup2(files, question, STDIN_FILENO) == 0 &&
		       posix_spawn_file_actions_adddup2(files, answer, STDOUT_FILENO) == 0 &&
		       posix_spawn_file_actions_addopen(
			   files, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
		       posix_spawn_file_actions_adddup2(
			   files, p->configuration, CONFIGURATION) == 0 &&
		       posix_spawn_file_actions_addclosefrom_np(files, CONFIGURATION + 1) == 0
		   ? 0
		   : ENOMEM;
}

/* A group of its own, and signals as if nobody had ever set one. */
static int
describe_process(posix_spawnattr_t *attributes)
{
	sigset_t all, none;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	return posix_spawnattr_setflags(attributes,
		   POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) ==
			   0 &&
		       posix_spawnattr_setpgroup(attributes, 0) == 0 &&
		       posix_spawnattr_setsigdefault(attributes, &all) == 0 &&
		       posix_spawnattr_setsigmask(attributes, &none) == 0
		   ? 0
		   : ENOMEM;
}

/* 0, or why not, as errno. */
static int
spawn(pid_t *pid, const struct checker_program *p, int question, int answer)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int failed;

	if (posix_spawn_file_actions_init(&files) != 0)
		return ENOMEM;
	failed = posix_spawnattr_init(&attributes);
	if (failed == 0) {
		failed = describe_files(&files, p, question, answer);
		if (failed == 0)
			failed = describe_process(&attributes);
		if (failed == 0)
			failed = posix_spawn(pid, p->path, &files, &attributes, p->command,
			    lookup_process_environment);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&files);
	return failed;
}

static void
close_ends(int ends[2])
{
	for (int i = 0; i < 2; i++)
		if (ends[i] != -1)
			close(ends[i]);
}

int
checker_start(struct checker *c, const struct checker_program *p, const char *text, size_t size,
    struct error *e)
{
	int question[2] = {-1, -1}, answer[2] = {-1, -1};
	int failed;

	*c = (struct checker){.pid = -1, .pidfd = -1, .output = -1};
	/* A pipe takes as much as a question has before anybody reads. An answer is not waited
	 * for when somebody else has kept its end. */
	if (pipe2(question, O_CLOEXEC) == -1 || pipe2(answer, O_CLOEXEC) == -1 ||
	    fcntl(answer[0], F_SETFL, O_NONBLOCK) == -1 ||
	    write(question[1], text, size) != (ssize_t)size)
		failed = errno;
	else
		failed = spawn(&c->pid, p, question[0], answer[1]);
	if (failed == 0) {
		c->output = answer[0];
		answer[0] = -1;
		c->pidfd = pidfd_open(c->pid, 0);
		if (c->pidfd == -1) {
			failed = errno;
			checker_kill(c);
			(void)checker_finish(c, e);
		}
	}
	close_ends(question);
	close_ends(answer);
	return failed == 0
		   ? 0
		   : error_set(e, ERROR_UNAVAILABLE, PASSWORD_PROGRAM ": %s", strerror(failed));
}

void
checker_kill(const struct checker *c)
{
	(void)kill(-c->pid, SIGKILL);
	(void)kill(c->pid, SIGKILL);
}

int
checker_finish(struct checker *c, struct error *e)
{
	char text[PASSWORD_ANSWER];
	ssize_t n;
	int status = -1;
	int rc;

	/* What a module left behind in the group, whose number is not given to others before
	 * its leader has been waited for. */
	(void)kill(-c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) == -1 && errno == EINTR)
		;
	n = read(c->output, text, sizeof(text));
	if (WIFEXITED(status))
		rc = password_answer_read(text, n > 0 ? (size_t)n : 0, WEXITSTATUS(status), e);
	else
		rc = error_set(e, ERROR_UNAVAILABLE, PASSWORD_PROGRAM " was ended by signal %d",
		    WTERMSIG(status));
	close(c->output);
	if (c->pidfd != -1)
		close(c->pidfd);
	*c = (struct checker){.pid = -1, .pidfd = -1, .output = -1};
	return rc;
}
