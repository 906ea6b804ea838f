/* What the file of a family says, as a struct and as JSON. Pure. For the files of this folder.
 */
#ifndef STORE_REFRESH_RECORD_H
#define STORE_REFRESH_RECORD_H

#include <stdbool.h>

#include "base/buffer.h"
#include "jose/digest.h"
#include "store/refresh.h"
#include "store/refresh_head.h"

struct refresh_record {
	bool confirmed; /* as in its head */
	char proof[DIGEST_TEXT];
	char current[DIGEST_TEXT];  /* of the secret of the newest token */
	char previous[DIGEST_TEXT]; /* of that of the one before; "": none */
	int64_t used;               /* when the newest token was made, seconds since 1970 */
	struct refresh_limits limits;
	struct refresh_family family;
};

enum { REFRESH_RECORD = 8 * 1024 }; /* bytes of a file at most */

/* Appends the bytes. 0, or -1 and ERROR_MALFORMED, ERROR_UNAVAILABLE. */
int refresh_record_write(const struct refresh_record *r, struct buffer *bytes, struct error *e);

/* Reads what refresh_record_write() writes: nothing missing, nothing more, nothing too long. 0;
 * or 1 where memory ended, -1 where that is not what the bytes are, and *r is zeroed. */
int refresh_record_read(struct refresh_record *r, const struct buffer *bytes);

/* When the family ends by itself, by its own limits. */
int64_t refresh_record_due(const struct refresh_record *r);

#endif
