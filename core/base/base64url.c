#include "base/base64url.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int
base64url_append(struct buffer *b, const void *bytes, size_t length)
{
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

int
base64url_decode(struct buffer *b, const char *text, size_t length)
{
	size_t decoded = length * 3 / 4;
	char *start = length % 4 == 1 ? NULL : buffer_reserve(b, decoded);
	char *to = start;
	uint32_t bits = 0;
	unsigned int held = 0; /* how many low bits of bits are not written yet */

	if (start == NULL)
		return -1;
	for (size_t i = 0; i < length; i++) {
		const char *at = memchr(alphabet, text[i], sizeof(alphabet) - 1);

		if (at == NULL)
			goto fail;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		held += 6;
		if (held >= 8) {
			held -= 8;
			*to++ = (char)(bits >> held & 255);
		}
	}
	if ((bits & ((1U << held) - 1)) != 0)
		goto fail;
	*to = '\0';
	b->length += decoded;
	return 0;
fail:
	*start = '\0';
	return -1;
}
