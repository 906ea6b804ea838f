/* The programs that belong to us. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/error.h"

/* Writes the path of the program called name, which is beside our own executable or in
 * ../lib/authserver from there. ERROR_UNAVAILABLE when it is in neither. */
int program_find(char path[LIMIT_PATH], const char *name, struct error *e);

#endif
