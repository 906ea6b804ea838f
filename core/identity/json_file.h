/* Files of JSON that configure us. */
#ifndef IDENTITY_JSON_FILE_H
#define IDENTITY_JSON_FILE_H

#include <jansson.h>

#include "base/error.h"

/*
 * Reads the JSON object in the file, which nobody but root or our own user may be able to
 * write. ERROR_NO_INPUT, ERROR_CONFIG with FILE:LINE. NULL on failure; else json_decref() it.
 */
json_t *json_file_read(const char *path, struct error *e);

#endif
