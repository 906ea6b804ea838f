#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_SIZE = 4096 };

static int
check(const struct stat *st, const char *path, bool trusted, size_t most, struct error *e)
{
	if (!S_ISREG(st->st_mode))
		return error_set(e, ERROR_CONFIG, "%s: not a regular file", path);
	if (trusted && st->st_uid != 0 && st->st_uid != geteuid())
		return error_set(e, ERROR_CONFIG,
		    "%s: belongs to uid %u, which could change it: chown it to root", path,
		    (unsigned int)st->st_uid);
	if ((st->st_mode & 022) != 0)
		return error_set(e, ERROR_CONFIG,
		    "%s: others may write it (mode %04o): chmod go-w it", path,
		    (unsigned int)(st->st_mode & 07777));
	if (st->st_size > 0 && (size_t)st->st_size > most)
		return error_set(e, ERROR_CONFIG, "%s: larger than %zu bytes", path, most);
	return 0;
}

int
file_read_open(int fd, const char *path, struct buffer *to, struct error *e)
{
	for (;;) {
		/* The last piece before the bound is smaller; one byte more shows too much. */
		size_t left = to->limit - to->length;
		size_t want = left < READ_SIZE ? left : READ_SIZE;
		char *at = buffer_reserve(to, want);
		char more;
		ssize_t n;

		if (at == NULL)
			return error_set(e, ERROR_INTERNAL, "out of memory");
		n = want > 0 ? read(fd, at, want) : read(fd, &more, 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return error_set(e, ERROR_NO_INPUT, "%s: %s", path, strerror(errno));
		if (n > 0 && want == 0)
			return error_set(
			    e, ERROR_CONFIG, "%s: larger than %zu bytes", path, to->limit);
		if (n == 0)
			return 0;
		to->length += (size_t)n;
		to->data[to->length] = '\0';
	}
}

static int
read_checked(const char *path, struct buffer *to, bool trusted, mode_t *mode, struct error *e)
{
	struct stat st;
	int rc = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1)
		return error_set(e, ERROR_NO_INPUT, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) == -1)
		error_set(e, ERROR_NO_INPUT, "%s: %s", path, strerror(errno));
	else if (check(&st, path, trusted, to->limit - to->length, e) == 0)
		rc = file_read_open(fd, path, to, e);
	close(fd);
	if (rc == 0 && mode != NULL)
		*mode = st.st_mode & 07777;
	return rc;
}

int
file_read(const char *path, struct buffer *to, mode_t *mode, struct error *e)
{
	return read_checked(path, to, false, mode, e);
}

int
file_read_trusted(const char *path, struct buffer *to, mode_t *mode, struct error *e)
{
	return read_checked(path, to, true, mode, e);
}
