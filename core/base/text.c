#include "base/text.h"

#include <stddef.h>

/*
 * How many bytes the character at text has, or 0 when they are not well-formed (RFC 3629, 4):
 * too long a form, a surrogate, beyond U+10FFFF. It takes no memory, so that a name is never
 * taken for a wrong one where memory is short.
 */
static size_t
character(const unsigned char *text)
{
	unsigned char low = 0x80, high = 0xbf; /* of the second byte; of others always these */
	size_t length;

	if (*text < 0x80)
		return 1;
	if (*text < 0xc2 || *text > 0xf4)
		return 0;
	length = *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;
	if (*text == 0xe0)
		low = 0xa0;
	else if (*text == 0xed)
		high = 0x9f;
	else if (*text == 0xf0)
		low = 0x90;
	else if (*text == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	return length;
}

bool
text_clean(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	while (*c != '\0') {
		size_t length = character(c);

		if (length == 0 || *c < ' ' || *c == 0x7f)
			return false;
		c += length;
	}
	return true;
}

void
text_plain(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}
