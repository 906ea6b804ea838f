/*
 * What a worker and the signer say to each other: one datagram a message over a
 * SOCK_SEQPACKET socketpair, in a fixed layout of this machine's byte order. Every
 * field is checked on arrival, since the other side reads bytes from the network.
 */
#ifndef SIGNER_MESSAGE_H
#define SIGNER_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "identity/policy.h"
#include "signer/signer.h"

enum message_wish {
	MESSAGE_MINT, /* a token for the query */
	MESSAGE_KEYS  /* the public keys; the query is empty */
};

/* Worker to signer; sent up to the end of the query's groups. */
struct message_request {
	uint32_t magic;
	uint32_t kind; /* a message_wish */
	uint64_t id;   /* chosen by the worker; comes back in the answer */
	struct query query;
};

enum message_kind {
	MESSAGE_HELLO,  /* a signer has started: what is unanswered must be asked again */
	MESSAGE_MADE,   /* text is the token, or the public keys */
	MESSAGE_REFUSED /* text is the reason, code says of what kind */
};

/* Signer to worker; only the first length bytes of text are sent. */
struct message_answer {
	uint32_t magic;
	uint32_t kind;
	uint64_t id;
	int64_t expires;
	uint32_t code; /* an error_code */
	uint32_t length;
	char jti[LIMIT_JTI];
	char kid[LIMIT_KID];
	char text[LIMIT_JWK_SET];
};

/* A wish for a token, or for the public keys when q is NULL. */
void message_request_init(struct message_request *m, uint64_t id, const struct query *q);

/* How many bytes of m are to be sent. */
size_t message_request_size(const struct message_request *m);

/* 0 when size bytes at m are a request whose strings all end and whose numbers are in
 * their bounds; -1 otherwise. */
int message_request_check(const struct message_request *m, size_t size);

void message_hello(struct message_answer *m);

/* An answer to id: what was made when s is not NULL, else the error. */
void message_answer_init(
    struct message_answer *m, uint64_t id, const struct signature *s, const struct error *e);

/* How many bytes of m are to be sent. */
size_t message_answer_size(const struct message_answer *m);

/* 0 when size bytes at m are an answer; a NUL is then put behind its text. */
int message_answer_check(struct message_answer *m, size_t size);

#endif
