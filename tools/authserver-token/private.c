#define _XOPEN_SOURCE 700 /* S_ISVTX */
#include "tools/authserver-token/private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
refuse_open(const char *path, int number, struct error *e)
{
	if (number == ELOOP)
		return error_set(e, ERROR_CONFIG, "%s: a symbolic link: remove it", path);
	return error_set(e, number == ENOENT ? ERROR_NO_INPUT : ERROR_UNAVAILABLE, "%s: %s",
	    path, strerror(number));
}

static int
check_file(const struct stat *st, const char *path, struct error *e)
{
	if (!S_ISREG(st->st_mode))
		return error_set(e, ERROR_CONFIG, "%s: not a regular file: remove it", path);
	if (st->st_uid != geteuid())
		return error_set(e, ERROR_CONFIG,
		    "%s: belongs to uid %u, whose tokens are not ours: remove it", path,
		    (unsigned int)st->st_uid);
	if ((st->st_mode & 077) != 0)
		return error_set(e, ERROR_CONFIG,
		    "%s: others may read or write it (mode %04o): chmod 0600 it, or remove it",
		    path, (unsigned int)(st->st_mode & 07777));
	return 0;
}

int
private_open(int folder, const char *name, int flags, const char *path, struct error *e)
{
	struct stat st;
	int fd =
	    openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

	if (fd == -1)
		return refuse_open(path, errno, e);
	if (fstat(fd, &st) == -1)
		refuse_open(path, errno, e);
	else if (check_file(&st, path, e) == 0)
		return fd;
	close(fd);
	return -1;
}

int
private_folder(const char *path, struct error *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return refuse_open(path, errno, e);
	if (fstat(fd, &st) == -1)
		refuse_open(path, errno, e);
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		error_set(e, ERROR_CONFIG, "%s: belongs to uid %u: keep tokens elsewhere", path,
		    (unsigned int)st.st_uid);
	else if ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0)
		error_set(e, ERROR_CONFIG,
		    "%s: others may write it (mode %04o): chmod go-w it, or keep tokens "
		    "elsewhere",
		    path, (unsigned int)(st.st_mode & 07777));
	else
		return fd;
	close(fd);
	return -1;
}
