/*
 * The names of token files: SUBJECT.NANOSECONDS.token, and nobody else's knowledge.
 * Bytes of a subject outside [A-Za-z0-9._@+-] are percent-encoded in the name, so any
 * subject has one name and a name leads back to at most one subject. A name is parsed
 * from the right, since a subject may hold dots and digits.
 */
#ifndef STORE_TOKEN_NAME_H
#define STORE_TOKEN_NAME_H

#include <stdint.h>

#include "base/limits.h"

/* Writes the name of a token of subject made at time (nanoseconds since 1970, of 19
 * digits: from 2001 to 2286). 0, or -1 when it does not fit a file name. */
int token_name_format(char name[LIMIT_FILE_NAME], const char *subject, int64_t time);

/* Whether name has the grammar above; then *time is the time in it. */
int token_name_parse(const char *name, int64_t *time);

#endif
