/* All that is wrong with a policy file, where policy_open() stops at the first fault. */
#ifndef IDENTITY_POLICY_LINT_H
#define IDENTITY_POLICY_LINT_H

#include "config/config.h"

/* Reads the configuration's policy file and calls tell with each rule that is none, or that
 * names a profile which does not exist, by FILE:LINE. How many those were. */
unsigned int policy_lint(const struct config *c, error_tell *tell, void *context);

#endif
