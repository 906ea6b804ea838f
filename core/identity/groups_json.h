/* Groups as JSON. */
#ifndef IDENTITY_GROUPS_JSON_H
#define IDENTITY_GROUPS_JSON_H

#include <jansson.h>

/* An array of the groups, each of which ends in a newline; NULL when memory is short, else
 * json_decref() it. */
json_t *groups_json(const char *groups);

#endif
