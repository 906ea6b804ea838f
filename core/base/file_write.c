#define _DEFAULT_SOURCE /* O_CLOEXEC and friends, fchown */
#include "base/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/write.h"

/* A file that is being written. */
struct draft {
	const char *path;                /* as given, for messages */
	const char *name;                /* its last component */
	int directory;                   /* -1: not open */
	int fd;                          /* -1: not open */
	char temporary[LIMIT_FILE_NAME]; /* empty: no such file */
};

static int
refuse(const struct draft *f, int number, struct error *e)
{
	if (number == EEXIST)
		return error_set(e, ERROR_DENIED, "%s: exists already", f->path);
	return error_set(e,
	    number == EACCES || number == EPERM ? ERROR_NO_PERMISSION : ERROR_UNAVAILABLE,
	    "%s: cannot be written: %s", f->path, strerror(number));
}

static int
draft_open(struct draft *f, const char *path, struct error *e)
{
	const char *slash = strrchr(path, '/');
	char folder[LIMIT_PATH] = ".";
	uint64_t random;

	*f = (struct draft){.path = path, .directory = -1, .fd = -1};
	f->name = slash == NULL ? path : slash + 1;
	if (strlen(path) >= sizeof(folder) || strlen(f->name) + 24 > sizeof(f->temporary))
		return error_set(e, ERROR_CONFIG, "%.256s: the path is too long", path);
	if (*f->name == '\0')
		return error_set(e, ERROR_CONFIG, "%s: not the name of a file", path);
	if (slash != NULL)
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(f->name - path), path);
	f->directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->directory == -1 || entropy_fill(&entropy_system, &random, sizeof(random)) == -1)
		return refuse(f, errno, e);
	(void)snprintf(f->temporary, sizeof(f->temporary), ".%s.%016" PRIx64, f->name, random);
	f->fd = openat(f->directory, f->temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd != -1)
		return 0;
	*f->temporary = '\0'; /* not ours to remove */
	return refuse(f, errno, e);
}

static void
draft_close(struct draft *f)
{
	if (f->fd != -1)
		close(f->fd);
	if (*f->temporary != '\0')
		(void)unlinkat(f->directory, f->temporary, 0);
	if (f->directory != -1)
		close(f->directory);
}

static int
draft_fill(const struct draft *f, const void *bytes, size_t length,
    const struct file_form *form, struct error *e)
{
	/* The mode last: a change of group may clear bits of it. */
	if (write_all(f->fd, bytes, length) == -1 ||
	    (form->group != (gid_t)-1 && fchown(f->fd, (uid_t)-1, form->group) == -1) ||
	    fchmod(f->fd, form->mode) == -1 || fsync(f->fd) == -1)
		return refuse(f, errno, e);
	return 0;
}

static int
draft_name(struct draft *f, bool replace, struct error *e)
{
	int rc = replace ? renameat(f->directory, f->temporary, f->directory, f->name)
			 : linkat(f->directory, f->temporary, f->directory, f->name, 0);

	if (rc == -1)
		return refuse(f, errno, e);
	if (replace)
		*f->temporary = '\0';
	/* The name's way to the disk: a file system that cannot has done what it can. */
	(void)fsync(f->directory);
	return 0;
}

int
file_write(const char *path, const void *bytes, size_t length, const struct file_form *form,
    struct error *e)
{
	struct draft f;
	int rc = draft_open(&f, path, e);

	if (rc == 0)
		rc = draft_fill(&f, bytes, length, form, e);
	if (rc == 0)
		rc = draft_name(&f, form->replace, e);
	draft_close(&f);
	return rc;
}
