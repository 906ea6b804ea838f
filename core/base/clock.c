#define _GNU_SOURCE /* getrandom, CLOCK_BOOTTIME, strptime, timegm */
#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t
read_clock(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t); /* cannot fail: the clock exists, t is ours */
	return (int64_t)t.tv_sec * NANOSECONDS + t.tv_nsec;
}

static int64_t
system_realtime(void *state)
{
	(void)state;
	return read_clock(CLOCK_REALTIME);
}

static int64_t
system_monotonic(void *state)
{
	(void)state;
	return read_clock(CLOCK_BOOTTIME);
}

static int
system_fill(void *state, void *bytes, size_t length)
{
	char *to = bytes;

	(void)state;
	while (length > 0) {
		ssize_t n = getrandom(to, length, 0);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		to += n;
		length -= (size_t)n;
	}
	return 0;
}

const struct clock clock_system = {.realtime = system_realtime, .monotonic = system_monotonic};
const struct entropy entropy_system = {.fill = system_fill};

int
clock_format_utc(char text[CLOCK_UTC_SIZE], int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	*text = '\0';
	if (gmtime_r(&time, &tm) == NULL || tm.tm_year < 0 || tm.tm_year > 9999 - 1900)
		return -1;
	return strftime(text, CLOCK_UTC_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0 ? 0 : -1;
}

int
clock_parse_utc(const char *text, int64_t *seconds)
{
	char again[CLOCK_UTC_SIZE];
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	int64_t value;

	if (end == NULL || *end != '\0')
		return -1;
	value = timegm(&tm);
	/* Blanks, short numbers and the 31st of June go through strptime(3). */
	if (clock_format_utc(again, value) == -1 || strcmp(again, text) != 0)
		return -1;
	*seconds = value;
	return 0;
}

int64_t
clock_add(int64_t seconds, int64_t more)
{
	return seconds > INT64_MAX - more ? INT64_MAX : seconds + more;
}

int64_t
clock_realtime(const struct clock *c)
{
	return c->realtime(c->state);
}

int64_t
clock_monotonic(const struct clock *c)
{
	return c->monotonic(c->state);
}

int
entropy_fill(const struct entropy *e, void *bytes, size_t length)
{
	return e->fill(e->state, bytes, length);
}
