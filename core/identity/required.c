#include "identity/required.h"

#include <string.h>

#include "identity/membership.h"

bool
required_asks(const struct groups_config *c, const char *subject)
{
	return c->required.count > 0 && !strings_have(&c->exempt, subject);
}

int
required_check(
    const struct groups_config *c, const char *subject, const char *groups, struct error *e)
{
	if (!required_asks(c, subject))
		return 0;
	for (size_t i = 0; i < c->required.count; i++)
		if (groups_have(groups, c->required.items[i], strlen(c->required.items[i])))
			return 0;
	return error_set(
	    e, ERROR_DENIED, "%s is in none of the groups that are required", subject);
}
