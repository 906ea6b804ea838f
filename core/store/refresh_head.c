#include "store/refresh_head.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/parse.h"

void
refresh_head_write(char text[REFRESH_HEAD + 1], const struct refresh_head *head)
{
	(void)snprintf(text, REFRESH_HEAD + 1, "%c %019" PRId64 "\n",
	    head->confirmed ? '1' : '0', head->due);
}

int
refresh_head_read(struct refresh_head *out, const struct buffer *bytes)
{
	const char *text = bytes->data;
	uint64_t due;

	if (bytes->length < REFRESH_HEAD || (text[0] != '0' && text[0] != '1') ||
	    text[1] != ' ' || text[REFRESH_HEAD - 1] != '\n' ||
	    parse_number(text + 2, REFRESH_DIGITS, INT64_MAX, &due) == -1)
		return -1;
	*out = (struct refresh_head){.confirmed = text[0] == '1', .due = (int64_t)due};
	return 0;
}
