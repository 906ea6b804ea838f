/*
 * From a query to a signed token: policy, what is known of the caller and of the subject, the
 * signer. What becomes of the token is the business of whoever asks. For the files of this
 * folder.
 */
#ifndef SERVICE_ISSUE_H
#define SERVICE_ISSUE_H

#include "service/internal.h"

struct issue {
	struct service *service;
	struct signer *signer; /* NULL: the service's */
	struct query query;
	/* The groups of the token by which caller and subject are known, each ended by a
	 * newline: neither has others. Policy is asked with those and with all that are known,
	 * since a rule may refuse a group that the token leaves out. NULL: they are known
	 * otherwise. */
	const char *caller_claimed;
	const char *subject_claimed;
	/* Whether there may be one, asked after policy and before the signature; NULL: yes. */
	int (*admit)(const struct issue *i, struct error *e);
	/* Called once nothing stands against a token, in place of having it signed: it is to
	 * end in issue_sign() or issue_fail(), now or later. NULL: there is nothing to prepare.
	 */
	void (*prepare)(struct issue *i);
	/* Called exactly once, maybe before issue_token() returns. s, which is valid during the
	 * call, is NULL when there is no token, and then e says why. */
	void (*then)(struct issue *i, const struct signature *s, const struct error *e);

	/* What follows is filled in. */
	struct grant grant; /* as policy gave it here; the signer's own is what counts */
	bool asked;         /* policy was: the grant names a rule */
	/* What the query leads to; NULL while it was not looked up. */
	struct membership *caller;
	struct membership *subject;
	struct membership *whole; /* the caller, before its token took groups away */
};

/* i stays where it is until then was called. */
void issue_token(struct issue *i);

/* For prepare. */
void issue_sign(struct issue *i);
void issue_fail(struct issue *i, const struct error *e);

/* What is known of the decision; s as then got it. */
struct outcome issue_outcome(const struct issue *i, const struct signature *s);

/* Frees what i owns, but not i. */
void issue_free(struct issue *i);

#endif
