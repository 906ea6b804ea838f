/* The configuration file, as libconfuse reads it. */
#define _GNU_SOURCE /* asprintf, strdup */
#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "config/section.h"
#include "config/source.h"

enum { SECTIONS = 5 };

/* Writes FILE:LINE of what later checks will be about: of the key if it is there, else of the
 * closing brace. */
static void
find_where(char where[LIMIT_ERROR_TEXT], cfg_t *section, const char *key, const char *name)
{
	const char *line = cfg_opt_getcomment(cfg_getopt(section, key));

	if (line != NULL)
		(void)snprintf(where, LIMIT_ERROR_TEXT, "%s:%s", name, line);
	else
		(void)snprintf(where, LIMIT_ERROR_TEXT, "%s:%d", name, section->line);
}

static int
take_profile(struct config *c, cfg_t *section, const char *name, struct error *e)
{
	char where[LIMIT_ERROR_TEXT];

	source_show(section->title);
	find_where(where, section, "claims", name);
	if (profile_add(&c->profiles, section->title, where, e) == -1)
		return -1;
	return table_take(
	    &c->profiles.items[c->profiles.count - 1], &profile_keys, section, name, e);
}

/* By which key the section says where its keys are. */
static const char *
key_of_keys(cfg_t *section)
{
	if (cfg_size(section, "keys-url") > 0)
		return "keys-url";
	return cfg_size(section, "keys") > 0 ? "keys" : "public-key";
}

static int
take_verify(struct verify_sections *to, cfg_t *section, const char *name, struct error *e)
{
	char where[LIMIT_ERROR_TEXT];
	struct verify_section *s;

	source_show(section->title);
	find_where(where, section, key_of_keys(section), name);
	if (verify_add(to, section->title, where, e) == -1)
		return -1;
	s = &to->items[to->count - 1];
	if (table_take(s, &verify_keys, section, name, e) == -1)
		return -1;
	return verify_check(s, e);
}

static int
take_keep(struct keep_sections *to, cfg_t *section, const char *name, struct error *e)
{
	char where[LIMIT_ERROR_TEXT];
	struct keep_section *s;

	source_show(section->title);
	find_where(where, section, "file", name);
	if (keep_add(to, section->title, where, e) == -1)
		return -1;
	s = &to->items[to->count - 1];
	if (table_take(s, &keep_keys, section, name, e) == -1)
		return -1;
	return keep_check(s, e);
}

/* The section that may be there once; *found is NULL when it is not. */
static int
find_section(cfg_t *cfg, const char *section, const char *name, cfg_t **found, struct error *e)
{
	unsigned int count = cfg_size(cfg, section);

	*found = count == 0 ? NULL : cfg_getnsec(cfg, section, 0);
	if (count < 2)
		return 0;
	return error_set(e, ERROR_CONFIG, "%s:%d: %s: given twice, first in line %d", name,
	    cfg_getnsec(cfg, section, 1)->line, section, (*found)->line);
}

/* A source that nobody asks is a mistake: another one would decide in its place. */
static int
take_source(struct groups_config *g, const struct groups_source *source, cfg_t *section,
    const char *name, struct error *e)
{
	if (table_take(groups_source_base(source, g), &source->keys, section, name, e) == -1)
		return -1;
	if (strings_have(&g->resolvers, source->name))
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "%s:%d: groups: there is a section %s, but resolvers does not name it", name,
	    section->line, source->name);
}

/* Keeps where a section is, over what was kept of another file. */
static int
keep_where(char **where, const cfg_t *section, const char *name, struct error *e)
{
	free(*where);
	if (asprintf(where, "%s:%d", name, section->line) != -1)
		return 0;
	*where = NULL;
	return error_set(e, ERROR_INTERNAL, "out of memory");
}

static int
take_groups(struct groups_config *g, cfg_t *cfg, const char *name, struct error *e)
{
	cfg_t *section, *source;

	if (find_section(cfg, "groups", name, &section, e) == -1)
		return -1;
	if (section == NULL)
		return 0;
	if (keep_where(&g->where, section, name, e) == -1)
		return -1;
	if (table_take(g, &groups_keys, section, name, e) == -1)
		return -1;
	for (size_t i = 0; i < GROUPS_SOURCES; i++) {
		const struct groups_source *s = &groups_sources[i];

		if (find_section(section, s->name, name, &source, e) == -1 ||
		    (source != NULL && take_source(g, s, source, name, e) == -1))
			return -1;
	}
	return groups_check(g, e);
}

/* A key that the other source has is a mistake: it would do nothing. */
static int
refuse_foreign(const struct password_config *p, const struct table *keys, cfg_t *section,
    const char *name, struct error *e)
{
	for (size_t i = 0; i < keys->count; i++) {
		const char *key = keys->rows[i].name;
		cfg_opt_t *option = cfg_getopt(section, key);
		const char *line = cfg_opt_getcomment(option);

		if ((line != NULL || (option->flags & CFGF_RESET) != 0) &&
		    !password_has_key(p, key))
			return error_set(e, ERROR_CONFIG,
			    "%s:%s: password \"%s\" has no key %s", name,
			    line != NULL ? line : "?", section->title, key);
	}
	return 0;
}

static int
take_password(struct password_config *p, cfg_t *cfg, const char *name, struct error *e)
{
	const struct table *keys;
	cfg_t *section;
	void *base;

	if (find_section(cfg, "password", name, &section, e) == -1)
		return -1;
	if (section == NULL)
		return 0;
	source_show(section->title);
	if (keep_where(&p->where, section, name, e) == -1 ||
	    password_set_source(p, section->title, e) == -1 ||
	    refuse_foreign(p, &ldap_user_keys, section, name, e) == -1 ||
	    refuse_foreign(p, &pam_keys, section, name, e) == -1)
		return -1;
	base = password_source(p, &keys);
	if (table_take(p, &password_keys, section, name, e) == -1 ||
	    table_take(base, keys, section, name, e) == -1)
		return -1;
	return password_check(p, e);
}

static int
take_file(struct config *c, cfg_t *cfg, const char *name, struct error *e)
{
	if (table_take(c, &config_keys, cfg, name, e) == -1)
		return -1;
	for (unsigned int i = 0; i < cfg_size(cfg, "profile"); i++)
		if (take_profile(c, cfg_getnsec(cfg, "profile", i), name, e) == -1)
			return -1;
	for (unsigned int i = 0; i < cfg_size(cfg, "verify"); i++)
		if (take_verify(&c->verify, cfg_getnsec(cfg, "verify", i), name, e) == -1)
			return -1;
	for (unsigned int i = 0; i < cfg_size(cfg, "keep"); i++)
		if (take_keep(&c->keeps, cfg_getnsec(cfg, "keep", i), name, e) == -1)
			return -1;
	if (take_groups(&c->groups, cfg, name, e) == -1)
		return -1;
	return take_password(&c->password, cfg, name, e);
}

int
config_parse(
    struct config *c, const char *text, size_t length, const char *name, struct error *e)
{
	/* Zeroes, as CFG_END() is, stand behind what is described. */
	cfg_opt_t options[TABLE_KEYS + SECTIONS] = {0}, profile[TABLE_KEYS] = {0};
	cfg_opt_t groups[TABLE_KEYS] = {0}, verify[TABLE_KEYS] = {0},
		  password[TABLE_KEYS] = {0}, keep[TABLE_KEYS] = {0};
	cfg_opt_t source[GROUPS_SOURCES][TABLE_KEYS] = {0};
	const cfg_opt_t sections[SECTIONS] = {
	    CFG_SEC("profile", profile, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_SEC("verify", verify, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_SEC("keep", keep, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
	    CFG_SEC("groups", groups, CFGF_MULTI),
	    CFG_SEC("password", password, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES)};
	struct buffer copy;
	cfg_t *cfg = NULL;
	int rc = -1;

	buffer_init(&copy, LIMIT_CONFIG_FILE);
	if (source_clean(&copy, text, length, name, e) == -1)
		goto out;
	table_describe(options, &config_keys);
	memcpy(options + config_keys.count, sections, sizeof(sections));
	table_describe(profile, &profile_keys);
	table_describe(verify, &verify_keys);
	table_describe(keep, &keep_keys);
	table_describe(groups, &groups_keys);
	table_describe(password, &password_keys);
	table_describe(password, &ldap_user_keys);
	table_describe(password, &pam_keys);
	for (size_t i = 0; i < GROUPS_SOURCES; i++) {
		const cfg_opt_t section =
		    CFG_SEC(groups_sources[i].name, source[i], CFGF_MULTI);

		table_describe(source[i], &groups_sources[i].keys);
		groups[groups_keys.count + i] = section;
	}
	if (table_parse(&cfg, options, copy.data, name, e) == 0)
		rc = take_file(c, cfg, name, e);
out:
	if (cfg != NULL)
		cfg_free(cfg);
	buffer_free(&copy);
	return rc;
}

int
config_read(struct config *c, const char *path, struct error *e)
{
	struct buffer text;
	int rc = -1;

	buffer_init(&text, LIMIT_CONFIG_FILE);
	if (file_read_trusted(path, &text, NULL, e) == 0)
		rc = config_parse(c, text.data, text.length, path, e);
	buffer_free(&text);
	return rc;
}
