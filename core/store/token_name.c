#include "store/token_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

static const char suffix[] = ".token";
static const char temporary_prefix[] = ".tmp-";
static const char hex_lower[] = "0123456789abcdef";

/* The first time whose decimal form has 19 digits. */
static const int64_t earliest = NANOSECONDS * NANOSECONDS;

enum { DIGITS = 19, TEMPORARY_BYTES = 16 };

/* Whether a byte of a subject stands in the name as it is. No locale: ASCII alone. */
static bool
is_plain(unsigned char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '_')
		return true;
	return !first && (c == '.' || c == '@' || c == '+' || c == '-');
}

int
token_name_join(char name[LIMIT_FILE_NAME], const char *stem, int64_t time)
{
	int n;

	if (*stem == '\0' || time < earliest)
		return -1;
	n = snprintf(name, LIMIT_FILE_NAME, "%s.%" PRId64 "%s", stem, time, suffix);
	return (size_t)n < LIMIT_FILE_NAME ? 0 : -1;
}

int
token_name_format(char name[LIMIT_FILE_NAME], const char *subject, int64_t time)
{
	static const char hex[] = "0123456789ABCDEF";
	char stem[LIMIT_FILE_NAME];
	size_t n = 0;

	for (const char *s = subject; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (n + 3 >= sizeof(stem))
			return -1;
		if (is_plain(c, s == subject)) {
			stem[n++] = *s;
			continue;
		}
		stem[n++] = '%';
		stem[n++] = hex[c >> 4];
		stem[n++] = hex[c & 15];
	}
	stem[n] = '\0';
	return token_name_join(name, stem, time);
}

/* The value of an upper-case hexadecimal digit, or 16. */
static unsigned int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 16;
}

/* Whether the bytes are what encoding a subject gives: "%41" is not, for an 'A' stays. */
static bool
is_stem(const char *stem, size_t length)
{
	size_t i = 0;

	while (i < length) {
		unsigned int high, low, c;

		if (is_plain((unsigned char)stem[i], i == 0)) {
			i++;
			continue;
		}
		if (stem[i] != '%' || length - i < 3)
			return false;
		high = digit_value(stem[i + 1]);
		low = digit_value(stem[i + 2]);
		c = high << 4 | low;
		if (high > 15 || low > 15 || c == 0 || is_plain((unsigned char)c, i == 0))
			return false;
		i += 3;
	}
	return length > 0;
}

int
token_name_parse(const char *name, int64_t *time)
{
	size_t length = strlen(name);
	const char *tail;
	uint64_t n;

	if (length <= TOKEN_NAME_TAIL || length >= LIMIT_FILE_NAME)
		return -1;
	tail = name + length - TOKEN_NAME_TAIL;
	if (*tail != '.' || memcmp(tail + 1 + DIGITS, suffix, sizeof(suffix)) != 0 ||
	    parse_number(tail + 1, DIGITS, INT64_MAX, &n) == -1 || n < (uint64_t)earliest ||
	    !is_stem(name, length - TOKEN_NAME_TAIL))
		return -1;
	*time = (int64_t)n;
	return 0;
}

int
token_name_temporary(char name[LIMIT_FILE_NAME], const struct entropy *entropy)
{
	uint8_t random[TEMPORARY_BYTES];
	char *to = name + sizeof(temporary_prefix) - 1;

	if (entropy_fill(entropy, random, sizeof(random)) == -1)
		return -1;
	memcpy(name, temporary_prefix, sizeof(temporary_prefix));
	for (size_t i = 0; i < sizeof(random); i++) {
		*to++ = hex_lower[random[i] >> 4];
		*to++ = hex_lower[random[i] & 15];
	}
	*to = '\0';
	return 0;
}

bool
token_name_is_temporary(const char *name)
{
	const char *random = name + sizeof(temporary_prefix) - 1;

	return strncmp(name, temporary_prefix, sizeof(temporary_prefix) - 1) == 0 &&
	       strspn(random, hex_lower) == (size_t)2 * TEMPORARY_BYTES &&
	       random[(size_t)2 * TEMPORARY_BYTES] == '\0';
}
