/*
 * What a process that needs memberships and the resolver say to each other, in the manner of
 * base/courier.h.
 */
#ifndef IDENTITY_LOOKUP_MESSAGE_H
#define IDENTITY_LOOKUP_MESSAGE_H

#include "base/courier.h"
#include "identity/membership.h"

enum { LOOKUP_REQUEST_MAGIC = 0x61736c31, LOOKUP_ANSWER_MAGIC = 0x61736c41 }; /* "asl1" */

/* Sent only up to the end of the user's name. */
struct lookup_request {
	struct courier_head head;
	char user[LIMIT_PRINCIPAL];
};

enum lookup_kind {
	LOOKUP_FOUND = COURIER_HELLO + 1, /* the membership is there, known or not */
	LOOKUP_FAILED                     /* reason says why it is not */
};

/* Sent only up to the end of the groups, or of the reason. */
struct lookup_answer {
	struct courier_head head; /* its kind is a lookup_kind */
	int64_t keep;             /* nanoseconds for which it may be used again */
	union {
		struct membership m;           /* LOOKUP_FOUND */
		char reason[LIMIT_ERROR_TEXT]; /* LOOKUP_FAILED */
	};
};

/* Without its id. 0, or -1 and ERROR_UNAVAILABLE for a name that is too long. */
int lookup_request_init(struct lookup_request *q, const char *user, struct error *e);
size_t lookup_request_size(const struct lookup_request *q);

/* 0 when size bytes at q are a request; -1 otherwise. */
int lookup_request_check(const struct lookup_request *q, size_t size);

/* An answer to id: m when it is not NULL, else the error. */
void lookup_answer_init(struct lookup_answer *a, uint64_t id, const struct membership *m,
    int64_t keep, const struct error *e);
size_t lookup_answer_size(const struct lookup_answer *a);

/* 0 when size bytes at a are an answer. */
int lookup_answer_check(const struct lookup_answer *a, size_t size);

#endif
