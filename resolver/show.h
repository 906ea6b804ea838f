/* One user's groups, with what each source said of them, for a person or as JSON. */
#ifndef RESOLVER_SHOW_H
#define RESOLVER_SHOW_H

#include <stdbool.h>

#include "base/error.h"
#include "config/groups.h"

struct show {
	const char *user;
	const char *claimed; /* the groups of a token, parted by commas; NULL: none is shown */
	bool json;
};

/* Prints on stdout; what failed too, and as JSON "error" says why. 0: a source knows the user.
 * 1: none does. -1 and *e: a source failed. */
int show_groups(const struct groups_config *c, const struct show *s, struct error *e);

#endif
