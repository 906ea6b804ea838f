#define _GNU_SOURCE /* memmem, strcasestr */
#include "tests/soak/answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The value of a header field, NULL: it is not there. */
static const char *
field(const char *head, const char *name)
{
	const size_t length = strlen(name);
	const char *line = head;

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1 + strspn(line + length + 1, " ");
	}
	return NULL;
}

/* Puts chunks (RFC 9112, 7.1) together where they lie; as answer_read. */
static int
join(struct answer *a, size_t length)
{
	char *from = a->body, *to = a->body, *const end = a->body + length;

	for (;;) {
		char *line = memmem(from, (size_t)(end - from), "\r\n", 2);
		char *digits_end;
		size_t size;

		if (line == NULL)
			return 0;
		size = strtoul(from, &digits_end, 16);
		if (digits_end == from || size > ANSWER_MAX)
			return -1;
		from = line + 2;
		if ((size_t)(end - from) < size + 2)
			return 0;
		if (size == 0)
			break;
		memmove(to, from, size);
		to += size;
		from += size + 2;
	}
	a->length = (size_t)(to - a->body);
	return 1;
}

/* Chunks can be put together once only: whether the last one is there is seen before. */
static bool
chunks_ended(const char *body, size_t length)
{
	return length >= 5 && memcmp(body + length - 5, "0\r\n\r\n", 5) == 0;
}

int
answer_read(struct answer *out, char *bytes, size_t length)
{
	const char *value;
	char *head_end;
	size_t rest;
	int rc = 1;

	*out = (struct answer){0};
	bytes[length] = '\0';
	head_end = strstr(bytes, "\r\n\r\n");
	if (head_end == NULL)
		return length < ANSWER_MAX ? 0 : -1;
	if (strncmp(bytes, "HTTP/1.1 ", 9) != 0)
		return -1;
	out->body = head_end + 4;
	rest = length - (size_t)(out->body - bytes);
	head_end[2] = '\0';
	out->status = (int)strtol(bytes + 9, NULL, 10);
	out->retry_after = field(bytes, "Retry-After") != NULL;
	value = field(bytes, "Connection");
	out->last = value != NULL && strncasecmp(value, "close", 5) == 0;
	value = field(bytes, "Content-Length");
	if (value != NULL) {
		out->length = strtoul(value, NULL, 10);
		rc = rest < out->length ? 0 : rest == out->length ? 1 : -1;
	} else if (field(bytes, "Transfer-Encoding") != NULL) {
		rc = chunks_ended(out->body, rest) ? join(out, rest) : 0;
	}
	head_end[2] = '\r';
	if (rc == 1)
		out->body[out->length] = '\0';
	return rc;
}
