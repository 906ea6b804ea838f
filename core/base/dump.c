#define _GNU_SOURCE /* explicit_bzero */
#include "base/dump.h"

#include <stdlib.h>
#include <string.h>

char *
dump_json(const json_t *value, size_t flags)
{
	/* The room is there before the first byte is written. */
	size_t length = json_dumpb(value, NULL, 0, flags);
	char *text = length > 0 ? malloc(length + 1) : NULL;

	if (text == NULL)
		return NULL;
	if (json_dumpb(value, text, length, flags) != length) {
		explicit_bzero(text, length);
		free(text);
		return NULL;
	}
	text[length] = '\0';
	return text;
}
