/* Whether a directory takes a user's password. */
#ifndef IDENTITY_SOURCE_LDAP_PASSWORD_H
#define IDENTITY_SOURCE_LDAP_PASSWORD_H

#include "config/groups.h"
#include "identity/password.h"

/* Whether all is there that it takes to ask: files, URIs, DNs, a filter that is one. Reaches
 * for no network. ERROR_CONFIG, ERROR_NO_INPUT. */
int ldap_password_ready(const struct ldap_config *c, struct error *e);

/*
 * Finds the user's entry and binds with its DN and the password; for a user who has none, or
 * more than one, with a DN that no entry has, so that it takes as long. Without a password the
 * entry alone counts. Ends within the timeout of c. 0: right. -1: ERROR_DENIED, it is wrong,
 * and *e says why, for the log; anything else, it cannot be said.
 */
int ldap_password_check(
    const struct ldap_config *c, const struct password_question *q, struct error *e);

#endif
