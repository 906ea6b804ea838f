/*
 * The sources of groups in the order of the configuration, asked until one knows the user, or
 * all of them. For one thread: each has a chain of its own, of which others may only say that
 * it is overdue.
 */
#ifndef IDENTITY_CHAIN_H
#define IDENTITY_CHAIN_H

#include "base/clock.h"
#include "config/config.h"
#include "identity/breaker.h"
#include "identity/membership.h"

struct chain;

/* All of this must outlive the chain. */
struct chain_parts {
	const struct groups_config *config;
	struct breaker *breaker;
	const struct clock *clock;
	const struct chain *lender; /* of the same configuration: those of its sources that
				       threads may share are used, not opened; NULL: none */
};

/* *out is NULL on failure; else chain_close() it. Errors as source_open. */
int chain_open(struct chain **out, const struct chain_parts *parts, struct error *e);
void chain_close(struct chain *c);

/* What one source said. */
struct chain_answer {
	const char *source;         /* its name in the configuration */
	const struct membership *m; /* NULL: it failed, or was not asked */
	const struct error *e;      /* why */
	int64_t taken;              /* nanoseconds */
};

typedef void chain_tell(void *context, const struct chain_answer *a);

/* Of whom, and what is known already. */
struct chain_question {
	const char *user;
	const char *claimed; /* the groups of a token that was shown, each ended by a newline;
				NULL: none was */
};

/*
 * Fills *m. m->known is false when every source that was asked says that it does not know the
 * user. ERROR_UNAVAILABLE when a source failed that is not optional, or when there are more
 * groups than may be: there is never a part of the groups, but for those of an optional source
 * that failed, which m->partial tells. tell, which may be NULL, is called
 * with each source's answer.
 */
int chain_lookup(struct chain *c, const struct chain_question *q, struct membership *m,
    chain_tell *tell, void *context, struct error *e);

/* Another thread has waited for chain_lookup() for as long as it would: the source that is
 * being asked, if that has been for longer than its timeout, is left alone for a while by all
 * who have the breaker. */
void chain_overdue(struct chain *c);

#endif
