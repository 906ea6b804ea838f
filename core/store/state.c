#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "store/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "store/live.h"
#include "store/refresh.h"
#include "store/revocations.h"
#include "store/system_error.h"

/* In memory that processes share. */
struct bounds {
	struct live_bound refresh;
	struct live_bound revoked;
};

struct state {
	struct directory top;
	struct directory refresh;
	struct directory revoked;
	struct bounds *bounds; /* NULL: none */
	const struct clock *clock;
};

/* More than a token directory needs: nobody else has any business there. */
static int
check_private(const struct directory *d, struct error *e)
{
	struct stat st;

	if (fstat(d->fd, &st) == -1)
		return system_error(e, errno, "%s", d->path);
	if ((st.st_mode & 077) == 0)
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "%s: others may enter it (mode %04o): chmod 0700 it, or name a directory of its "
	    "own",
	    d->path, (unsigned int)(st.st_mode & 07777));
}

static int
open_private(struct directory *d, const char *path, mode_t create, struct error *e)
{
	if (directory_open(d, path, create, (gid_t)-1, e) == -1)
		return -1;
	return check_private(d, e);
}

static int
open_inner(struct directory *d, const struct directory *top, const char *name, mode_t create,
    struct error *e)
{
	char path[LIMIT_PATH];

	/* directory_open() has seen that a file name has room. */
	(void)snprintf(path, sizeof(path), "%s/%s", top->path, name);
	return open_private(d, path, create, e);
}

static int
open_all(struct state **out, const char *path, mode_t create, struct error *e)
{
	struct state *s = malloc(sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return system_error(e, ENOMEM, "%s", path);
	*s = (struct state){.top.fd = -1, .refresh.fd = -1, .revoked.fd = -1};
	if (open_private(&s->top, path, create, e) == -1 ||
	    open_inner(&s->refresh, &s->top, "refresh", create, e) == -1 ||
	    open_inner(&s->revoked, &s->top, "revoked", create, e) == -1) {
		state_close(s);
		return error_prefix(e, "state");
	}
	*out = s;
	return 0;
}

int
state_open(struct state **out, const char *path, struct error *e)
{
	return open_all(out, path, 0700, e);
}

int
state_find(struct state **out, const char *path, struct error *e)
{
	return open_all(out, path, 0, e);
}

void
state_close(struct state *s)
{
	if (s == NULL)
		return;
	directory_close(&s->top);
	directory_close(&s->refresh);
	directory_close(&s->revoked);
	if (s->bounds != NULL)
		(void)munmap(s->bounds, sizeof(*s->bounds));
	free(s);
}

int
state_bound(struct state *s, unsigned int limit, const struct clock *clock, struct error *e)
{
	struct bounds *b =
	    mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		return error_set(e, ERROR_INTERNAL, "mmap: %s", strerror(errno));
	b->refresh.limit = b->revoked.limit = limit;
	b->refresh.records = b->revoked.records = true;
	s->bounds = b;
	s->clock = clock;
	return 0;
}

static struct live_bound *
bound_of(const struct state *s, const struct directory *d)
{
	return d == &s->refresh ? &s->bounds->refresh : &s->bounds->revoked;
}

int
state_take(const struct state *s, const struct directory *d, struct error *e)
{
	return s->bounds == NULL ? 0 : live_take(bound_of(s, d), d, s->clock, e);
}

void
state_give_back(const struct state *s, const struct directory *d)
{
	if (s->bounds != NULL)
		live_give_back(bound_of(s, d));
}

const struct directory *
state_directory(const struct state *s)
{
	return &s->top;
}

const struct directory *
state_refresh(const struct state *s)
{
	return &s->refresh;
}

const struct directory *
state_revoked(const struct state *s)
{
	return &s->revoked;
}

int
state_sweep(const struct state *s, struct state_sweep *sweep, struct error *e)
{
	struct error second;
	int rc = refresh_sweep(s, sweep->now, sweep->dry_run, &sweep->families, e);

	if (revocation_sweep(s, sweep->now, sweep->dry_run, &sweep->revocations,
		rc == 0 ? e : &second) == -1)
		rc = -1;
	return rc;
}
