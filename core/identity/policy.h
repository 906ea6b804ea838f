/*
 * Who may have a token for whom, within which limits. Rules are read in order, the last
 * one that matches decides, and none is a refusal. policy_permit() is pure: rules and a
 * query in, a grant or an error out; no clock, no files, no state.
 *
 *     # action  who             as subject        options
 *     permit    authenticated   as self
 *     permit    foo             as *              ttl 1h
 *     permit    :etl            as etl-* svc-*    ttl 15m audience okera
 *     permit    any via negotiate as self         ttl 8h
 *     deny      any             as okera root
 *     permit    okera           groups-of *
 *
 * The grammar is described in authserver.policy(5).
 */
#ifndef IDENTITY_POLICY_H
#define IDENTITY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"
#include "config/config.h"
#include "identity/principal.h"

/* What a caller asks for, and what is known of caller and subject. */
struct query {
	struct principal caller;
	char subject[LIMIT_SUBJECT];   /* empty: an anonymous caller that named none */
	char audience[LIMIT_AUDIENCE]; /* empty: none */
	char profile[LIMIT_PROFILE];   /* empty: none */
	int64_t lifetime;              /* seconds; 0: the most there is */
	int64_t not_after;             /* seconds since 1970 that "exp" never passes, as of a
					  token that this one stands for; 0: no such bound */
	/* Groups are each ended by a newline. What is NULL was not looked up, or is unknown. */
	const char *caller_groups;
	const char *subject_groups;
	const char *email; /* the subject's; "": there is none */
	const char *space; /* the subject's namespace, in the same manner */
};

/* What policy made of it. */
struct grant {
	char subject[LIMIT_SUBJECT];
	const struct profile *profile; /* NULL: none; the configuration's */
	char audience[LIMIT_AUDIENCE]; /* empty: all that the profile has */
	char actor[LIMIT_PRINCIPAL];   /* "act" (RFC 8693, 4.1); empty unless caller and
					  subject differ */
	int64_t lifetime;              /* seconds, at least 1 */
	unsigned int live; /* most token files of the subject at once; 0: no limit */
	const char *where; /* "FILE:LINE" of the rule that decided, or "no rule of FILE"; the
			      policy's. For the log and for dry runs, never for a client */
};

/* What a rule is about. */
enum verb {
	VERB_AS,        /* tokens as subjects */
	VERB_GROUPS_OF, /* reading the groups of subjects */
	VERBS
};

struct policy;

/*
 * The rules in length bytes of text; name stands in errors and verdicts as the file's.
 * ERROR_CONFIG with NAME:LINE. *out is NULL on failure; else policy_free() it.
 */
int policy_parse(
    struct policy **out, const char *text, size_t length, const char *name, struct error *e);

/*
 * The policy without a file: "permit authenticated as self", "deny any as okera root".
 */
int policy_builtin(struct policy **out, struct error *e);

/* Reads a policy file, which nobody but root or our own user may be able to write.
 * ERROR_NO_INPUT, ERROR_CONFIG. */
int policy_read(struct policy **out, const char *path, struct error *e);

/*
 * The policy that the configuration asks for: its file or the built-in one, with its
 * switch, its limit and its profiles; c must outlive it. Errors as the functions it is made of.
 */
int policy_open(struct policy **out, const struct config *c, struct error *e);

void policy_free(struct policy *p);

/* Adds "permit anonymous as *" behind all other rules. 0, or -1 and ERROR_INTERNAL. */
int policy_permit_anonymous(struct policy *p, struct error *e);

/* The most that any rule gives, in seconds, and the profiles there are; to be set before
 * the first query. profiles must outlive p. */
void policy_set_limits(struct policy *p, int64_t lifetime, const struct profiles *profiles);

/* The first rule's FILE:LINE that names a profile which does not exist, as ERROR_CONFIG. */
int policy_check_profiles(const struct policy *p, struct error *e);

/* Whether a rule about that asks for the caller's groups, so that they must be looked up. */
bool policy_needs_groups(const struct policy *p, enum verb verb);

/* Whether a rule lets anybody read groups. */
bool policy_serves_groups(const struct policy *p);

/* How many rules there are. */
size_t policy_count(const struct policy *p);

/*
 * 0 and *g, or -1: ERROR_UNAUTHENTICATED when an anonymous caller is refused,
 * ERROR_DENIED when another one is, or when what is asked for is over the rule's, the
 * profile's or the policy's limit; ERROR_MALFORMED when there is no such profile.
 * g->where is set in any case.
 */
int policy_permit(
    const struct policy *p, const struct query *q, struct grant *g, struct error *e);

/*
 * Whether the caller may read the groups of the subject. 0, or -1: ERROR_UNAUTHENTICATED,
 * ERROR_DENIED. *where is set in any case, as a grant's.
 */
int policy_permit_groups(
    const struct policy *p, const struct query *q, const char **where, struct error *e);

#endif
