/* The sections of a configuration and their keys. For the files of this folder. */
#ifndef CONFIG_SECTION_H
#define CONFIG_SECTION_H

#include "config/config.h"
#include "config/key.h"

struct table {
	const struct key_row *rows;
	size_t count;
};

extern const struct table config_keys;  /* of struct config */
extern const struct table profile_keys; /* of struct profile */
extern const struct table verify_keys;  /* of struct verify_section */
/* All of struct groups_config. */
extern const struct table groups_keys, ldap_keys, rest_keys, script_keys, static_keys;

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

int groups_init(struct groups_config *g, struct error *e);
void groups_free(struct groups_config *g);

/* Whether what a section groups says fits together. ERROR_CONFIG. */
int groups_check(const struct groups_config *g, struct error *e);

#endif
