/*
 * Which key of several signs at a moment, and how long each must stay published. Pure:
 * activation times and a time in, a state out. Nodes that see the same keys come to the same
 * answer with no message between them; those whose clocks differ by seconds, or that see a
 * file minutes late, differ only within what TIMELINE_MARGIN covers.
 */
#ifndef JOSE_TIMELINE_H
#define JOSE_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "jose/algorithm.h"

/* Seconds that a key stays published after the last token it can have signed: what nodes'
 * clocks and the arrival of their key files may differ by. */
enum { TIMELINE_MARGIN = 600 };

enum key_state {
	KEY_STATE_NEXT,    /* its time has not come */
	KEY_STATE_ACTIVE,  /* it signs */
	KEY_STATE_RETIRED, /* a successor signs, but its own tokens may still live */
	KEY_STATE_EXPIRED, /* none of its tokens lives any more */
};

/* When a key starts to sign; its successor is the next of the same algorithm. */
struct period {
	int64_t from; /* seconds since 1970 */
	const struct algorithm *algorithm;
};

/* The state of periods[i] at now. longest is the longest life of a token, in seconds. */
enum key_state timeline_state(
    const struct period *periods, size_t count, size_t i, int64_t now, int64_t longest);

/* When periods[i] expires: the first second in which it is published no more; INT64_MAX
 * while it has no successor. */
int64_t timeline_end(const struct period *periods, size_t count, size_t i, int64_t longest);

/* The one that signs with the algorithm at now, or -1. */
int timeline_active(
    const struct period *periods, size_t count, const struct algorithm *algorithm, int64_t now);

/* The next moment at which a state changes, INT64_MAX when none will. */
int64_t timeline_change(
    const struct period *periods, size_t count, int64_t now, int64_t longest);

/* "next", "active", "retired" or "expired". */
const char *key_state_name(enum key_state state);

#endif
