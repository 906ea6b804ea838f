/* The sections of a configuration and their keys. For the files of this folder. */
#ifndef CONFIG_SECTION_H
#define CONFIG_SECTION_H

#include "config/config.h"
#include "config/table.h"

extern const struct table config_keys;    /* of struct config */
extern const struct table profile_keys;   /* of struct profile */
extern const struct table verify_keys;    /* of struct verify_section */
extern const struct table keep_keys;      /* of struct keep_section */
extern const struct table groups_keys;    /* of struct groups_config, without its sources */
extern const struct table ldap_user_keys; /* of struct ldap_config, what finds a user */
extern const struct table password_keys;  /* of struct password_config, whatever its source */
extern const struct table pam_keys;       /* of the same, where PAM is the source */

/* A section in the section groups. */
struct groups_source {
	const char *name;
	struct table keys;
	size_t offset; /* in struct groups_config, of the struct that the keys are of */
};

enum { GROUPS_SOURCES = 4 };
extern const struct groups_source groups_sources[GROUPS_SOURCES];

/* That struct. */
void *groups_source_base(const struct groups_source *s, struct groups_config *g);

/* Whether a section's name, which queries, rules and logs say, is of letters, digits and ._-.
 */
bool section_name_is_plain(const char *name);

/* Adds a profile with its defaults, to be the last one; where is kept. ERROR_CONFIG. */
int profile_add(struct profiles *to, const char *name, const char *where, struct error *e);
void profiles_free(struct profiles *profiles);

/* The same for a section verify, and whether what it says fits together. */
int verify_add(
    struct verify_sections *to, const char *name, const char *where, struct error *e);
int verify_check(const struct verify_section *s, struct error *e);
void verify_free(struct verify_sections *sections);

/* The same for a section keep. */
int keep_add(struct keep_sections *to, const char *name, const char *where, struct error *e);
int keep_check(const struct keep_section *s, struct error *e);
void keep_free(struct keep_sections *sections);

int groups_init(struct groups_config *g, struct error *e);
void groups_free(struct groups_config *g);

/* Whether what a section groups says fits together. ERROR_CONFIG. */
int groups_check(const struct groups_config *g, struct error *e);

/* What is wrong with the part of a section ldap that finds a user, NULL when nothing is. */
const char *ldap_user_wrong(const struct ldap_config *l);

int password_init(struct password_config *p, struct error *e);
void password_free(struct password_config *p);

/* The source by the title of the section, "ldap" or "pam". ERROR_CONFIG. */
int password_set_source(struct password_config *p, const char *title, struct error *e);

/* Whether the key of a source is one of this section's. */
bool password_has_key(const struct password_config *p, const char *key);

/* The struct that the keys of its source are of, and these. */
void *password_source(struct password_config *p, const struct table **keys);

/* Whether what the section says fits together. ERROR_CONFIG. */
int password_check(const struct password_config *p, struct error *e);

#endif
