/*
 * The state directory: what has to be known of tokens after they were handed out, in files that
 * all processes of all programs share. It needs a local file system (renameat2(2), locks).
 *
 *   STATE/refresh   the families of refresh tokens: see refresh.h
 *   STATE/revoked   what was revoked: see revocations.h
 *   STATE/tries     how often passwords were tried: see tries.h
 *
 * All of it is for our own user's eyes: directories 0700, files 0600. A NULL pointer to a
 * struct state stands for a configuration without one.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/directory.h"

struct state;

/*
 * Opens the directory at path and those in it, and creates what is missing; its parent must
 * exist. What is refused, and errors, are those of directory_open(), and ERROR_CONFIG when
 * group or others may do anything there. *out is NULL on failure; else state_close() it.
 */
int state_open(struct state **out, const char *path, struct error *e);

/* The same, and creates nothing: what is missing is ERROR_CONFIG. */
int state_find(struct state **out, const char *path, struct error *e);
void state_close(struct state *s);

/*
 * Bounds how many files STATE/refresh may have, and STATE/revoked, at what is made from now on
 * by s, also in processes that are forked: users make both. 0 is no limit, as without this. The
 * clock must outlive s. 0, or -1 and ERROR_INTERNAL.
 */
int state_bound(
    struct state *s, unsigned int limit, const struct clock *clock, struct error *e);

/* Takes the room of one more file in d, one of the two; to be given back if none is made. 0, or
 * -1: ERROR_LIMITED, ERROR_UNAVAILABLE. For the files of this folder. */
int state_take(const struct state *s, const struct directory *d, struct error *e);
void state_give_back(const struct state *s, const struct directory *d);

/* The directories: the state's own, STATE/refresh, STATE/revoked. */
const struct directory *state_directory(const struct state *s);
const struct directory *state_refresh(const struct state *s);
const struct directory *state_revoked(const struct state *s);

/*
 * How long what has expired stays before a sweep deletes it, in seconds: when the clock was an
 * hour ahead, what went too early cannot be brought back, and a revocation would be undone.
 */
enum { STATE_GRACE = 24 * 60 * 60 };

struct state_sweep {
	int64_t now;     /* seconds since 1970 */
	bool dry_run;    /* only count */
	size_t families; /* how many went */
	size_t revocations;
};

/* Deletes what has expired, and what killed processes left behind. 0, or -1 and
 * ERROR_UNAVAILABLE or ERROR_NO_PERMISSION; what can be deleted is, first. */
int state_sweep(const struct state *s, struct state_sweep *sweep, struct error *e);

#endif
