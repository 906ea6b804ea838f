#define _DEFAULT_SOURCE /* flock, O_NOFOLLOW, fchown */
#include "store/keep_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/write.h"
#include "store/system_error.h"

/* What is written, under its temporary name. */
struct draft {
	int fd; /* -1: none */
	char name[LIMIT_FILE_NAME];
};

bool
keep_file_has_form(const struct stat *st, const struct keep_form *form)
{
	return S_ISREG(st->st_mode) && (st->st_mode & 07777) == form->mode &&
	       st->st_uid == (form->owner != (uid_t)-1 ? form->owner : geteuid()) &&
	       (form->group == (gid_t)-1 || st->st_gid == form->group);
}

static int
draft_name(char draft[LIMIT_FILE_NAME], const char *name, struct error *e)
{
	int n = snprintf(draft, LIMIT_FILE_NAME, ".tmp-%s", name);

	if ((size_t)n < LIMIT_FILE_NAME)
		return 0;
	return error_set(e, ERROR_CONFIG, "%.64s...: the name of the file is too long", name);
}

/* Whether the name leads to what fd is. */
static bool
leads_to(const struct directory *d, const char *name, int fd)
{
	struct stat there, held;

	return fstatat(d->fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(fd, &held) == 0 && there.st_dev == held.st_dev &&
	       there.st_ino == held.st_ino;
}

static int
in_the_way(const struct directory *d, const char *draft, struct error *e)
{
	return error_set(e, ERROR_CONFIG,
	    "%s/%s: is in the way, and not a file that authserver-keep left: remove it",
	    d->path, draft);
}

static int
busy(const struct directory *d, const char *name, struct error *e)
{
	return error_set(e, ERROR_UNAVAILABLE, "%s/%s: another authserver-keep writes it now",
	    d->path, name);
}

/*
 * Removes the temporary file if nobody holds its lock. Whoever holds it and finds the name
 * leading to it is the only one of us to rename or remove that name.
 */
static int
clear_draft(const struct directory *d, const char *name, const char *draft, struct error *e)
{
	int fd = openat(d->fd, draft, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int rc = 0;

	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 && (errno == ELOOP || errno == ENXIO)) /* a link, a socket */
		return in_the_way(d, draft, e);
	if (fd == -1 || fstat(fd, &st) == -1)
		rc = system_error(e, errno, "%s/%s", d->path, draft);
	else if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
		rc = in_the_way(d, draft, e);
	else if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		rc = busy(d, name, e);
	else if (leads_to(d, draft, fd) && unlinkat(d->fd, draft, 0) == -1)
		rc = system_error(e, errno, "cannot remove %s/%s", d->path, draft);
	if (fd != -1)
		close(fd);
	return rc;
}

int
keep_file_clear(const struct directory *d, const char *name, struct error *e)
{
	char draft[LIMIT_FILE_NAME];

	return draft_name(draft, name, e) == -1 ? -1 : clear_draft(d, name, draft, e);
}

static int
draft_lock(const struct draft *f, const struct directory *d, const char *name, struct error *e)
{
	if (flock(f->fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno == EWOULDBLOCK)
			return busy(d, name, e);
		system_error(e, errno, "cannot lock a file in %s", d->path);
		if (leads_to(d, f->name, f->fd))
			(void)unlinkat(d->fd, f->name, 0);
		return -1;
	}
	/* Before it was locked another one may have taken it for left behind, and a third one
	 * begun anew. */
	return leads_to(d, f->name, f->fd) ? 0 : busy(d, name, e);
}

static int
draft_open(struct draft *f, const struct directory *d, const char *name, struct error *e)
{
	enum { TRIES = 3 };

	*f = (struct draft){.fd = -1};
	if (draft_name(f->name, name, e) == -1)
		return -1;
	for (int i = 0; f->fd == -1 && i < TRIES; i++) {
		f->fd = openat(
		    d->fd, f->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (f->fd == -1 && errno != EEXIST)
			return system_error(e, errno, "cannot create a file in %s", d->path);
		if (f->fd == -1 && clear_draft(d, name, f->name, e) == -1)
			return -1;
	}
	if (f->fd == -1)
		return busy(d, name, e);
	if (draft_lock(f, d, name, e) == 0)
		return 0;
	close(f->fd);
	f->fd = -1;
	return -1;
}

/* Ends the draft; once it was renamed there is nothing to remove. */
static void
draft_close(struct draft *f, const struct directory *d)
{
	if (f->fd == -1)
		return;
	if (*f->name != '\0')
		(void)unlinkat(d->fd, f->name, 0);
	close(f->fd); /* the lock goes with it, and so last */
	f->fd = -1;
}

static int
draft_write(const struct draft *f, const struct directory *d, const void *bytes, size_t length,
    struct error *e)
{
	if (write_all(f->fd, bytes, length) == -1)
		return system_error(e, errno, "cannot write a file in %s", d->path);
	return 0;
}

/* Owner and group, then the mode: a change of owner may clear bits of it. */
static int
draft_restrict(const struct draft *f, const struct directory *d, const struct keep_form *form,
    struct error *e)
{
	if ((form->owner != (uid_t)-1 || form->group != (gid_t)-1) &&
	    fchown(f->fd, form->owner, form->group) == -1) {
		if (errno == EPERM)
			return error_set(e, ERROR_CONFIG,
			    "cannot give a file in %s to uid %d and group %d: run as root",
			    d->path, (int)form->owner, (int)form->group);
		return system_error(e, errno, "cannot give away a file in %s", d->path);
	}
	if (fchmod(f->fd, form->mode) == -1)
		return system_error(e, errno, "cannot set the mode of a file in %s", d->path);
	return 0;
}

int
keep_file_replace(const struct directory *d, const char *name, const struct keep_form *form,
    const void *bytes, size_t length, struct stat *st, struct error *e)
{
	struct draft f;
	int rc = -1;

	if (draft_open(&f, d, name, e) == -1)
		return -1;
	if (draft_write(&f, d, bytes, length, e) == -1 || draft_restrict(&f, d, form, e) == -1)
		goto out;
	if (renameat(d->fd, f.name, d->fd, name) == -1) {
		system_error(e, errno, "%s/%s", d->path, name);
		goto out;
	}
	*f.name = '\0';
	rc = fstat(f.fd, st) == 0 ? 0 : system_error(e, errno, "%s/%s", d->path, name);
out:
	draft_close(&f, d);
	return rc;
}

/* Appends what fd has. 1, 0 when it does not fit, or -1 and errno. */
static int
read_whole(int fd, struct buffer *text)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (buffer_append(text, piece, (size_t)n) == -1)
			return 0;
	}
	return 1;
}

int
keep_file_read(const struct directory *d, const char *name, struct buffer *text,
    struct stat *st, struct error *e)
{
	int fd = openat(d->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int rc;

	*st = (struct stat){0};
	if (fd == -1 && (errno == ENOENT || errno == ELOOP || errno == ENXIO))
		return 0;
	if (fd == -1 || fstat(fd, st) == -1)
		rc = -1;
	else
		rc = S_ISREG(st->st_mode) ? read_whole(fd, text) : 0;
	if (rc == -1)
		system_error(e, errno, "%s/%s", d->path, name);
	if (fd != -1)
		close(fd);
	return rc;
}

int
keep_file_remove(const struct directory *d, const char *name, struct error *e)
{
	if (unlinkat(d->fd, name, 0) == 0)
		return 1;
	return errno == ENOENT ? 0
			       : system_error(e, errno, "cannot remove %s/%s", d->path, name);
}
