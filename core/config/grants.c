/* What the token endpoint takes, and what has to be configured for it. */
#include "config/config.h"

bool
config_grants(const struct config *c, const char *grant)
{
	return strings_have(&c->grants, grant);
}

int
config_check_grants(const struct config *c, struct error *e)
{
	const char *wrong = NULL;

	if (config_grants(c, GRANT_PASSWORD) && c->password.source == PASSWORD_NONE)
		wrong = "grants: password wants a section password, which says who checks them";
	else if (config_grants(c, GRANT_PASSWORD) && c->state == NULL)
		wrong = "grants: password wants state, where tries are counted";
	else if (config_grants(c, GRANT_REFRESH) && !config_grants(c, GRANT_PASSWORD))
		wrong = "grants: refresh_token wants password: there are no others to refresh";
	else if (c->revocation && c->state == NULL)
		wrong = "revocation wants state, where it is written down";
	return wrong == NULL ? 0 : error_set(e, ERROR_CONFIG, "%s", wrong);
}
