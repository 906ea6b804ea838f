/* The rules of a policy, as they were read. For the files of this folder. */
#ifndef IDENTITY_RULES_H
#define IDENTITY_RULES_H

#include "identity/policy.h"
#include "identity/rule.h"

struct policy {
	char *name;    /* the file's */
	char *nowhere; /* "no rule of FILE" */
	struct rule *rules;
	size_t count;
	bool needs_groups[VERBS]; /* a rule about it asks for the caller's */
	bool serves_groups;       /* a rule lets somebody read them */
	int64_t lifetime;
	const struct profiles *profiles; /* NULL: there are none */
};

#endif
