#include "service/form.h"

#include <string.h>

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
form_decode(char *to, size_t size, const char *from, size_t length)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++) {
		int c = (unsigned char)from[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int high = i + 2 < length ? hex_digit(from[i + 1]) : -1;
			int low = i + 2 < length ? hex_digit(from[i + 2]) : -1;

			if (high == -1 || low == -1)
				return -1;
			c = high << 4 | low;
			i += 2;
		}
		if (c < ' ' || c == 0x7f || n + 1 >= size)
			return -1;
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return (int)n;
}

const char *
form_find(const char *form, size_t size, const char *name, size_t *length, _Bool *twice)
{
	const size_t wanted = strlen(name);
	const char *found = NULL;

	*length = 0;
	*twice = 0;
	for (size_t at = 0; at < size;) {
		const char *field = form + at;
		const char *end = memchr(field, '&', size - at);
		size_t whole = end != NULL ? (size_t)(end - field) : size - at;

		at += whole + 1;
		if (whole <= wanted || memcmp(field, name, wanted) != 0 || field[wanted] != '=')
			continue;
		*twice = found != NULL;
		found = field + wanted + 1;
		*length = whole - wanted - 1;
	}
	return found;
}
