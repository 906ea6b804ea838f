/* SHA-256 as text, for names of contents. */
#ifndef JOSE_DIGEST_H
#define JOSE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { DIGEST_TEXT = 44 }; /* base64url of 32 bytes, and a NUL */

/* 0, or -1 and ERROR_UNAVAILABLE. */
int digest_text(char text[DIGEST_TEXT], const void *bytes, size_t length, struct error *e);

/* Whether two are the same, in a time that does not tell where they differ. */
bool digest_equal(const char a[DIGEST_TEXT], const char b[DIGEST_TEXT]);

#endif
