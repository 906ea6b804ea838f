/* What the file of a revocation says. Pure. For the files of this folder. */
#ifndef STORE_REVOCATION_ENTRY_H
#define STORE_REVOCATION_ENTRY_H

#include <stdint.h>

#include "base/buffer.h"

/* What names begin with. */
#define REVOCATION_TOKEN "token."
#define REVOCATION_SIGNED "signed."
#define REVOCATION_SUBJECT "subject."

/* Times in seconds since 1970, not negative. */
struct revocation_entry {
	int64_t expires;
	int64_t before; /* of a subject; else 0 */
};

enum {
	REVOCATION_DIGITS = 19,
	REVOCATION_ENTRY = 2 * (REVOCATION_DIGITS + 1), /* "EXPIRES BEFORE", and a line's end */
};

void revocation_entry_write(
    char text[REVOCATION_ENTRY + 1], const struct revocation_entry *entry);

/* 0; or -1 when the bytes are something else. */
int revocation_entry_read(struct revocation_entry *out, const struct buffer *bytes);

#endif
