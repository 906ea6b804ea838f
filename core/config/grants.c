/* What the token endpoint takes, and what has to be configured for it. */
#include "config/config.h"

#include <string.h>

bool
config_grants(const struct config *c, const char *grant)
{
	return strings_have(&c->grants, grant);
}

/* A claim that a token was made without, or under another name, is not seen when the token is
 * exchanged, and would be gone from the new one. */
static const char *
find_hidden(const struct config *c)
{
	static const char *const claims[] = {"sub=", "act=", "aud=", "exp=", "groups="};

	for (size_t i = 0; i < c->profiles.count; i++)
		for (size_t n = 0; n < c->profiles.items[i].rename.count; n++)
			for (size_t k = 0; k < sizeof(claims) / sizeof(claims[0]); k++)
				if (strncmp(c->profiles.items[i].rename.items[n], claims[k],
					strlen(claims[k])) == 0)
					return c->profiles.items[i].name;
	return NULL;
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
	else if (!c->exchange_own && c->exchange_audience.count > 0)
		wrong = "exchange-audience goes with exchange-own = true";
	if (wrong != NULL)
		return error_set(e, ERROR_CONFIG, "%s", wrong);
	if (c->exchange_own && find_hidden(c) != NULL)
		return error_set(e, ERROR_CONFIG,
		    "exchange-own: profile '%s' renames a claim, and its tokens would be "
		    "exchanged without it",
		    find_hidden(c));
	return 0;
}
