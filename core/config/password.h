/* What the configuration says of users' passwords: who checks them, and what guessing costs. */
#ifndef CONFIG_PASSWORD_H
#define CONFIG_PASSWORD_H

#include <stdint.h>

#include "config/groups.h"

enum password_source { PASSWORD_NONE, PASSWORD_LDAP, PASSWORD_PAM };

struct password_config {
	enum password_source source; /* PASSWORD_NONE: there is no section */
	unsigned int tries;          /* passwords of one user that are checked in a window */
	int64_t window;              /* seconds */
	int64_t delay; /* seconds; "wrong" is said at a multiple of them. 0: at once */
	struct ldap_config ldap; /* what finds a user; nothing of groups */
	char *service;           /* of PAM */
	int64_t pam_timeout;     /* seconds for one check by PAM */
	char *where;             /* FILE:LINE of the section; NULL: there is none */
};

/* Seconds that the source may take for one check. */
int64_t password_timeout(const struct password_config *p);

/* Seconds after which a check has certainly been answered. */
int64_t password_deadline(const struct password_config *p);

#endif
