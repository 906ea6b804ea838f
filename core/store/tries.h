/*
 * How often passwords of one user were tried lately, in one file of fixed size that all
 * processes share: STATE/tries. Wrong and right passwords, users that exist and names that do
 * not count alike, so that nothing is told by what is counted.
 *
 * A user may try so many passwords at once, and then one each time the window's share of a try
 * has passed. What is kept of a user is one number, the time by which all his tries will be
 * forgotten, in one of the eight slots that a hash of his name leads to. The hash is keyed with
 * a seed of the file's own: nobody outside can tell which names meet.
 *
 * A flood of names. Where eight others are being counted, a newcomer takes the slot of the one
 * who is forgotten first, so that a flood locks nobody out. Nor does it free a user's counter
 * cheaply: the slot of one who tried N times goes only for eight others with N tries in the
 * same slots, and since none can be aimed, that takes about as many tries as the whole file has
 * slots, 16,384, for each guess that is won. Whoever tries a user's passwords does keep him
 * from logging in by password: that is what a limit for a user means.
 */
#ifndef STORE_TRIES_H
#define STORE_TRIES_H

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/state.h"

struct tries;

struct tries_limits {
	unsigned int most; /* at once; at least 1 */
	int64_t window;    /* seconds in which that many are forgotten; at least 1 */
};

/*
 * Opens the file, which is made when it is missing. For one thread; others, and other
 * processes, open it themselves. ERROR_UNAVAILABLE, ERROR_NO_PERMISSION, ERROR_CONFIG when the
 * file is not one of ours. *out is NULL on failure; else tries_close() it.
 */
int tries_open(
    struct tries **out, const struct state *s, const struct entropy *entropy, struct error *e);
void tries_close(struct tries *t);

/*
 * Counts one try of the user's password at now, seconds since 1970: before it is checked, so
 * that guesses that are made at the same time count. 0, or -1 and ERROR_LIMITED: over the
 * limit, not counted, and *wait gets the seconds until the next may be made, at least 1.
 * ERROR_UNAVAILABLE when it cannot be counted; *wait is then 0.
 */
int tries_admit(struct tries *t, const char *user, const struct tries_limits *limits,
    int64_t now, int64_t *wait, struct error *e);

/* The try that was counted last came to nothing: it was not checked. One is taken off again. */
void tries_return(struct tries *t, const char *user, const struct tries_limits *limits);

/* The password was right: the user's tries are forgotten. */
void tries_forgive(struct tries *t, const char *user);

#endif
