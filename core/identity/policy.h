/*
 * Who may have a token for whom, within which limits. Rules are read in order, the last
 * one that matches decides, and none is a refusal. Pure: rules and a query in, a grant
 * or an error out; no clock, no files, no state.
 */
#ifndef IDENTITY_POLICY_H
#define IDENTITY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"
#include "identity/principal.h"

/* What a caller asks for. Plain bytes of fixed size: it also goes to the signer as is. */
struct query {
	struct principal caller;
	char subject[LIMIT_SUBJECT];   /* empty: an anonymous caller that named none */
	char audience[LIMIT_AUDIENCE]; /* empty: none */
	int64_t lifetime;              /* seconds; 0: the most there is */
};

/* What policy made of it. */
struct grant {
	char subject[LIMIT_SUBJECT];
	char audience[LIMIT_AUDIENCE];
	char actor[LIMIT_PRINCIPAL]; /* "act" (RFC 8693, 4.1); empty unless caller and subject
					differ */
	int64_t lifetime;            /* seconds, at least 1 */
	const char *rule;            /* the text of the rule that decided */
};

struct rule {
	enum { RULE_PERMIT, RULE_DENY } action;
	enum { WHO_ANY, WHO_AUTHENTICATED, WHO_ANONYMOUS } who;
	bool self;                   /* the subject must be the caller */
	const char *const *subjects; /* else fnmatch(3) patterns, NULL at the end */
	const char *text;            /* as an administrator would write it */
};

struct policy {
	const struct rule *rules;
	size_t count;
	int64_t lifetime; /* seconds; the most that any rule gives */
};

/*
 * The policy without a file: "permit authenticated as self", "deny any as okera root",
 * and "permit anonymous as *" only when that switch is on.
 */
struct policy policy_builtin(bool permit_anonymous, int64_t lifetime);

/*
 * 0 and *g, or -1: ERROR_UNAUTHENTICATED when an anonymous caller is refused,
 * ERROR_DENIED when another one is, or when the lifetime is over the limit.
 */
int policy_permit(
    const struct policy *p, const struct query *q, struct grant *g, struct error *e);

#endif
