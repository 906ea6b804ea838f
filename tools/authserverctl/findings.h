/* What "authserverctl check" found: the parts of a service that would start. */
#ifndef AUTHSERVERCTL_FINDINGS_H
#define AUTHSERVERCTL_FINDINGS_H

#include <stdint.h>
#include <sys/types.h>

#include "config/flags.h"
#include "identity/policy.h"
#include "identity/subject.h"
#include "jose/keyring.h"
#include "jose/verifier.h"
#include "store/directory.h"

struct findings {
	const char *config_file; /* NULL: none */
	struct config config;
	struct policy *policy;
	struct subject_grammar *grammar;
	struct keyring *ring;
	struct verifier *verifier;
	struct buffer notes; /* of what was passed over, a line each */
	struct directory_trial directory;
	gid_t group;
	int64_t now; /* seconds since 1970 */
	unsigned int problems;
	struct error last; /* of them */
};

/* Prints it all, for when there are no problems. */
void findings_print(const struct findings *f);

/* The line about the policy. */
void findings_print_policy(const struct findings *f);

#endif
