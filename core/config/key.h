/* One key of a configuration: its name, its default, and how its text becomes a field.
 * For the files of this folder. */
#ifndef CONFIG_KEY_H
#define CONFIG_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

/*
 * Makes value the field's. 0, or -1 and *wanted, which says what the value should have
 * been. A string that was there is freed; an item is added to a list.
 */
typedef int key_setter(void *field, const char *value, const char **wanted);

key_setter key_set_string, key_set_path, key_set_duration, key_set_count, key_set_workers,
    key_set_bool, key_set_kid, key_set_mode, key_set_access, key_set_log, key_set_sandbox,
    key_set_audit, key_set_files, key_set_type, key_set_item, key_set_some, key_set_rename,
    key_set_resolver, key_set_order, key_set_most, key_set_timeout, key_set_skew, key_set_grant,
    key_set_percent, key_set_tries, key_set_delay, key_set_loopback, key_set_format,
    key_set_account, key_set_refused, key_set_signal;

/* libconfuse gives every scalar as text, so that a file and a flag go through the same
 * function. */
struct key_row {
	const char *name;
	const char *initial; /* NULL: the field stays zero */
	key_setter *set;
	size_t offset; /* of the field in its struct */
};

/* Whether the key's field is a struct strings, each item of which is set. A list that is set by
 * key_set_some is not given empty. */
bool key_is_list(const struct key_row *key);

/* The row called name, NULL when there is none. */
const struct key_row *key_find(const struct key_row *keys, size_t count, const char *name);

/* Sets the key's field of the struct at base; where stands in errors. ERROR_CONFIG. */
int key_set(const struct key_row *key, void *base, const char *value, const char *where,
    struct error *e);

/* Sets the fields of the struct at base to their defaults. */
int key_set_initial(const struct key_row *keys, size_t count, void *base, struct error *e);

/* The key's field of the struct at base, as a list. */
struct strings *key_list(const struct key_row *key, void *base);

void key_list_empty(struct strings *list);

/* Frees what the keys' fields own. */
void key_free_fields(const struct key_row *keys, size_t count, void *base);

#endif
