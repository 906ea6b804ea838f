/*
 * What a worker and the signer say to each other: one datagram a message over a
 * SOCK_SEQPACKET socketpair, in a fixed layout of this machine's byte order. Every
 * field is checked on arrival, since the other side reads bytes from the network.
 */
#ifndef SIGNER_MESSAGE_H
#define SIGNER_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/courier.h"
#include "base/error.h"
#include "identity/policy.h"
#include "signer/signer.h"

enum { MESSAGE_REQUEST_MAGIC = 0x61737133, MESSAGE_ANSWER_MAGIC = 0x61736133 }; /* "asq3" */

enum message_wish {
	MESSAGE_MINT, /* a token for the query */
	MESSAGE_KEYS  /* the public keys; the query is empty */
};

/* The texts that a query points to, in the order in which they follow it. */
enum message_text {
	MESSAGE_CALLER_GROUPS,
	MESSAGE_SUBJECT_GROUPS,
	MESSAGE_EMAIL,
	MESSAGE_NAMESPACE,
	MESSAGE_TEXTS
};

/* Worker to signer; sent only as far as the texts go. */
struct message_request {
	struct courier_head head;        /* its kind is a message_wish */
	struct query query;              /* its pointers are NULL */
	uint32_t lengths[MESSAGE_TEXTS]; /* with their NUL; 0 for one that is NULL */
	uint32_t same;                   /* 1: the subject's groups are the caller's */
	char texts[2 * LIMIT_GROUPS + LIMIT_EMAIL + LIMIT_NAMESPACE];
};

enum message_kind {
	MESSAGE_MADE = COURIER_HELLO + 1, /* text is the token, or the public keys */
	MESSAGE_REFUSED                   /* text is the reason, code says of what kind */
};

/* Signer to worker; only the first length bytes of text are sent. */
struct message_answer {
	struct courier_head head; /* its kind is a message_kind */
	int64_t expires;
	uint32_t code; /* an error_code */
	uint32_t length;
	char jti[LIMIT_JTI];
	char kid[LIMIT_KID];
	char text[LIMIT_JWK_SET];
};

/* A wish for a token, or for the public keys when q is NULL; without its id. */
void message_request_init(struct message_request *m, const struct query *q);

/* How many bytes of m are to be sent. */
size_t message_request_size(const struct message_request *m);

/* 0 when size bytes at m are a request whose strings all end and whose numbers are in
 * their bounds: *q is then its query and leads to m. -1 otherwise. */
int message_request_read(const struct message_request *m, size_t size, struct query *q);

/* An answer to id: what was made when s is not NULL, else the error. */
void message_answer_init(
    struct message_answer *m, uint64_t id, const struct signature *s, const struct error *e);

/* How many bytes of m are to be sent. */
size_t message_answer_size(const struct message_answer *m);

/* 0 when size bytes at m are an answer; a NUL is then put behind its text. */
int message_answer_check(struct message_answer *m, size_t size);

#endif
