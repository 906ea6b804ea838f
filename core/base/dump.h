/* JSON as text. */
#ifndef BASE_DUMP_H
#define BASE_DUMP_H

#include <jansson.h>

/*
 * As json_dumps(3), whose text may lack something where memory ends meanwhile: here it is
 * whole, or NULL. To be freed with free().
 */
char *dump_json(const json_t *value, size_t flags);

#endif
