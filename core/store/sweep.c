#include "store/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/system_error.h"
#include "store/token_name.h"

/* A temporary file this young belongs to a mint that goes on. */
static const int64_t temporary_age = NANOSECONDS;

/*
 * Whether a file of a foreign owner is one that publishing gave to its subject: private,
 * and in a directory where nobody but us and root could have put it.
 */
static bool
was_given_away(const struct directory *d, const struct stat *file)
{
	struct stat st;

	return (file->st_mode & 077) == 0 && fstat(d->fd, &st) == 0 &&
	       (st.st_mode & 022) == 0 && (geteuid() == 0 || geteuid() == st.st_uid);
}

/* The common case first, which takes no system call: the directory is ours. */
static bool
is_ours(const struct directory *d, const struct stat *file)
{
	return file->st_uid == d->owner || file->st_uid == geteuid() || was_given_away(d, file);
}

/* Why the file must stay, or NULL. */
static const char *
reason_to_keep(const struct directory *d, const char *name, const struct stat *st)
{
	/* A process killed between linking its token and dropping the temporary name. */
	nlink_t links = token_name_is_temporary(name) ? 2 : 1;

	if (S_ISLNK(st->st_mode))
		return "a symbolic link";
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (st->st_nlink > links)
		return "it has another link";
	if (!is_ours(d, st))
		return "it belongs to another user";
	return NULL;
}

int
sweep_file(const struct directory *d, const struct sweep_options *o, const char *name)
{
	struct stat st;
	const char *reason;

	if (fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	reason = reason_to_keep(d, name, &st);
	if (reason != NULL) {
		if (o->kept != NULL)
			o->kept(o->context, name, reason);
		return 0;
	}
	if (!o->dry_run && unlinkat(d->fd, name, 0) == -1)
		return errno == ENOENT ? 0 : -1;
	if (o->deleted != NULL)
		o->deleted(o->context, name);
	return 1;
}

int
sweep_delete(const struct directory *d, const char *name, bool dry_run)
{
	struct sweep_options quiet = {.dry_run = dry_run};

	return sweep_file(d, &quiet, name);
}

bool
sweep_is_linked(const struct directory *d, const char *name)
{
	struct stat st;

	return fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_nlink > 1;
}

/* One call of sweep_once(). */
struct pass {
	const struct directory *directory;
	const struct sweep_options *options;
	int64_t now;
	size_t count;
	size_t refused; /* files that the system did not let us delete */
	int refused_errno;
	bool again; /* a temporary file went: its token file now has one link */
};

static bool
is_due(int64_t made, int64_t now, int64_t max_age)
{
	int64_t age = now - made;

	return age >= max_age || age < -max_age;
}

static bool
is_temporary_due(const struct pass *p, const char *name)
{
	int64_t max_age = p->options->max_age;
	struct stat st;

	if (max_age < temporary_age)
		max_age = temporary_age;
	if (fstatat(p->directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	/* Whoever may write there may have set any time; of one so far off it is not. */
	if (st.st_mtim.tv_sec < 0 || st.st_mtim.tv_sec > INT64_MAX / NANOSECONDS / 2)
		return true;
	return is_due(st.st_mtim.tv_sec * NANOSECONDS + st.st_mtim.tv_nsec, p->now, max_age);
}

static int
visit(void *context, const char *name)
{
	struct pass *p = context;
	bool temporary = false;
	int64_t made;
	int went;

	if (token_name_parse(name, &made) == 0) {
		if (!is_due(made, p->now, p->options->max_age))
			return 0;
	} else {
		temporary = token_name_is_temporary(name) && is_temporary_due(p, name);
		if (!temporary)
			return 0;
	}
	went = sweep_file(p->directory, p->options, name);
	if (went == 1) {
		p->count++;
		p->again = p->again || (temporary && !p->options->dry_run);
	} else if (went == -1 && p->refused++ == 0) {
		p->refused_errno = errno;
	}
	return 0;
}

int
sweep_once(const struct directory *d, const struct sweep_options *o, const struct clock *clock,
    size_t *count, struct error *e)
{
	struct pass p = {.directory = d, .options = o, .now = clock_realtime(clock)};
	int rc = 0;

	do {
		p.again = false;
		p.refused = 0;
		rc = directory_list(d, visit, &p, e);
	} while (rc == 0 && p.again);
	*count = p.count;
	if (rc == 0 && p.refused > 0)
		rc = system_error(e, p.refused_errno, "cannot delete %zu token files in %s",
		    p.refused, d->path);
	return rc;
}
