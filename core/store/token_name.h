/*
 * The names of token files: SUBJECT.NANOSECONDS.token, and nobody else's knowledge.
 * Bytes of a subject outside [A-Za-z0-9._@+-] are percent-encoded in the name, and so is
 * a first byte outside [A-Za-z0-9_], so that no name is hidden or looks like a flag. Any
 * subject has one name and a name leads back to at most one subject. A name is parsed
 * from the right, since a subject may hold dots and digits.
 *
 * Where the file system has no unnamed files, a token is written under a temporary name
 * first: ".tmp-" and 32 hexadecimal digits.
 */
#ifndef STORE_TOKEN_NAME_H
#define STORE_TOKEN_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/limits.h"

/* How many bytes of a name stand behind its subject: ".NANOSECONDS.token". */
enum { TOKEN_NAME_TAIL = 1 + 19 + 6 };

/* Writes the name of a token of subject made at time (nanoseconds since 1970, of 19
 * digits: from 2001 to 2262). 0, or -1 when it does not fit a file name. */
int token_name_format(char name[LIMIT_FILE_NAME], const char *subject, int64_t time);

/* The same for the part of a name before its tail, where the subject is encoded already. */
int token_name_join(char name[LIMIT_FILE_NAME], const char *stem, int64_t time);

/* Whether name is one that token_name_format() writes: 0 and *time is the time in it,
 * or -1. */
int token_name_parse(const char *name, int64_t *time);

/* Draws a temporary name. 0, or -1 and errno. */
int token_name_temporary(char name[LIMIT_FILE_NAME], const struct entropy *entropy);

bool token_name_is_temporary(const char *name);

#endif
