#include "identity/principal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Whom we know ourselves; no web server authenticates so. */
static const char peer_scheme[] = "peer";
static const char password_scheme[] = "password";
static const char keep_scheme[] = "keep";
static const char token_scheme[] = "token:";

static bool
is_ours(const char *scheme)
{
	return strcasecmp(scheme, peer_scheme) == 0 ||
	       strcasecmp(scheme, password_scheme) == 0 ||
	       strcasecmp(scheme, keep_scheme) == 0 ||
	       strncasecmp(scheme, token_scheme, sizeof(token_scheme) - 1) == 0;
}

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
	if (is_ours(auth_type))
		return error_set(e, ERROR_MALFORMED,
		    "AUTH_TYPE %s is authserver's own: the web server may not send it",
		    auth_type);
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

/* A name of length bytes that is no web server's. */
static int
name_it(struct principal *p, const char *name, size_t length, const char *what, struct error *e)
{
	*p = (struct principal){.name = "anonymous"};
	if (length == 0 || length >= sizeof(p->name) || !text_clean(name))
		return error_set(
		    e, ERROR_MALFORMED, "%s is empty, too long or not UTF-8", what);
	memcpy(p->name, name, length);
	p->name[length] = '\0';
	return 0;
}

int
principal_peer(struct principal *p, const char *account, struct error *e)
{
	if (name_it(p, account, strlen(account), "the account's name", e) == -1)
		return -1;
	memcpy(p->scheme, peer_scheme, sizeof(peer_scheme));
	return 0;
}

int
principal_keep(struct principal *p, const char *subject, struct error *e)
{
	if (name_it(p, subject, strlen(subject), "the subject's name", e) == -1)
		return -1;
	memcpy(p->scheme, keep_scheme, sizeof(keep_scheme));
	return 0;
}

int
principal_password(struct principal *p, const char *user, struct error *e)
{
	if (name_it(p, user, strlen(user), "the user's name", e) == -1)
		return -1;
	memcpy(p->scheme, password_scheme, sizeof(password_scheme));
	return 0;
}

int
principal_token(struct principal *p, const char *user, const char *party, const char *realm,
    struct error *e)
{
	const char *at = realm == NULL ? NULL : strrchr(user, '@');

	if (realm != NULL && (at == NULL || strcmp(at + 1, realm) != 0))
		return error_set(
		    e, ERROR_DENIED, "users of '%s' are USER@%s, and no others", party, realm);
	if (name_it(p, user, at != NULL ? (size_t)(at - user) : strlen(user), "the user's name",
		e) == -1)
		return -1;
	(void)snprintf(p->scheme, sizeof(p->scheme), "%s%s", token_scheme, party);
	return 0;
}

bool
principal_authenticated(const struct principal *p)
{
	return *p->scheme != '\0';
}
