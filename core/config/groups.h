/* What the configuration says of groups: which sources are asked, in which order, and how. */
#ifndef CONFIG_GROUPS_H
#define CONFIG_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strings.h"

enum config_groups_mode { GROUPS_FIRST, GROUPS_MERGE };

/* A directory (RFC 4511). {0} in a filter is the user's name, {1} the DN of the user's entry.
 */
struct ldap_config {
	struct strings uri;   /* tried in order (RFC 4516) */
	bool start_tls;       /* RFC 4511, 4.14 */
	bool insecure;        /* groups may come in the clear from another machine */
	bool sends_passwords; /* of users, which never go in the clear to another machine */
	char *ca_file;        /* whom to trust; NULL: the system's */
	char *bind_dn;        /* NULL: anonymous */
	char *password_file;  /* NULL: none */
	char *base;           /* where users are */
	char *filter;         /* which of them is the user */
	char *name_attribute; /* must hold the user's name as it is spelt; NULL: any spelling */
	char *attribute;      /* of the user's entry, with groups; NULL: none is asked */
	char *group_base;     /* where groups are; NULL: they are not searched */
	char *group_filter;   /* which of them have the user as a member */
	char *group_name;     /* the attribute that names a group */
	bool nested;          /* whether the groups of groups are searched too */
	char *email_attribute;     /* NULL: none is asked */
	char *namespace_attribute; /* NULL: none is asked */
	int64_t timeout;           /* seconds for one look-up, the connection included */
};

/* A service that answers GET URL with {"groups": [...]}. */
struct rest_config {
	bool insecure;     /* groups may come in the clear from another machine */
	char *url;         /* with {0} for the user's name; without it the name is added */
	char *token_file;  /* a bearer token (RFC 6750); NULL: none */
	char *certificate; /* of the client, with key; NULL: none */
	char *key;
	char *ca_file;   /* whom to trust; NULL: the system's */
	int64_t timeout; /* seconds for one look-up */
};

/* Programs that print {"groups": [...]}. */
struct script_config {
	char *directory;      /* where they must be */
	struct strings files; /* their paths; the last one has the highest priority */
	int64_t timeout;      /* seconds for all of them */
};

struct groups_config {
	struct strings resolvers; /* the names of sources, in the order they are asked */
	enum config_groups_mode mode;
	int64_t cache;        /* seconds that an answer is used */
	int64_t stale;        /* seconds more while the sources fail; 0: none */
	int64_t retry;        /* seconds that a source which was slow to fail is left alone */
	struct strings allow; /* patterns of names to keep; empty: all */
	struct strings required; /* a subject is to be in one of these; empty: in any or none */
	struct strings exempt;   /* subjects that need not be */
	struct strings optional; /* sources whose failure is no failure */
	unsigned int most;       /* groups of one user; more are an error */
	bool claim;              /* whether tokens without a profile have "groups" */
	struct ldap_config ldap;
	struct rest_config rest;
	struct script_config script;
	char *static_file; /* one JSON object: {"USER": ["GROUP", ...]} */
	char *where;       /* FILE:LINE of the section; NULL: there is none */
};

/* Seconds that the source of this name may take; 0: it answers at once. */
int64_t groups_timeout(const struct groups_config *g, const char *source);

/* Whether no group can have this name, since all the sources give names in lower case. */
bool groups_never(const struct groups_config *g, const char *name);

/* Seconds after which a look-up has certainly ended, unless the host's own accounts hang. */
int64_t groups_deadline(const struct groups_config *g);

#endif
