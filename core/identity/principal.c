#include "identity/principal.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Who the kernel says it is; no web server authenticates so. */
static const char peer_scheme[] = "peer";

int
principal_read(struct principal *p, const char *remote_user, const char *auth_type,
    const struct strings *realms, struct error *e)
{
	char *at;

	*p = (struct principal){.name = "anonymous"};
	if (auth_type == NULL || *auth_type == '\0')
		return 0;
	if (remote_user == NULL || *remote_user == '\0')
		return error_set(
		    e, ERROR_UNAUTHENTICATED, "the web server authenticated nobody");
	if (strlen(remote_user) >= sizeof(p->name) || strlen(auth_type) >= sizeof(p->scheme) ||
	    !text_clean(remote_user) || !text_clean(auth_type))
		return error_set(e, ERROR_MALFORMED,
		    "REMOTE_USER or AUTH_TYPE is too long, not UTF-8 or has control "
		    "characters");
	if (strcasecmp(auth_type, peer_scheme) == 0)
		return error_set(e, ERROR_MALFORMED,
		    "AUTH_TYPE %s is for the local socket: the web server may not send it",
		    peer_scheme);
	memcpy(p->name, remote_user, strlen(remote_user) + 1);
	at = strrchr(p->name, '@');
	if (at != NULL) {
		if (!strings_have(realms, at + 1)) {
			*p = (struct principal){.name = "anonymous"};
			return error_set(e, ERROR_DENIED,
			    "users of the realm '%.64s' are not served",
			    strrchr(remote_user, '@') + 1);
		}
		*at = '\0';
	}
	if (*p->name == '\0')
		return error_set(
		    e, ERROR_UNAUTHENTICATED, "the web server authenticated nobody");
	memcpy(p->scheme, auth_type, strlen(auth_type) + 1);
	return 0;
}

int
principal_peer(struct principal *p, const char *account, struct error *e)
{
	*p = (struct principal){.name = "anonymous"};
	if (*account == '\0' || strlen(account) >= sizeof(p->name) || !text_clean(account))
		return error_set(
		    e, ERROR_MALFORMED, "the account's name is too long or not UTF-8");
	memcpy(p->name, account, strlen(account) + 1);
	memcpy(p->scheme, peer_scheme, sizeof(peer_scheme));
	return 0;
}

bool
principal_authenticated(const struct principal *p)
{
	return *p->scheme != '\0';
}
