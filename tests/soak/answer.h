/* An answer of HTTP/1.1 as it arrives, as far as a client under load has to understand it. */
#ifndef SOAK_ANSWER_H
#define SOAK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

enum { ANSWER_MAX = 64 * 1024 };

struct answer {
	int status;
	bool retry_after; /* the field is there */
	bool last;        /* the connection carries no other one */
	char *body;       /* terminated, chunks put together, inside of the bytes given */
	size_t length;
};

/* Reads the length bytes that have come; there is room for one more behind them. 1: a whole
 * answer, whose body was put together in place; 0: more has to come; -1: it is none. */
int answer_read(struct answer *out, char *bytes, size_t length);

#endif
