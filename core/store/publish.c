#define _GNU_SOURCE /* O_TMPFILE */
#include "store/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/write.h"
#include "store/system_error.h"
#include "store/token_name.h"

enum {
	/* Names that are tried. Two workers met at one nanosecond once in 15,000 mints, so
	 * that many in a row mean a clock that stands still. */
	NAMES_TRIED = 10000,
	NOBODY = 65534,
};

/*
 * A file that is being made. Unnamed where the file system can (O_TMPFILE), so that the
 * kernel removes it should we die; else under a temporary name that the reaper knows.
 */
struct draft {
	int fd;
	char temporary[LIMIT_FILE_NAME]; /* empty: unnamed */
};

static bool
is_unsupported(int number)
{
	/* EISDIR: a kernel or a file system that takes O_TMPFILE for O_DIRECTORY alone. */
	return number == EOPNOTSUPP || number == EISDIR || number == EINVAL;
}

/* unnamed: tries for an unnamed file first. */
static int
draft_open(struct draft *f, const struct directory *d, bool unnamed, struct error *e)
{
	*f = (struct draft){.fd = -1};
	if (unnamed) {
		f->fd = openat(d->fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
		if (f->fd != -1)
			return 0;
		if (!is_unsupported(errno))
			return system_error(e, errno, "cannot create a file in %s", d->path);
	}
	if (token_name_temporary(f->temporary, &entropy_system) == 0)
		f->fd = openat(d->fd, f->temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd != -1)
		return 0;
	*f->temporary = '\0'; /* not ours to remove */
	return system_error(e, errno, "cannot create a file in %s", d->path);
}

/* Ends the draft; what has a name of its own by then stays. */
static void
draft_close(struct draft *f, const struct directory *d)
{
	if (f->fd != -1)
		close(f->fd);
	/* Should this fail, the reaper takes it: nothing better can be done here. */
	if (*f->temporary != '\0')
		(void)unlinkat(d->fd, f->temporary, 0);
	*f = (struct draft){.fd = -1};
}

static int
draft_write(const struct draft *f, const struct directory *d, const void *bytes, size_t length,
    struct error *e)
{
	if (write_all(f->fd, bytes, length) == -1)
		return system_error(e, errno, "cannot write a file in %s", d->path);
	return 0;
}

/* Lets nobody but us and the account read the file. 0, or -1 and errno. */
static int
set_acl(int fd, uid_t account)
{
	char text[64];
	acl_t acl;
	int rc, saved;

	(void)snprintf(
	    text, sizeof(text), "u::rw-,u:%u:r--,g::---,m::r--,o::---", (unsigned int)account);
	acl = acl_from_text(text);
	if (acl == NULL)
		return -1;
	rc = acl_set_fd(fd, acl);
	saved = errno;
	acl_free(acl);
	errno = saved;
	return rc;
}

static int
draft_give_to(const struct draft *f, const struct directory *d, uid_t account, struct error *e)
{
	if (set_acl(f->fd, account) == 0)
		return 0;
	if (errno != EOPNOTSUPP)
		return system_error(e, errno, "cannot set the ACL of a file in %s", d->path);
	/* The mode first: afterwards the file is not ours any more. */
	if (fchmod(f->fd, 0400) == 0 && fchown(f->fd, account, (gid_t)-1) == 0)
		return 0;
	if (errno == EPERM)
		return error_set(e, ERROR_CONFIG,
		    "cannot give a file in %s to uid %u: the file system has no ACLs: mount "
		    "one that "
		    "has, or run as root",
		    d->path, (unsigned int)account);
	return system_error(e, errno, "cannot give away a file in %s", d->path);
}

/* Group, then access: a change of owner may clear mode bits. */
static int
draft_restrict(const struct draft *f, const struct directory *d,
    const struct publish_options *o, uid_t account, struct error *e)
{
	if (o->group != (gid_t)-1 && fchown(f->fd, (uid_t)-1, o->group) == -1) {
		if (errno == EPERM)
			return error_set(e, ERROR_CONFIG,
			    "cannot give a file in %s to group %u: run as a member of it, or "
			    "as root",
			    d->path, (unsigned int)o->group);
		return system_error(e, errno, "cannot give a file to group %u in %s",
		    (unsigned int)o->group, d->path);
	}
	if (o->to_subject)
		return draft_give_to(f, d, account, e);
	if (fchmod(f->fd, o->mode) == -1)
		return system_error(e, errno, "cannot set the mode of a file in %s", d->path);
	return 0;
}

/*
 * Before a named draft gets a token's name: a network file system may say no earlier than
 * at close that it could not store the bytes.
 */
static int
draft_finish(struct draft *f, const struct directory *d, struct error *e)
{
	int fd = f->fd;

	if (*f->temporary == '\0')
		return 0;
	f->fd = -1;
	if (close(fd) == -1 && errno != EINTR)
		return system_error(e, errno, "cannot write a file in %s", d->path);
	return 0;
}

/* Gives the file the name. 0, or -1 and errno, EEXIST when the name is taken. */
static int
draft_link(const struct draft *f, const struct directory *d, const char *name)
{
	char source[64];

	if (*f->temporary != '\0')
		return linkat(d->fd, f->temporary, d->fd, name, 0);
	(void)snprintf(source, sizeof(source), "/proc/self/fd/%d", f->fd);
	return linkat(AT_FDCWD, source, d->fd, name, AT_SYMLINK_FOLLOW);
}

/* What publish_token() is asked for. */
struct request {
	const struct directory *directory;
	const struct publish_options *options;
	const char *subject;
	int64_t time;
	const void *bytes;
	size_t length;
};

/* Links under the first free name. 0; or -1 and errno. */
static int
link_first_free(const struct draft *f, const struct request *r, char name[LIMIT_FILE_NAME])
{
	for (int64_t time = r->time; time < r->time + NAMES_TRIED; time++) {
		/* As long as the name for the first time, which publish_token() has tried. */
		(void)token_name_format(name, r->subject, time);
		if (draft_link(f, r->directory, name) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	errno = EEXIST;
	return -1;
}

/* 0; 1 when only a named draft may do; -1. */
static int
try_publish(const struct request *r, bool unnamed, char name[LIMIT_FILE_NAME], struct error *e)
{
	const struct directory *d = r->directory;
	struct draft f;
	int rc = -1;

	if (draft_open(&f, d, unnamed, e) == -1)
		return -1;
	unnamed = *f.temporary == '\0';
	if (draft_write(&f, d, r->bytes, r->length, e) == -1 ||
	    draft_restrict(&f, d, r->options, r->options->account, e) == -1 ||
	    draft_finish(&f, d, e) == -1)
		goto out;
	rc = link_first_free(&f, r, name);
	if (rc == -1 && errno == ENOENT && unnamed)
		rc = 1; /* /proc is not mounted */
	else if (rc == -1)
		system_error(e, errno, "cannot name a file in %s", d->path);
out:
	draft_close(&f, d);
	return rc;
}

int
publish_token(const struct directory *d, const struct publish_options *o, const char *subject,
    int64_t time, const void *bytes, size_t length, char *path_out, struct error *e)
{
	struct request r = {.directory = d,
	    .options = o,
	    .subject = subject,
	    .time = time,
	    .bytes = bytes,
	    .length = length};
	char name[LIMIT_FILE_NAME];
	int rc;

	*path_out = '\0';
	if (token_name_format(name, subject, time) == -1)
		return error_set(e, ERROR_MALFORMED,
		    "the subject is too long for a file name, or the clock is not set");
	rc = try_publish(&r, true, name, e);
	if (rc == 1)
		rc = try_publish(&r, false, name, e);
	if (rc == 0)
		(void)snprintf(path_out, LIMIT_PATH, "%s/%s", d->path, name);
	return rc;
}

int
publish_probe(const struct directory *d, const struct publish_options *o, struct error *e)
{
	/* Stands for a subject: nobody's account, or root's when we are nobody. */
	uid_t account = geteuid() != NOBODY ? NOBODY : 0;
	struct draft f;
	int rc;

	if (draft_open(&f, d, true, e) == -1)
		return -1;
	rc = draft_restrict(&f, d, o, account, e);
	draft_close(&f, d);
	return rc;
}
