/*
 * Time and randomness as values that are passed in, so that a test can say what
 * time it is and which bytes are drawn.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NANOSECONDS 1000000000LL /* in a second */

struct clock {
	int64_t (*realtime)(void *state);  /* nanoseconds since 1970, UTC; may step */
	int64_t (*monotonic)(void *state); /* nanoseconds since some start; never steps */
	void *state;
};

/* The kernel's CLOCK_REALTIME and CLOCK_BOOTTIME (it counts suspended time too). */
extern const struct clock clock_system;

/*
 * Writes "2026-11-22T00:00:00Z" (RFC 3339) for seconds since 1970. 0, or -1 and "" when the
 * year has not four digits.
 */
enum { CLOCK_UTC_SIZE = 21 };
int clock_format_utc(char text[CLOCK_UTC_SIZE], int64_t seconds);

/* The time that such a text says. 0, or -1 and *seconds untouched when it is none. */
int clock_parse_utc(const char *text, int64_t *seconds);

/* What is so many seconds later, 0 or more, or the last second that there is: tokens may name
 * any time. */
int64_t clock_add(int64_t seconds, int64_t more);

int64_t clock_realtime(const struct clock *c);
int64_t clock_monotonic(const struct clock *c);

struct entropy {
	int (*fill)(void *state, void *bytes, size_t length); /* 0, or -1 and errno */
	void *state;
};

/* getrandom(2). */
extern const struct entropy entropy_system;

int entropy_fill(const struct entropy *e, void *bytes, size_t length);

#endif
