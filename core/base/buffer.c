#define _GNU_SOURCE /* explicit_bzero */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buffer_init(struct buffer *b, size_t limit)
{
	*b = (struct buffer){.limit = limit};
}

char *
buffer_reserve(struct buffer *b, size_t length)
{
	size_t need, capacity;
	char *data;

	if (length > b->limit || b->length > b->limit - length)
		return NULL;
	need = b->length + length + 1;
	if (need <= b->capacity)
		return b->data + b->length;
	capacity = b->capacity != 0 ? b->capacity : 256;
	while (capacity < need)
		capacity *= 2;
	/* Not realloc: it would leave a copy of a secret behind in freed memory. */
	data = malloc(capacity);
	if (data == NULL)
		return NULL;
	if (b->length > 0)
		memcpy(data, b->data, b->length);
	data[b->length] = '\0';
	if (b->data != NULL) {
		explicit_bzero(b->data, b->capacity);
		free(b->data);
	}
	b->data = data;
	b->capacity = capacity;
	return b->data + b->length;
}

int
buffer_append(struct buffer *b, const void *bytes, size_t length)
{
	char *to = buffer_reserve(b, length);

	if (to == NULL)
		return -1;
	if (length > 0)
		memcpy(to, bytes, length);
	b->length += length;
	b->data[b->length] = '\0';
	return 0;
}

int
buffer_printf(struct buffer *b, const char *format, ...)
{
	va_list args, again;
	int n;
	char *to;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	to = n < 0 ? NULL : buffer_reserve(b, (size_t)n);
	if (to != NULL) {
		(void)vsnprintf(to, (size_t)n + 1, format, again);
		b->length += (size_t)n;
	}
	va_end(again);
	return to == NULL ? -1 : 0;
}

void
buffer_free(struct buffer *b)
{
	if (b->data != NULL) {
		explicit_bzero(b->data, b->capacity);
		free(b->data);
	}
	buffer_init(b, b->limit);
}
