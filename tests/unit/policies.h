/* What tests of policy share: rules from text, and who asks. */
#ifndef TESTS_POLICIES_H
#define TESTS_POLICIES_H

#include "identity/policy.h"

/* The rules of "rules", with a limit of a day; fails the test when they are wrong. */
struct policy *policies_parse(const char *text);

/* caller is NAME, NAME/SCHEME, or NULL: anonymous. groups is "a\nb\n". */
struct query policies_ask(const char *caller, const char *groups, const char *subject);

#endif
