#include "base/base64url.h"

#include <stdint.h>

int
base64url_append(struct buffer *b, const void *bytes, size_t length)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *in = bytes;
	size_t encoded = BASE64URL_LENGTH(length);
	char *to = buffer_reserve(b, encoded);
	uint32_t bits = 0;
	unsigned int held = 0; /* how many low bits of bits are not written yet */

	if (to == NULL)
		return -1;
	for (size_t i = 0; i < length; i++) {
		bits = bits << 8 | in[i];
		for (held += 8; held >= 6; held -= 6)
			*to++ = alphabet[bits >> (held - 6) & 63];
	}
	if (held > 0)
		*to++ = alphabet[bits << (6 - held) & 63];
	*to = '\0';
	b->length += encoded;
	return 0;
}
