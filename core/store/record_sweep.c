#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/record.h"
#include "store/system_error.h"
#include "store/token_name.h"

enum {
	/* A draft lives for milliseconds. Its age is that of its last change (a clock that
	 * steps meanwhile does no harm: it is locked or in no use). */
	DRAFT_AGE = 60 * 60,
	RECORD_BYTES = 16 * 1024, /* more than any */
};

struct pass {
	struct record_sweep *sweep;
	int64_t now;
	int refused; /* the errno of the first that could not be deleted, or 0 */
};

/* Deletes the name, if it still leads to what is open and nobody else is at it. 1, 0, or -1 and
 * errno. */
static int
remove_unused(const struct pass *p, const char *name, int fd)
{
	const struct directory *d = p->sweep->directory;
	int current;

	if (record_lock(fd, RECORD_USE) == -1 || record_lock(fd, RECORD_DELIVERY) == -1)
		return errno == EAGAIN ? 0 : -1;
	current = record_is_current(d, name, fd);
	if (current != 1)
		return current;
	if (!p->sweep->dry_run && unlinkat(d->fd, name, 0) == -1)
		return errno == ENOENT ? 0 : -1;
	return 1;
}

static int
remove_if_due(const struct pass *p, const char *name, bool draft)
{
	const struct record_sweep *s = p->sweep;
	const char *wrong;
	struct buffer bytes;
	int fd, rc = 0;

	buffer_init(&bytes, RECORD_BYTES);
	fd = record_open(s->directory, name, O_RDWR, &bytes, &wrong);
	if (fd == -1)
		rc = wrong != NULL || errno == ENOENT ? 0 : -1;
	else if (draft || s->is_due(s->context, name, &bytes))
		rc = remove_unused(p, name, fd);
	record_close(fd);
	buffer_free(&bytes);
	return rc;
}

static int
visit(void *context, const char *name)
{
	struct pass *p = context;
	bool draft = token_name_is_temporary(name);
	struct stat st;
	int went;

	if (fstatat(p->sweep->directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    (draft ? st.st_ctim.tv_sec > p->now - DRAFT_AGE
		   : st.st_mtim.tv_sec >= p->sweep->before))
		return 0;
	went = remove_if_due(p, name, draft);
	if (went == 1 && !draft)
		p->sweep->count++;
	if (went == -1 && p->refused == 0)
		p->refused = errno;
	return 0;
}

int
record_sweep(struct record_sweep *sweep, int64_t now, struct error *e)
{
	struct pass p = {.sweep = sweep, .now = now};

	sweep->count = 0;
	if (directory_list(sweep->directory, visit, &p, e) == -1)
		return -1;
	if (p.refused == 0)
		return 0;
	return system_error(e, p.refused, "cannot delete in %s", sweep->directory->path);
}
