#define _GNU_SOURCE /* posix_spawn_file_actions_addclosefrom_np, asprintf */
#include "tools/authserver-keep/hook_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { VARIABLES = 4 };

/* In a group of its own, with nothing of ours but where complaints go. */
static int
describe(posix_spawnattr_t *how, posix_spawn_file_actions_t *files)
{
	sigset_t none, all;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	return posix_spawnattr_setflags(how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						 POSIX_SPAWN_SETSIGDEF) == 0 &&
		       posix_spawnattr_setpgroup(how, 0) == 0 &&
		       posix_spawnattr_setsigmask(how, &none) == 0 &&
		       posix_spawnattr_setsigdefault(how, &all) == 0 &&
		       posix_spawn_file_actions_addopen(
			   files, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
		       posix_spawn_file_actions_adddup2(files, STDERR_FILENO, STDOUT_FILENO) ==
			   0 &&
		       posix_spawn_file_actions_addchdir_np(files, "/") == 0 &&
		       posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1) == 0
		   ? 0
		   : ENOMEM;
}

/* 0 or an errno. */
static int
spawn(pid_t *pid, char **command, char *const *environment)
{
	posix_spawnattr_t how;
	posix_spawn_file_actions_t files;
	int failed = posix_spawnattr_init(&how);

	if (failed != 0)
		return failed;
	failed = posix_spawn_file_actions_init(&files);
	if (failed == 0) {
		failed = describe(&how, &files);
		if (failed == 0)
			failed =
			    posix_spawn(pid, command[0], &files, &how, command, environment);
		(void)posix_spawn_file_actions_destroy(&files);
	}
	(void)posix_spawnattr_destroy(&how);
	if (failed != 0)
		*pid = -1;
	return failed;
}

int
hook_spawn(pid_t *pid, char **command, const char *path, const char *subject)
{
	static char path_variable[] =
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char locale_variable[] = "LC_ALL=C.UTF-8";
	char *environment[VARIABLES + 1] = {path_variable, locale_variable};
	int failed = ENOMEM;

	if (asprintf(&environment[2], "AUTHSERVER_FILE=%s", path) == -1)
		return ENOMEM;
	if (asprintf(&environment[3], "AUTHSERVER_SUBJECT=%s", subject) != -1) {
		failed = spawn(pid, command, environment);
		free(environment[3]);
	}
	free(environment[2]);
	return failed;
}
