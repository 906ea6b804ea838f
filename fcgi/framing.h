/*
 * Looks at the bytes of a FastCGI connection (FastCGI specification 1.0, 3.3 and 5)
 * without taking them: is a whole request there yet? libfcgi blocks in the middle of one
 * that is not, and its code for unusual records has known overflows; so it only gets to
 * read what this has seen complete, well formed and within bounds.
 */
#ifndef FCGI_FRAMING_H
#define FCGI_FRAMING_H

#include <stdbool.h>
#include <stddef.h>

enum framing {
	FRAMING_INCOMPLETE, /* more has to come */
	FRAMING_COMPLETE,   /* one request, and nothing after it */
	FRAMING_OVERSIZE,   /* its params are complete, its body is over LIMIT_BODY */
	FRAMING_INVALID     /* what no web server sends: to be hung up on */
};

/* The longest that a complete request can be, with padding and record headers. */
enum { FRAMING_MAX = 192 * 1024 };

/* What a request says of itself, once its first record is there. */
struct framing_head {
	bool keep;       /* the connection is to stay open afterwards (FCGI_KEEP_CONN) */
	bool authorizer; /* it is for an authorizer (6.3): nothing comes behind its params */
};

/* Judges length bytes from the start of a request, and sets *head as far as they go. */
enum framing framing_scan(const unsigned char *bytes, size_t length, struct framing_head *head);

#endif
