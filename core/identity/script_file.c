#define _GNU_SOURCE /* O_PATH, AT_EMPTY_PATH */
#include "identity/script_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The length of the directory's path without slashes at its end: 0 for "/". */
static size_t
stem(const char *directory)
{
	size_t length = strlen(directory);

	while (length > 0 && directory[length - 1] == '/')
		length--;
	return length;
}

/* Whether a component is "..", which leads out of what was checked. */
static bool
climbs(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")) != NULL; at += 2)
		if ((at == path || at[-1] == '/') && (at[2] == '\0' || at[2] == '/'))
			return true;
	return false;
}

int
script_file_path(
    char path[LIMIT_PATH], const char *directory, const char *file, struct error *e)
{
	size_t length = stem(directory);
	bool absolute = *file == '/';

	*path = '\0';
	if (climbs(directory) || climbs(file) ||
	    (absolute && (strncmp(file, directory, length) != 0 || file[length] != '/')))
		return error_set(e, ERROR_CONFIG,
		    "%.256s: not in %.256s: scripts must be there, and '..' is not taken", file,
		    directory);
	if (absolute)
		length = 0;
	if (length + 1 + strlen(file) >= LIMIT_PATH)
		return error_set(e, ERROR_CONFIG, "%.256s: the path is too long", file);
	(void)snprintf(
	    path, LIMIT_PATH, "%.*s%s%s", (int)length, directory, absolute ? "" : "/", file);
	return 0;
}

/* Says why a component could not be opened. */
static int
refuse(const char *path, int number, struct error *e)
{
	if (number == ENOENT)
		return error_set(e, ERROR_NO_INPUT, "%.256s: %s", path, strerror(number));
	return error_set(e, ERROR_CONFIG, "%.256s: %s", path, strerror(number));
}

/* What must hold for each component, lest others change what is run. */
static int
check_component(const struct stat *st, const char *path, bool above, struct error *e)
{
	bool sticky = above && S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0;

	if (S_ISLNK(st->st_mode))
		return error_set(e, ERROR_CONFIG,
		    "%.256s: is a symbolic link: give a path without links, or put the file "
		    "itself there",
		    path);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return error_set(e, ERROR_CONFIG,
		    "%.256s: belongs to uid %u, who could change what is run: chown root "
		    "%.128s",
		    path, (unsigned int)st->st_uid, path);
	if ((st->st_mode & 022) != 0 && !sticky)
		return error_set(e, ERROR_CONFIG,
		    "%.256s: others may write it (mode %04o): chmod go-w %.128s", path,
		    (unsigned int)(st->st_mode & 07777), path);
	return 0;
}

static int
check_script(int fd, const struct stat *st, const char *path, struct error *e)
{
	if (!S_ISREG(st->st_mode))
		return error_set(e, ERROR_CONFIG, "%.256s: not a regular file", path);
	if (faccessat(fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) == -1)
		return error_set(e, ERROR_CONFIG,
		    "%.256s: cannot be executed (mode %04o): chmod +x %.128s", path,
		    (unsigned int)(st->st_mode & 07777), path);
	return 0;
}

/* Opens the component called name, which ends path, in the directory at; above: it is one of
 * those above the scripts' own. */
static int
enter(int at, const char *name, const char *path, bool above, struct error *e)
{
	int fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd == -1)
		return refuse(path, errno, e);
	if (fstat(fd, &st) == -1)
		refuse(path, errno, e);
	else if (check_component(&st, path, above, e) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Opens what path, an absolute one, leads to. */
static int
descend(char path[LIMIT_PATH], size_t above, struct error *e)
{
	int fd = enter(AT_FDCWD, "/", "/", above > 0, e);
	char *name, *end;

	for (name = path; fd != -1; name = end) {
		int parent = fd;
		char behind;

		name += strspn(name, "/");
		if (*name == '\0')
			break;
		end = name + strcspn(name, "/");
		behind = *end;
		*end = '\0';
		fd = enter(parent, name, path, (size_t)(end - path) < above, e);
		close(parent);
		*end = behind;
	}
	return fd;
}

int
script_file_open(const char *directory, const char *file, struct error *e)
{
	char path[LIMIT_PATH];
	struct stat st;
	int fd;

	if (script_file_path(path, directory, file, e) == -1)
		return -1;
	fd = descend(path, stem(directory), e);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		refuse(path, errno, e);
	else if (check_script(fd, &st, path, e) == 0)
		return fd;
	close(fd);
	return -1;
}
