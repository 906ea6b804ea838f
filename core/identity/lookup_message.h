/*
 * What a process that needs to know something and the resolver say to each other, in the manner
 * of base/courier.h.
 */
#ifndef IDENTITY_LOOKUP_MESSAGE_H
#define IDENTITY_LOOKUP_MESSAGE_H

#include "base/courier.h"
#include "identity/key_set.h"
#include "identity/membership.h"
#include "identity/password.h"

enum { LOOKUP_REQUEST_MAGIC = 0x61736c31, LOOKUP_ANSWER_MAGIC = 0x61736c41 }; /* "asl1" */

/* What is asked for: the kind of a request. */
enum lookup_what {
	LOOKUP_USER = 1,  /* the membership of the user of this name */
	LOOKUP_KEYS,      /* the keys that the section verify of this name has a URL of */
	LOOKUP_KEYS_ANEW, /* the same, for a kid that is not among those that were there */
	LOOKUP_PASSWORD   /* whether a password is right, or an account may be used */
};

/* Sent only up to the end of the name, or of the question. */
struct lookup_request {
	struct courier_head head; /* its kind is a lookup_what */
	union {
		char name[LIMIT_PRINCIPAL];
		char question[PASSWORD_TEXT]; /* LOOKUP_PASSWORD: as password_pack() wrote it */
	};
};

enum lookup_kind {
	LOOKUP_FOUND = COURIER_HELLO + 1, /* the membership is there, known or not */
	LOOKUP_FAILED,                    /* reason says why there is no other answer */
	LOOKUP_SET,                       /* the keys are there */
	LOOKUP_VERDICT                    /* on a password */
};

/* Sent only up to the end of the groups, of the reason, or of the set. */
struct lookup_answer {
	struct courier_head head; /* its kind is a lookup_kind */
	int64_t keep;             /* nanoseconds for which it may be used again */
	union {
		struct membership m;           /* LOOKUP_FOUND */
		struct key_set keys;           /* LOOKUP_SET */
		uint32_t verdict;              /* LOOKUP_VERDICT: a password_verdict */
		char reason[LIMIT_ERROR_TEXT]; /* LOOKUP_FAILED */
	};
};

/* All but LOOKUP_PASSWORD, without its id. 0, or -1 and ERROR_UNAVAILABLE for a name that is
 * too long. */
int lookup_request_init(
    struct lookup_request *q, enum lookup_what what, const char *name, struct error *e);
size_t lookup_request_size(const struct lookup_request *q);

/* One about a password, which is askable; returns its size, since only whoever made it knows.
 * The caller cleanses *q. */
size_t lookup_request_init_password(
    struct lookup_request *q, const struct password_question *question);

/* 0 when size bytes at q are a request; -1 otherwise. */
int lookup_request_check(const struct lookup_request *q, size_t size);

/* An answer to id: m when it is not NULL, else the error. */
void lookup_answer_init(struct lookup_answer *a, uint64_t id, const struct membership *m,
    int64_t keep, const struct error *e);

/* The same with keys. */
void lookup_answer_init_keys(struct lookup_answer *a, uint64_t id, const struct key_set *keys,
    int64_t keep, const struct error *e);

/* The same with a verdict; e is NULL, or says why there is none. */
void lookup_answer_init_verdict(
    struct lookup_answer *a, uint64_t id, enum password_verdict verdict, const struct error *e);

size_t lookup_answer_size(const struct lookup_answer *a);

/* 0 when size bytes at a are an answer. */
int lookup_answer_check(const struct lookup_answer *a, size_t size);

/* Whether it is one to a request for that: what was asked for, or why it is not there. */
bool lookup_answer_fits(const struct lookup_answer *a, enum lookup_what what);

#endif
