/* The first line of a family's file, "CONFIRMED DUE": what a sweep and a confirmation need of
 * it. Pure. For the files of this folder. */
#ifndef STORE_REFRESH_HEAD_H
#define STORE_REFRESH_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* What the name of a family's file begins with. */
#define REFRESH_PREFIX "family."

struct refresh_head {
	bool confirmed; /* that the newest token was handed out; else the one before is good too
			 */
	int64_t due;    /* when the family ends by itself, by its own limits; not negative */
};

enum {
	REFRESH_DIGITS = 19,
	REFRESH_HEAD = 1 + 1 + REFRESH_DIGITS + 1,
	/* Where the digit is that says whether it is confirmed, so that this one thing can be
	 * changed in place: it is one byte, which is the old or the new one. */
	REFRESH_CONFIRMED = 0,
};

void refresh_head_write(char text[REFRESH_HEAD + 1], const struct refresh_head *head);

/* 0; or -1 when the bytes begin with something else. */
int refresh_head_read(struct refresh_head *out, const struct buffer *bytes);

#endif
