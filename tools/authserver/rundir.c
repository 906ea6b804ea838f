#define _GNU_SOURCE /* asprintf, mkdtemp, O_PATH */
#include "tools/authserver/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

int
account_find(struct account *a, struct error *e)
{
	static const char *const names[] = {"www-data", "nobody"};
	const struct passwd *user = NULL;
	const struct group *group;

	*a = (struct account){.uid = geteuid(), .gid = getegid()};
	if (geteuid() != 0)
		return 0;
	for (size_t i = 0; user == NULL && i < sizeof(names) / sizeof(names[0]); i++)
		user = getpwnam(names[i]);
	group = user == NULL ? NULL : getgrgid(user->pw_gid);
	if (group == NULL)
		return error_set(e, ERROR_UNAVAILABLE,
		    "no account for nginx's workers: neither www-data nor nobody exists with "
		    "its group; start authserver as an ordinary user");
	a->uid = user->pw_uid;
	a->gid = user->pw_gid;
	a->name = strdup(user->pw_name);
	a->group = strdup(group->gr_name);
	if (a->name == NULL || a->group == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	return 0;
}

void
account_free(struct account *a)
{
	free(a->name);
	free(a->group);
	*a = (struct account){0};
}

/* A place whose name could end a word in nginx's configuration, or whose socket would not
 * fit into a sockaddr_un, is passed over. */
static bool
suits(const char *place)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789/._-";
	size_t rest = sizeof("/authserver.XXXXXX/" RUNDIR_SOCKET);

	return place != NULL && *place == '/' && strspn(place, plain) == strlen(place) &&
	       strlen(place) + rest <= sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

int
rundir_open(struct rundir *r, const struct account *workers, struct error *e)
{
	bool root = workers->name != NULL;
	const char *const places[] = {root ? NULL : getenv("XDG_RUNTIME_DIR"), "/run",
	    root ? NULL : getenv("TMPDIR"), "/tmp"};
	int saved = 0;

	*r = (struct rundir){.fd = -1};
	for (size_t i = 0; r->fd == -1 && i < sizeof(places) / sizeof(places[0]); i++) {
		if (!suits(places[i]))
			continue;
		free(r->path);
		if (asprintf(&r->path, "%s/authserver.XXXXXX", places[i]) == -1) {
			r->path = NULL;
			return error_set(e, ERROR_UNAVAILABLE, "out of memory");
		}
		if (mkdtemp(r->path) != NULL)
			r->fd = open(r->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		saved = errno;
	}
	if (r->fd == -1) {
		free(r->path);
		r->path = NULL;
		return error_set(e, ERROR_UNAVAILABLE,
		    "no place for a private directory: /tmp: %s: set TMPDIR to a folder that "
		    "can be written",
		    strerror(saved));
	}
	if (root &&
	    (fchown(r->fd, (uid_t)-1, workers->gid) == -1 || fchmod(r->fd, 0710) == -1)) {
		error_set(e, ERROR_NO_PERMISSION,
		    "cannot let nginx's workers (%s) into %s: %s: start authserver as an "
		    "ordinary user, or as root with its capabilities",
		    workers->name, r->path, strerror(errno));
		rundir_remove(r);
		return -1;
	}
	return 0;
}

/* Two levels are all there is: nginx is told to make no folders in its temporary ones.
 * fd is closed. */
static void
empty(int fd, int levels)
{
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    unlinkat(fd, name, 0) == 0)
			continue;
		if (levels > 1)
			empty(openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
			    levels - 1);
		(void)unlinkat(fd, name, AT_REMOVEDIR);
	}
	closedir(dir);
}

void
rundir_remove(struct rundir *r)
{
	if (r->fd == -1)
		return;
	empty(r->fd, 2);
	(void)rmdir(r->path); /* a directory that is left in /tmp or /run harms nobody */
	free(r->path);
	*r = (struct rundir){.fd = -1};
}

int
rundir_listen(const struct rundir *r, const struct account *workers, int *fd, struct error *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*fd = -1;
	(void)snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s/" RUNDIR_SOCKET, r->path);
	if (s == -1 || bind(s, (const struct sockaddr *)&address, sizeof(address)) == -1 ||
	    fchownat(r->fd, RUNDIR_SOCKET, (uid_t)-1, workers->gid, AT_SYMLINK_NOFOLLOW) ==
		-1 ||
	    fchmodat(r->fd, RUNDIR_SOCKET, 0660, 0) == -1 || listen(s, SOMAXCONN) == -1) {
		error_set(e, ERROR_UNAVAILABLE, "%s: %s", address.sun_path, strerror(errno));
		if (s != -1)
			close(s);
		return -1;
	}
	*fd = s;
	return 0;
}

/* Tries to open the file as the account. 0 or errno. */
static int
try_to_read(const struct account *a, const char *path)
{
	struct stat st;
	int fd;

	if (a->name != NULL &&
	    (initgroups(a->name, a->gid) == -1 || setgid(a->gid) == -1 || setuid(a->uid) == -1))
		return errno;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1)
		return errno;
	return S_ISREG(st.st_mode) ? 0 : EINVAL;
}

/* The account's rights are tried by a child that takes them on. 0 or errno. */
static int
ask_child(const struct account *a, const char *path)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(try_to_read(a, path));
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

int
rundir_link_users(
    const struct rundir *r, const struct account *workers, const char *path, struct error *e)
{
	char *here = NULL, *target = NULL;
	int reason = ask_child(workers, path);
	int rc = -1;

	if (reason == EACCES && workers->name != NULL)
		return error_set(e, ERROR_NO_INPUT,
		    "--users: %s: nginx's workers run as %s and cannot read it: chgrp %s and "
		    "chmod 0640 it, in a folder that they can enter",
		    path, workers->name, workers->group);
	if (reason != 0)
		return error_set(e, ERROR_NO_INPUT,
		    "--users: %s: %s: htpasswd -c FILE USER makes one", path,
		    reason == EINVAL ? "not a regular file" : strerror(reason));
	here = getcwd(NULL, 0);
	/* Not realpath: a link that is switched to a new file is to be followed anew. */
	if (here == NULL ||
	    asprintf(&target, "%s%s%s", *path == '/' ? "" : here, *path == '/' ? "" : "/",
		path) == -1 ||
	    symlinkat(target, r->fd, RUNDIR_USERS) == -1)
		error_set(
		    e, ERROR_UNAVAILABLE, "%s/" RUNDIR_USERS ": %s", r->path, strerror(errno));
	else
		rc = 0;
	free(here);
	free(target);
	return rc;
}

int
rundir_write(
    const struct rundir *r, const char *name, const void *bytes, size_t length, struct error *e)
{
	int fd = openat(r->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n = fd == -1 ? -1 : write(fd, bytes, length);
	int saved = n == -1 ? errno : ENOSPC; /* a short write is a full disk */

	if (fd != -1)
		close(fd);
	if (n != (ssize_t)length)
		return error_set(
		    e, ERROR_UNAVAILABLE, "%s/%s: %s", r->path, name, strerror(saved));
	return 0;
}
