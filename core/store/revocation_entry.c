#include "store/revocation_entry.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/parse.h"

void
revocation_entry_write(char text[REVOCATION_ENTRY + 1], const struct revocation_entry *entry)
{
	(void)snprintf(text, REVOCATION_ENTRY + 1, "%019" PRId64 " %019" PRId64 "\n",
	    entry->expires, entry->before);
}

int
revocation_entry_read(struct revocation_entry *out, const struct buffer *bytes)
{
	uint64_t expires, before;

	if (bytes->length != REVOCATION_ENTRY || bytes->data[REVOCATION_DIGITS] != ' ' ||
	    bytes->data[REVOCATION_ENTRY - 1] != '\n' ||
	    parse_number(bytes->data, REVOCATION_DIGITS, INT64_MAX, &expires) == -1 ||
	    parse_number(bytes->data + REVOCATION_DIGITS + 1, REVOCATION_DIGITS, INT64_MAX,
		&before) == -1)
		return -1;
	*out =
	    (struct revocation_entry){.expires = (int64_t)expires, .before = (int64_t)before};
	return 0;
}
