/* Whether a token is good, judged by our own public keys, which the signer gives, and by those
 * that the configuration trusts (trust.h). For the files of this folder. */
#ifndef SERVICE_CHECK_H
#define SERVICE_CHECK_H

#include "jose/verifier.h"
#include "service/internal.h"

/* A token whose verdict is wanted. */
struct check {
	struct service *service;
	struct gateway *gateway;
	struct request request;
	char *token;
	void (*context)(void); /* of then: a function of its own, or NULL */
	void *own;             /* of then, too */
	/* Answers the request. v is NULL when the token is not good, or when it cannot be said
	 * whether it is; then e says why. */
	void (*then)(struct check *c, const struct verified *v, const struct error *e);
};

/*
 * Has the token verified, maybe after asking the signer for our public keys and the
 * resolver for those of others, and then calls then, maybe before this returns. token is taken
 * over, to be freed with free(). 0, or -1 and ERROR_UNAVAILABLE, and then is not called.
 */
int check_token(const struct check *c, struct error *e);

#endif
