/*
 * The groups of a token that is shown (the source "claim"), beside those that the other sources
 * know: whatever they say, a user never has a group that the token does not have.
 */
#ifndef IDENTITY_CLAIMED_H
#define IDENTITY_CLAIMED_H

#include <stdbool.h>

#include "config/groups.h"
#include "identity/membership.h"

/* Whether the other sources need not be asked for groups: "claim" is the first, and the first
 * one counts. */
bool claimed_suffice(const struct groups_config *c);

/*
 * Makes of what the sources said in *m, all zeroes when they were not asked, what is known of
 * the user. claimed are the token's groups, each ended by a newline. Where "claim" is one of
 * the resolvers the token's groups stand where the order of these puts them; in any case only
 * those are left that the token has. A name counts as the token's in the spelling that the
 * token has, and in lower case. ERROR_UNAVAILABLE for more groups than fit.
 */
int claimed_apply(
    const struct groups_config *c, const char *claimed, struct membership *m, struct error *e);

/* The same without taking away: all that the sources and, where "claim" is one of the
 * resolvers, the token say. For rules that refuse, which nobody escapes by a token that says
 * less. */
int claimed_join(
    const struct groups_config *c, const char *claimed, struct membership *m, struct error *e);

#endif
