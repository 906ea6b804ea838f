#include "identity/source_ldap_server.h"

#include <ldap.h>
#include <stdlib.h>
#include <string.h>

#include "identity/ldap_socket.h"

/* What is wrong, NULL when nothing is. libldap takes more: a base, a filter, attributes. */
static const char *
take(struct ldap_server *s, const LDAPURLDesc *url, bool start_tls)
{
	if (url->lud_dn != NULL && *url->lud_dn != '\0')
		return "the base has a key of its own";
	if (strchr(s->uri, '?') != NULL)
		return "want scheme://host:port and no more";
	if (url->lud_host == NULL || *url->lud_host == '\0')
		return "it has no host, or no path";
	if (strcmp(url->lud_scheme, "ldaps") == 0)
		s->transport = LDAP_TLS;
	else if (strcmp(url->lud_scheme, "ldapi") == 0)
		s->transport = LDAP_LOCAL;
	else if (strcmp(url->lud_scheme, "ldap") == 0)
		s->transport = start_tls ? LDAP_STARTTLS : LDAP_PLAIN;
	else
		return "want ldaps://, ldap:// or ldapi://";
	if (s->transport == LDAP_LOCAL && *url->lud_host != '/')
		return "want the socket's path, such as ldapi://%2Frun%2Fslapd%2Fldapi";
	s->host = strdup(url->lud_host);
	s->port = url->lud_port;
	return s->host == NULL ? "out of memory" : NULL;
}

/* What is wrong with the clear to another machine, NULL when nothing is. */
static const char *
find_unsafe(const struct ldap_config *c)
{
	if (c->sends_passwords)
		return "passwords would go over the network in the clear: use ldaps://, or "
		       "start-tls = true";
	if (c->password_file != NULL)
		return "the password of bind-dn would go over the network in the clear: use "
		       "ldaps://, or start-tls = true";
	if (!c->insecure)
		return "anybody on the way could change the groups: use ldaps://, or start-tls "
		       "= true, or accept it by insecure = true";
	return NULL;
}

int
ldap_server_read(struct ldap_server *s, const struct ldap_config *c, size_t i, struct error *e)
{
	LDAPURLDesc *url = NULL;
	const char *wrong = "want ldaps://, ldap:// or ldapi://";

	*s = (struct ldap_server){.uri = c->uri.items[i]};
	if (ldap_url_parse(s->uri, &url) == LDAP_URL_SUCCESS)
		wrong = take(s, url, c->start_tls);
	ldap_free_urldesc(url);
	if (wrong == NULL && s->transport == LDAP_PLAIN && ldap_socket_leaves(s->host))
		wrong = find_unsafe(c);
	if (wrong == NULL)
		return 0;
	ldap_server_clear(s);
	return error_set(e, ERROR_CONFIG, "uri: '%.128s': %s", c->uri.items[i], wrong);
}

void
ldap_server_clear(struct ldap_server *s)
{
	free(s->host);
	*s = (struct ldap_server){0};
}
