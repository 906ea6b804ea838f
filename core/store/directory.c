#define _GNU_SOURCE /* O_PATH, getdents64 */
#include "store/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/account.h"
#include "store/system_error.h"

enum {
	COMPONENT = O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC,
	/* Of entries a system call brings: larger ones gain nothing, and the reaper is small.
	 */
	LIST_BYTES = 32 * 1024,
};

/* What is done to a directory that is missing. */
struct creation {
	mode_t mode; /* 0: nothing */
	gid_t group;
};

/*
 * Copies an absolute path without empty and "." components and without a slash at its
 * end: "/a//./b/" is "/a/b", and "/" is "".
 */
static int
normalise(char clean[LIMIT_PATH], const char *path, struct error *e)
{
	size_t n = 0;

	if (*path != '/')
		return error_set(e, ERROR_CONFIG,
		    "%.256s: the directory must be given as an absolute path", path);
	/* So that the path of any file in it fits LIMIT_PATH. */
	if (strlen(path) + LIMIT_FILE_NAME >= LIMIT_PATH)
		return error_set(
		    e, ERROR_CONFIG, "%.256s...: the path of the directory is too long", path);
	for (;;) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 0)
			break;
		if (length == 2 && memcmp(path, "..", 2) == 0)
			return error_set(e, ERROR_CONFIG,
			    "%.*s/..: the path of the directory must not hold '..'", (int)n,
			    clean);
		if (length != 1 || *path != '.') {
			clean[n++] = '/';
			memcpy(clean + n, path, length);
			n += length;
		}
		path += length;
	}
	clean[n] = '\0';
	return 0;
}

/* Says why a component could not be entered; of a link, where it leads. */
static int
refuse_component(int at, const char *name, const char *shown, int number, struct error *e)
{
	char target[LIMIT_ERROR_TEXT / 4];
	ssize_t n;

	if (number == ENOENT)
		return error_set(
		    e, ERROR_CONFIG, "%s: does not exist: create it, or name another", shown);
	if (number != ENOTDIR && number != ELOOP)
		return system_error(e, number, "%s", shown);
	n = readlinkat(at, name, target, sizeof(target) - 1);
	if (n == -1)
		return error_set(e, ERROR_CONFIG, "%s: is not a directory", shown);
	target[n] = '\0';
	return error_set(e, ERROR_CONFIG,
	    "%s: is a symbolic link to '%s', and who may change it could lead elsewhere: give "
	    "the "
	    "path without links",
	    shown, target);
}

/*
 * Makes a component. Mode and group are set by name: nobody but root and us can replace
 * an entry of ours in a parent that was found safe. Not in mkdir itself, which would put
 * the mode through the umask; 0700 until the group is the right one.
 */
static int
create(int at, const char *name, const char *shown, const struct creation *c, struct error *e)
{
	int saved;

	if (mkdirat(at, name, 0700) == -1) {
		if (errno == EEXIST) /* another process of ours was quicker */
			return 0;
		return system_error(e, errno, "cannot create %s", shown);
	}
	if ((c->group == (gid_t)-1 ||
		fchownat(at, name, (uid_t)-1, c->group, AT_SYMLINK_NOFOLLOW) == 0) &&
	    fchmodat(at, name, c->mode, 0) == 0)
		return 0;
	saved = errno;
	(void)unlinkat(at, name, AT_REMOVEDIR);
	if (saved == EPERM && c->group != (gid_t)-1)
		return error_set(e, ERROR_CONFIG,
		    "cannot give %s to group %u: run as a member of it, or as root", shown,
		    (unsigned int)c->group);
	return system_error(e, saved, "cannot create %s", shown);
}

static int
check_owner(const struct stat *st, const char *shown, struct error *e)
{
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "%s: belongs to uid %u, which could replace what is in it: chown it to root or to "
	    "uid %u, or run as its owner",
	    shown, (unsigned int)st->st_uid, (unsigned int)geteuid());
}

/* A directory on the way: nobody else may rename what is in it. */
static int
check_parent(int fd, const char *shown, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return system_error(e, errno, "%s", shown);
	if (check_owner(&st, shown, e) == -1)
		return -1;
	if ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0)
		return error_set(e, ERROR_CONFIG,
		    "%s: others may write it (mode %04o) and could replace what is in it: "
		    "chmod "
		    "go-w it, or set its sticky bit",
		    shown, (unsigned int)(st.st_mode & 07777));
	return 0;
}

static int
check_directory(int fd, const char *shown, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return system_error(e, errno, "%s", shown);
	if (check_owner(&st, shown, e) == -1)
		return -1;
	if ((st.st_mode & 002) != 0)
		return error_set(e, ERROR_CONFIG,
		    "%s: everybody may write it (mode %04o) and plant files: chmod o-w it",
		    shown, (unsigned int)(st.st_mode & 07777));
	if ((st.st_mode & 020) != 0 && !account_in_group(st.st_gid))
		return error_set(e, ERROR_CONFIG,
		    "%s: group %u, which is not ours, may write it (mode %04o) and plant "
		    "files: "
		    "chmod g-w it",
		    shown, (unsigned int)st.st_gid, (unsigned int)(st.st_mode & 07777));
	return 0;
}

/* The descriptor of a component, which is created when it is missing and c has a mode. */
static int
enter(int at, const char *name, const char *shown, const struct creation *c, struct error *e)
{
	int fd = openat(at, name, COMPONENT);

	if (fd == -1 && errno == ENOENT && c->mode != 0) {
		if (create(at, name, shown, c, e) == -1)
			return -1;
		fd = openat(at, name, COMPONENT);
	}
	return fd != -1 ? fd : refuse_component(at, name, shown, errno, e);
}

/*
 * Walks down a clean path to the directory before its last component and checks each on the
 * way. Its descriptor, or -1; *last is the last component.
 */
static int
walk(char *path, const char **last, struct error *e)
{
	int at = open("/", COMPONENT);

	*last = path + 1;
	if (at == -1)
		return system_error(e, errno, "/");
	if (check_parent(at, "/", e) == -1)
		goto fail;
	for (char *next; (next = strchr(*last, '/')) != NULL; *last = next + 1) {
		int fd;

		*next = '\0'; /* for the while of this component, path ends behind it */
		fd = openat(at, *last, COMPONENT);
		if (fd == -1) {
			refuse_component(at, *last, path, errno, e);
			goto fail;
		}
		close(at);
		at = fd;
		if (check_parent(at, path, e) == -1)
			goto fail;
		*next = '/';
	}
	return at;
fail:
	close(at);
	return -1;
}

/* What both ways of opening begin with. */
static int
walk_from_root(char clean[LIMIT_PATH], const char *path, const char **last, struct error *e)
{
	if (normalise(clean, path, e) == -1)
		return -1;
	if (*clean == '\0')
		return error_set(e, ERROR_CONFIG, "/: cannot be a directory of ours");
	return walk(clean, last, e);
}

/* The directory itself: a descriptor for listing, or -1. */
static int
open_checked(
    int parent, const char *name, const char *shown, const struct creation *c, struct error *e)
{
	int at = enter(parent, name, shown, c, e);
	int fd = -1;

	if (at == -1)
		return -1;
	if (check_directory(at, shown, e) == 0) {
		fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd == -1)
			system_error(e, errno, "%s", shown);
	}
	close(at);
	return fd;
}

int
directory_open(struct directory *d, const char *path, mode_t create_mode, gid_t create_group,
    struct error *e)
{
	struct creation c = {.mode = create_mode, .group = create_group};
	char clean[LIMIT_PATH];
	const char *last;
	struct stat st;
	int parent, rc = -1;

	*d = (struct directory){.fd = -1};
	parent = walk_from_root(clean, path, &last, e);
	if (parent == -1)
		return -1;
	d->fd = open_checked(parent, last, clean, &c, e);
	close(parent);
	if (d->fd == -1)
		return -1;
	d->path = strdup(clean);
	if (d->path == NULL)
		system_error(e, ENOMEM, "%s", clean);
	else if (fstat(d->fd, &st) == -1)
		system_error(e, errno, "%s", clean);
	else
		rc = 0;
	if (rc == 0)
		d->owner = st.st_uid;
	else
		directory_close(d);
	return rc;
}

/* Whether files can be made in it, and whether by a file system with ACLs. */
static int
try_directory(int fd, const char *shown, struct directory_trial *t, struct error *e)
{
	char link[64]; /* a descriptor of O_PATH has no attributes to ask for */

	if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == -1)
		return system_error(e, errno, "cannot create a file in %s", shown);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	t->acls = getxattr(link, "system.posix_acl_access", NULL, 0) != -1 ||
		  errno != EOPNOTSUPP; /* ENODATA: has them, but none here */
	return 0;
}

int
directory_try(const char *path, struct directory_trial *t, struct error *e)
{
	static const struct creation none = {0};
	char clean[LIMIT_PATH];
	const char *last;
	struct stat st;
	int parent, fd, rc = -1;

	*t = (struct directory_trial){0};
	parent = walk_from_root(clean, path, &last, e);
	if (parent == -1)
		return -1;
	t->missing = fstatat(parent, last, &st, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT;
	fd = t->missing ? openat(parent, ".", COMPONENT)
			: open_checked(parent, last, clean, &none, e);
	if (fd != -1)
		rc = try_directory(fd, clean, t, e);
	else if (t->missing)
		system_error(e, errno, "cannot create %s", clean);
	if (fd != -1)
		close(fd);
	close(parent);
	return rc;
}

void
directory_close(struct directory *d)
{
	if (d->fd != -1)
		close(d->fd);
	free(d->path);
	*d = (struct directory){.fd = -1};
}

int
directory_check(const struct directory *d, struct error *e)
{
	struct stat held, there;

	if (fstat(d->fd, &held) == -1)
		return system_error(e, errno, "%s", d->path);
	if (fstatat(AT_FDCWD, d->path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    held.st_dev == there.st_dev && held.st_ino == there.st_ino)
		return 0;
	return error_set(e, ERROR_UNAVAILABLE,
	    "%s: the directory that was opened was removed, renamed or replaced: start again",
	    d->path);
}

int
directory_list(
    const struct directory *d, directory_visit *visit, void *context, struct error *e)
{
	/* A descriptor of its own: the position in the directory is not shared. */
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *entries = malloc(LIST_BYTES);
	int rc = -1;

	if (fd == -1 || entries == NULL) {
		system_error(e, fd == -1 ? errno : ENOMEM, "cannot list %s", d->path);
		goto out;
	}
	for (;;) {
		ssize_t n = getdents64(fd, entries, LIST_BYTES);

		if (n == -1)
			system_error(e, errno, "cannot list %s", d->path);
		if (n <= 0) {
			rc = (int)n;
			goto out;
		}
		for (ssize_t at = 0; at < n;) {
			/* The kernel aligns each entry. */
			const struct dirent64 *entry = (const void *)(entries + at);

			at += entry->d_reclen;
			if (entry->d_type != DT_DIR && visit(context, entry->d_name) == -1)
				goto out;
		}
	}
out:
	if (fd != -1)
		close(fd);
	free(entries);
	return rc;
}
