#include "base/base64url.h"

#include <stdint.h>

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

/* What a digit is worth; -1: it is none. Tokens are long: looking each digit up in the alphabet
 * is what a verification would spend most of its own time on. */
static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
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
		int value = digit(text[i]);

		if (value == -1)
			goto fail;
		bits = bits << 6 | (uint32_t)value;
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
