/* A list of strings, as configuration has them. */
#ifndef BASE_STRINGS_H
#define BASE_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

struct strings {
	char **items;
	size_t count;
};

/* Whether the list has text. */
bool strings_have(const struct strings *list, const char *text);

#endif
