/* The keys of a file or of a section in one, read by libconfuse. */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include <stddef.h>

#include "base/error.h"
#include "config/key.h"

enum { TABLE_KEYS = 64 }; /* more than any has */

struct table {
	const struct key_row *rows;
	size_t count;
};

/*
 * Reads the file at path, which has these keys and no sections, into the struct at base; its
 * fields are the caller's to free, on failure too. ERROR_CONFIG, ERROR_NO_INPUT.
 */
int table_read(void *base, const struct table *keys, const char *path, struct error *e);

/* --- for files with sections; the structs are libconfuse's --- */

struct cfg_t;
struct cfg_opt_t;

/* What libconfuse is to read, behind what it is to read already; of a name that two sources
 * have, once. */
void table_describe(struct cfg_opt_t *options, const struct table *keys);

/* Has libconfuse read text, which is clean and called name. *cfg, unless it is NULL, is the
 * caller's to free, on failure too. ERROR_CONFIG. */
int table_parse(struct cfg_t **cfg, struct cfg_opt_t *options, const char *text,
    const char *name, struct error *e);

/* Gives the values of the keys in a section to the fields of the struct at base. ERROR_CONFIG.
 */
int table_take(void *base, const struct table *keys, struct cfg_t *section, const char *name,
    struct error *e);

#endif
