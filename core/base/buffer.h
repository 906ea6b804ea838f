/*
 * A byte buffer that grows up to a hard bound and is cleansed when it goes.
 * Bytes are counted; a NUL is kept behind them so that text can be read as a string.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stddef.h>

struct buffer {
	char *data; /* NULL while nothing was appended */
	size_t length;
	size_t capacity;
	size_t limit; /* length never passes this */
};

void buffer_init(struct buffer *b, size_t limit);

/* 0, or -1 when the bound is passed or memory is short; the buffer is then as it was. */
int buffer_append(struct buffer *b, const void *bytes, size_t length);
int buffer_printf(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes room for length more bytes and returns where they go, NULL as above.
 * The caller writes them and adds to b->length. */
char *buffer_reserve(struct buffer *b, size_t length);

/* Cleanses and frees the bytes; the buffer may be used again. */
void buffer_free(struct buffer *b);

#endif
