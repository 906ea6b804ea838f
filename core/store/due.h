/*
 * Names and when each is due, in order: what the watch mode remembers of every live
 * file. Packed, since there may be tens of thousands; memory goes back to the system as
 * names leave.
 */
#ifndef STORE_DUE_H
#define STORE_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct due_queue;

/* NULL when memory is short. */
struct due_queue *due_new(void);
void due_free(struct due_queue *q);

/* Adds a name, of a token file or any other of at most NAME_MAX bytes. Cheap when it is
 * due no earlier than all others. 0, or -1 when memory is short. */
int due_add(struct due_queue *q, const char *name, int64_t due);

size_t due_count(const struct due_queue *q);

/* The name that is due first. 1, 0 when there is none, -1 when memory is short. */
int due_first(struct due_queue *q, char name[LIMIT_FILE_NAME], int64_t *due);

/* Drops what due_first() gave last. */
void due_drop(struct due_queue *q);

/*
 * The names that are in a queue, to look many up. NULL when memory is short. Names that
 * are added later are not in it; it ends before a name is dropped.
 */
struct due_index;
struct due_index *due_index_new(const struct due_queue *q);
bool due_index_has(const struct due_index *i, const char *name);
void due_index_free(struct due_index *i);

#endif
