/* Sections that describe profiles. */
#define _GNU_SOURCE /* strdup */
#include <stdlib.h>
#include <string.h>

#include "config/section.h"

#define FIELD(name) offsetof(struct profile, name)

static const struct key_row rows[] = {
    {"type", "JWT", key_set_type, FIELD(type)},
    {"algorithm", NULL, key_set_string, FIELD(algorithm)},
    {"kid", NULL, key_set_kid, FIELD(kid)},
    {"lifetime", NULL, key_set_duration, FIELD(lifetime)},
    {"audience", NULL, key_set_item, FIELD(audience)},
    {"nbf", "false", key_set_bool, FIELD(nbf)},
    {"groups", "false", key_set_bool, FIELD(groups)},
    {"claims", NULL, key_set_string, FIELD(claims)},
    {"rename", NULL, key_set_rename, FIELD(rename)},
};

const struct table profile_keys = {rows, sizeof(rows) / sizeof(rows[0])};

bool
section_name_is_plain(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length < LIMIT_PROFILE && *name != '.' && *name != '-' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			    "._-") == length;
}

int
profile_add(struct profiles *to, const char *name, const char *where, struct error *e)
{
	struct profile *items, *p;

	if (!section_name_is_plain(name))
		return error_set(e, ERROR_CONFIG,
		    "%s: profile '%.64s': a name is of letters, digits and ._-", where, name);
	if (to->count == LIMIT_PROFILES)
		return error_set(
		    e, ERROR_CONFIG, "%s: more than %d profiles", where, LIMIT_PROFILES);
	items = realloc(to->items, (to->count + 1) * sizeof(*items));
	if (items == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	to->items = items;
	p = &items[to->count++];
	*p = (struct profile){.name = strdup(name), .where = strdup(where)};
	if (p->name == NULL || p->where == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	return key_set_initial(profile_keys.rows, profile_keys.count, p, e);
}

void
profiles_free(struct profiles *profiles)
{
	for (size_t i = 0; i < profiles->count; i++) {
		struct profile *p = &profiles->items[i];

		key_free_fields(profile_keys.rows, profile_keys.count, p);
		free(p->name);
		free(p->where);
	}
	free(profiles->items);
	*profiles = (struct profiles){0};
}

const struct profile *
config_profile(const struct profiles *profiles, const char *name)
{
	for (size_t i = 0; i < profiles->count; i++)
		if (strcmp(profiles->items[i].name, name) == 0)
			return &profiles->items[i];
	return NULL;
}
