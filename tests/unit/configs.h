/* What tests of the configuration share: files that are good, and tables of what is wrong with
 * one. Whatever is not as it should be ends the test. Files are called t.conf. */
#ifndef TESTS_UNIT_CONFIGS_H
#define TESTS_UNIT_CONFIGS_H

#include <stddef.h>

#include "config/config.h"

/* One with its defaults, and one that text says, which is good. */
struct config configs_defaults(void);
struct config configs_parse(const char *text);

struct configs_mistake {
	const char *text;
	const char *where;  /* the beginning of the error */
	const char *reason; /* somewhere behind the file and the line */
};

/* Each is refused, in one line. */
void configs_refused(const struct configs_mistake *rows, size_t count);

/* The items of the list are these, which a | parts. */
void configs_list(const struct strings *list, const char *items);

#endif
