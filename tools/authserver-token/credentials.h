/* How the web server is told who asks, and who that is. */
#ifndef TOOLS_AUTHSERVER_TOKEN_CREDENTIALS_H
#define TOOLS_AUTHSERVER_TOKEN_CREDENTIALS_H

#include "base/buffer.h"
#include "tools/authserver-token/request.h"

enum credentials_kind {
	CREDENTIALS_NONE,
	CREDENTIALS_PASSWORD,
	CREDENTIALS_NETRC,
	CREDENTIALS_TICKET,
};

struct credentials {
	enum credentials_kind kind;
	struct buffer password; /* CREDENTIALS_PASSWORD */
	int netrc;              /* CREDENTIALS_NETRC: the file, open; else -1 */
	/* What differs when the caller does; no secret is in it. */
	struct buffer identity;
};

/*
 * Reads what r names: the first line of a password file, a ticket's principal, a netrc file;
 * and without any, the .netrc of the folder home, if there is one. Files of secrets have to be
 * of our account or root's, and nobody else's to read. 0 and *c, to be closed; or -1:
 * ERROR_CONFIG, ERROR_NO_INPUT, and ERROR_NO_PERMISSION without a ticket.
 */
int credentials_open(
    struct credentials *c, const struct request *r, const char *home, struct error *e);
void credentials_close(struct credentials *c);

/* Appends the principal that Kerberos would show. ERROR_NO_PERMISSION when there is none. */
int principal_append(struct buffer *to, struct error *e);

#endif
