#include "identity/freshness.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"

static const char blanks[] = " \t";

/* A span of a field. */
struct span {
	const char *at;
	size_t length;
};

/* Without blanks on either side. */
static struct span
trim(const char *at, size_t length)
{
	size_t before = 0;

	while (before < length && strchr(blanks, at[before]) != NULL)
		before++;
	while (length > before && strchr(blanks, at[length - 1]) != NULL)
		length--;
	return (struct span){at + before, length - before};
}

static bool
is(struct span s, const char *name)
{
	return s.length == strlen(name) && strncasecmp(s.at, name, s.length) == 0;
}

/* Delta-seconds (RFC 9111, 1.2.2), also in quotes; a number that is too large is the most. -1:
 * it is none. */
static int64_t
read_seconds(struct span s)
{
	uint64_t seconds;
	size_t digits = 0;

	if (s.length >= 2 && s.at[0] == '"' && s.at[s.length - 1] == '"')
		s = (struct span){s.at + 1, s.length - 2};
	while (digits < s.length && s.at[digits] >= '0' && s.at[digits] <= '9')
		digits++;
	if (digits == 0 || digits < s.length)
		return -1;
	return parse_number(s.at, s.length, INT32_MAX, &seconds) == 0 ? (int64_t)seconds
								      : INT32_MAX;
}

/* Up to the comma that ends the directive, which is none in quotes. */
static size_t
directive_length(const char *at)
{
	size_t length = 0;
	bool quoted = false;

	for (; at[length] != '\0' && (quoted || at[length] != ','); length++) {
		if (quoted && at[length] == '\\' && at[length + 1] != '\0')
			length++;
		else if (at[length] == '"')
			quoted = !quoted;
	}
	return length;
}

/* What one directive leaves of the seconds. */
static int64_t
apply(struct span directive, int64_t seconds)
{
	const char *equals = memchr(directive.at, '=', directive.length);
	size_t length = equals != NULL ? (size_t)(equals - directive.at) : directive.length;
	struct span name = trim(directive.at, length);
	int64_t given;

	if (is(name, "no-cache") || is(name, "no-store"))
		return 0;
	if (!is(name, "max-age"))
		return seconds;
	given =
	    equals == NULL ? -1 : read_seconds(trim(equals + 1, directive.length - length - 1));
	if (given == -1)
		return 0;
	return seconds == -1 || given < seconds ? given : seconds;
}

int64_t
freshness_of(const char *cache_control, const char *age)
{
	int64_t seconds = -1; /* not said */
	int64_t passed = age != NULL ? read_seconds(trim(age, strlen(age))) : 0;

	for (const char *at = cache_control; at != NULL && *at != '\0';) {
		size_t length = directive_length(at);

		seconds = apply(trim(at, length), seconds);
		at += length + (at[length] == ',');
	}
	if (seconds == -1)
		seconds = FRESHNESS_DEFAULT;
	if (passed > 0)
		seconds -= passed;
	if (seconds < FRESHNESS_LEAST)
		return FRESHNESS_LEAST;
	return seconds < FRESHNESS_MOST ? seconds : FRESHNESS_MOST;
}
