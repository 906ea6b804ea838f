/* Base64url without padding (RFC 4648, 5; RFC 7515, 2). */
#ifndef BASE_BASE64URL_H
#define BASE_BASE64URL_H

#include <stddef.h>

#include "base/buffer.h"

/* The length of the encoding of length bytes. */
#define BASE64URL_LENGTH(length) (((length)*4 + 2) / 3)

/* Appends the encoding of bytes. 0, or -1 as buffer_append. */
int base64url_append(struct buffer *b, const void *bytes, size_t length);

/*
 * Appends the bytes that length bytes of text encode. Only what base64url_append() writes is
 * taken: no padding, no other alphabet, no blanks, no bits left over that are not zero. 0, or
 * -1 when text is something else or the bytes do not fit; the buffer is then as it was.
 */
int base64url_decode(struct buffer *b, const char *text, size_t length);

#endif
