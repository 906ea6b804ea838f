#define _GNU_SOURCE /* renameat2, F_OFD_SETLK */
#include "store/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/write.h"
#include "store/system_error.h"
#include "store/token_name.h"

/* Why what is open cannot be a record, or NULL. */
static const char *
reason_against(const struct directory *d, const struct stat *st, size_t most)
{
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (st->st_uid != geteuid() && st->st_uid != d->owner)
		return "it belongs to another user";
	if ((st->st_mode & 077) != 0)
		return "others may use it";
	if (st->st_nlink > 1)
		return "it has another link";
	if (st->st_size < 0 || (size_t)st->st_size > most)
		return "it is too large";
	return NULL;
}

/* All of size bytes, or -1 and errno. */
static int
read_bytes(int fd, size_t size, struct buffer *bytes)
{
	char *at = buffer_reserve(bytes, size);
	size_t got = 0;

	if (at == NULL) {
		errno = ENOMEM;
		return -1;
	}
	while (got < size) {
		ssize_t n = pread(fd, at + got, size - got, (off_t)got);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	bytes->length += got;
	at[got] = '\0';
	return 0;
}

int
record_open(const struct directory *d, const char *name, int access, struct buffer *bytes,
    const char **wrong)
{
	int fd = openat(d->fd, name, access | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int saved;

	*wrong = NULL;
	if (fd == -1) {
		if (errno == ELOOP)
			*wrong = "a symbolic link";
		else if (errno == EISDIR || errno == ENXIO)
			*wrong = "not a regular file";
		return -1;
	}
	if (fstat(fd, &st) == 0) {
		*wrong = reason_against(d, &st, bytes->limit - bytes->length);
		if (*wrong == NULL && read_bytes(fd, (size_t)st.st_size, bytes) == 0)
			return fd;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
record_is_current(const struct directory *d, const char *name, int fd)
{
	struct stat held, there;

	if (fstat(fd, &held) == -1)
		return -1;
	if (fstatat(d->fd, name, &there, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	return held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

/* The locks are the first two bytes. */
static int
set_lock(int fd, int command, short type, off_t start, off_t length)
{
	struct flock lock = {
	    .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
	int rc;

	do
		rc = fcntl(fd, command, &lock);
	while (rc == -1 && errno == EINTR);
	if (rc == -1 && errno == EACCES)
		errno = EAGAIN;
	return rc;
}

int
record_lock(int fd, enum record_lock lock)
{
	return set_lock(fd, F_OFD_SETLK, F_WRLCK, lock, 1);
}

int
record_lock_wait(int fd, enum record_lock lock)
{
	return set_lock(fd, F_OFD_SETLKW, F_WRLCK, lock, 1);
}

void
record_close(int fd)
{
	int saved = errno;

	if (fd == -1)
		return;
	(void)set_lock(fd, F_OFD_SETLK, F_UNLCK, 0, 0);
	close(fd);
	errno = saved;
}

static int
set_time(int fd, int64_t time)
{
	const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)time}};

	return futimens(fd, times);
}

static int
draft_fill(int fd, const char *bytes, size_t length, int64_t time)
{
	/* The mode whatever the umask. */
	return write_all(fd, bytes, length) == 0 && fchmod(fd, 0600) == 0 &&
		       set_time(fd, time) == 0 && fsync(fd) == 0
		   ? 0
		   : -1;
}

int
record_draft(struct record_draft *f, const struct directory *d, const char *bytes,
    size_t length, int64_t time, struct error *e)
{
	*f = (struct record_draft){.fd = -1};
	if (token_name_temporary(f->temporary, &entropy_system) == 0)
		f->fd = openat(d->fd, f->temporary,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd == -1) {
		*f->temporary = '\0'; /* not ours to remove */
		return system_error(e, errno, "cannot create a file in %s", d->path);
	}
	if (draft_fill(f->fd, bytes, length, time) == 0)
		return 0;
	system_error(e, errno, "cannot write a file in %s", d->path);
	record_draft_close(f, d);
	return -1;
}

int
record_name(struct record_draft *f, const struct directory *d, const char *name)
{
	if (renameat2(d->fd, f->temporary, d->fd, name, RENAME_NOREPLACE) == -1)
		return -1;
	*f->temporary = '\0';
	return 0;
}

int
record_replace(struct record_draft *f, const struct directory *d, const char *name)
{
	/*
	 * Not a plain rename, which would bring back a record that was deleted a moment ago:
	 * an exchange fails then. The old one has the temporary name for a moment.
	 */
	if (renameat2(d->fd, f->temporary, d->fd, name, RENAME_EXCHANGE) == -1)
		return -1;
	(void)unlinkat(d->fd, f->temporary, 0);
	*f->temporary = '\0';
	return 0;
}

int
record_refused(const struct directory *d, struct error *e)
{
	if (errno != EINVAL && errno != ENOSYS)
		return system_error(e, errno, "cannot name a file in %s", d->path);
	return error_set(e, ERROR_UNAVAILABLE,
	    "%s: its file system cannot exchange files: put the state directory on a local one",
	    d->path);
}

void
record_mark(int fd, int64_t at, char byte, int64_t time)
{
	if (pwrite(fd, &byte, 1, (off_t)at) == 1)
		(void)set_time(fd, time);
}

void
record_draft_close(struct record_draft *f, const struct directory *d)
{
	record_close(f->fd);
	/* Should this fail, a sweep takes it: nothing better can be done here. */
	if (*f->temporary != '\0')
		(void)unlinkat(d->fd, f->temporary, 0);
	*f = (struct record_draft){.fd = -1};
}

void
record_sync(const struct directory *d)
{
	(void)fsync(d->fd);
}
