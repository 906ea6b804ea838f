#define _GNU_SOURCE /* O_CLOEXEC and friends, strdup */
#include "config/config.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "config/key.h"
#include "config/source.h"

#define FIELD(name) offsetof(struct config, name)

static const struct key_row keys[] = {
    {"directory", "/tmp/tokens", key_set_path, FIELD(directory)},
    {"group", NULL, key_set_string, FIELD(group)},
    {"mode", "0640", key_set_mode, FIELD(mode)},
    {"access", "group", key_set_access, FIELD(access)},
    {"max-age", "10s", key_set_duration, FIELD(max_age)},
    {"max-files", "1000000", key_set_files, FIELD(max_files)},
    {"private-key", NULL, key_set_string, FIELD(private_key)},
    {"passphrase-file", NULL, key_set_string, FIELD(passphrase_file)},
    {"algorithm", "RS512", key_set_string, FIELD(algorithm)},
    {"kid", "thumbprint", key_set_kid, FIELD(kid)},
    {"issuer", NULL, key_set_string, FIELD(issuer)},
    {"lifetime", "24h", key_set_duration, FIELD(lifetime)},
    {"attributes", NULL, key_set_path, FIELD(attributes)},
    {"policy", NULL, key_set_path, FIELD(policy)},
    {"permit-anonymous", "false", key_set_bool, FIELD(permit_anonymous)},
    {"realms", NULL, key_set_item, FIELD(realms)},
    {"hosts", "localhost,127.0.0.1,[::1]", key_set_item, FIELD(hosts)},
    {"peers", "www-data", key_set_item, FIELD(peers)},
    {"subject-pattern", NULL, key_set_string, FIELD(subject_pattern)},
    {"workers", "1", key_set_workers, FIELD(workers)},
    {"signer-threads", "0", key_set_count, FIELD(signer_threads)},
    {"log", "stderr", key_set_log, FIELD(log)},
    {"audit", "none", key_set_audit, FIELD(audit)},
};

#define PROFILE_FIELD(name) offsetof(struct profile, name)

static const struct key_row profile_keys[] = {
    {"type", "JWT", key_set_type, PROFILE_FIELD(type)},
    {"algorithm", NULL, key_set_string, PROFILE_FIELD(algorithm)},
    {"kid", NULL, key_set_kid, PROFILE_FIELD(kid)},
    {"lifetime", NULL, key_set_duration, PROFILE_FIELD(lifetime)},
    {"audience", NULL, key_set_item, PROFILE_FIELD(audience)},
    {"nbf", "false", key_set_bool, PROFILE_FIELD(nbf)},
    {"claims", NULL, key_set_string, PROFILE_FIELD(claims)},
    {"rename", NULL, key_set_rename, PROFILE_FIELD(rename)},
};

enum {
	KEY_COUNT = sizeof(keys) / sizeof(keys[0]),
	PROFILE_KEY_COUNT = sizeof(profile_keys) / sizeof(profile_keys[0])
};

int
config_set(struct config *c, const char *key_name, const char *value, const char *where,
    struct error *e)
{
	const struct key_row *key = key_find(keys, KEY_COUNT, key_name);
	char *copy, *item, *next;
	int rc = 0;

	if (key == NULL)
		return error_set(e, ERROR_CONFIG, "%s: unknown key '%.64s'", where, key_name);
	if (!key_is_list(key))
		return key_set(key, c, value, where, e);
	key_list_empty(key_list(key, c));
	copy = strdup(value);
	if (copy == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	for (item = copy; item != NULL && *copy != '\0' && rc == 0; item = next) {
		next = strchr(item, ',');
		if (next != NULL)
			*next++ = '\0';
		rc = key_set(key, c, item, where, e);
	}
	free(copy);
	return rc;
}

int
config_init(struct config *c, struct error *e)
{
	*c = (struct config){0};
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (keys[i].initial != NULL &&
		    config_set(c, keys[i].name, keys[i].initial, "default", e) == -1)
			return -1;
	return 0;
}

static void
profile_free(struct profile *p)
{
	key_free_fields(profile_keys, PROFILE_KEY_COUNT, p);
	free(p->name);
	free(p->where);
}

void
config_free(struct config *c)
{
	key_free_fields(keys, KEY_COUNT, c);
	for (size_t i = 0; i < c->profiles.count; i++)
		profile_free(&c->profiles.items[i]);
	free(c->profiles.items);
	*c = (struct config){0};
}

const struct profile *
config_profile(const struct profiles *profiles, const char *name)
{
	for (size_t i = 0; i < profiles->count; i++)
		if (strcmp(profiles->items[i].name, name) == 0)
			return &profiles->items[i];
	return NULL;
}

/*
 * libconfuse's callbacks carry no pointer of ours. What they learn is kept in the
 * comment fields that it provides and that we do not use otherwise: the first error
 * in the file's own, the line of each option in that option's.
 */
static void
keep_error(cfg_t *cfg, const char *format, va_list args)
{
	char text[LIMIT_ERROR_TEXT];

	if (cfg->comment != NULL)
		return;
	(void)vsnprintf(text, sizeof(text), format, args);
	source_show(text);
	if (asprintf(&cfg->comment, "%d: %s", cfg->line, text) == -1)
		cfg->comment = NULL;
}

/* Called for each value. Another "=" starts the values of an option anew, so that a
 * first value with a line already kept is a key given twice. */
static int
keep_line(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result)
{
	char line[16];

	*(const char **)result = value;
	if (cfg_opt_size(option) > 1) /* a further item of a list */
		return 0;
	if (cfg_opt_getcomment(option) != NULL) {
		cfg_error(cfg, "%s: given twice, first in line %s", cfg_opt_name(option),
		    cfg_opt_getcomment(option));
		return -1;
	}
	(void)snprintf(line, sizeof(line), "%d", cfg->line);
	return cfg_opt_setcomment(option, line);
}

/* Gives the values of a key in the file to its field of the struct at base. */
static int
take_option(
    void *base, const struct key_row *key, cfg_opt_t *option, const char *name, struct error *e)
{
	const char *line = cfg_opt_getcomment(option);
	/* An empty list has no value to call back with; "=" leaves this mark. */
	bool emptied = (option->flags & CFGF_RESET) != 0;
	char where[LIMIT_ERROR_TEXT];

	if (line == NULL && !emptied) /* not in the file */
		return 0;
	(void)snprintf(where, sizeof(where), "%s:%s", name, line != NULL ? line : "?");
	if (line != NULL && emptied)
		return error_set(
		    e, ERROR_CONFIG, "%s: %s: given again as an empty list", where, key->name);
	if (key_is_list(key))
		key_list_empty(key_list(key, base));
	for (unsigned int i = 0; i < cfg_opt_size(option); i++) {
		char *value = cfg_opt_getnstr(option, i);

		source_show(value);
		if (key_set(key, base, value, where, e) == -1)
			return -1;
	}
	return 0;
}

static int
take_options(void *base, const struct key_row *rows, size_t count, cfg_t *section,
    const char *name, struct error *e)
{
	for (size_t i = 0; i < count; i++)
		if (take_option(base, &rows[i], cfg_getopt(section, rows[i].name), name, e) ==
		    -1)
			return -1;
	return 0;
}

/* A profile's name is said in queries, in rules and in logs. */
static bool
name_is_plain(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length < LIMIT_PROFILE && *name != '.' && *name != '-' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			    "._-") == length;
}

static int
take_profile(struct config *c, cfg_t *section, const char *name, struct error *e)
{
	char *title = section->title;
	const char *claims = cfg_opt_getcomment(cfg_getopt(section, "claims"));
	char where[LIMIT_ERROR_TEXT];
	struct profile *items, *p;

	source_show(title);
	/* The line that later checks will be about, else that of the closing brace. */
	if (claims != NULL)
		(void)snprintf(where, sizeof(where), "%s:%s", name, claims);
	else
		(void)snprintf(where, sizeof(where), "%s:%d", name, section->line);
	if (!name_is_plain(title))
		return error_set(e, ERROR_CONFIG,
		    "%s: profile '%.64s': a name is of letters, digits and ._-", where, title);
	if (c->profiles.count == LIMIT_PROFILES)
		return error_set(
		    e, ERROR_CONFIG, "%s: more than %d profiles", where, LIMIT_PROFILES);
	items = realloc(c->profiles.items, (c->profiles.count + 1) * sizeof(*items));
	if (items == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	c->profiles.items = items;
	p = &items[c->profiles.count++];
	*p = (struct profile){.name = strdup(title), .where = strdup(where)};
	if (p->name == NULL || p->where == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	for (size_t i = 0; i < PROFILE_KEY_COUNT; i++)
		if (profile_keys[i].initial != NULL &&
		    key_set(&profile_keys[i], p, profile_keys[i].initial, where, e) == -1)
			return -1;
	return take_options(p, profile_keys, PROFILE_KEY_COUNT, section, name, e);
}

/* What libconfuse is to read; ends with CFG_END(). */
static void
describe(cfg_opt_t *options, const struct key_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cfg_opt_t scalar = CFG_STR_CB(rows[i].name, NULL, CFGF_NODEFAULT, keep_line);
		cfg_opt_t list = CFG_STR_LIST_CB(rows[i].name, NULL, CFGF_NODEFAULT, keep_line);

		options[i] = key_is_list(&rows[i]) ? list : scalar;
	}
	options[count] = (cfg_opt_t)CFG_END();
}

/* What keep_error() kept, in the file or in the section it happened in. */
static const char *
first_error(cfg_t *cfg)
{
	for (unsigned int i = 0; i < cfg_size(cfg, "profile"); i++) {
		cfg_t *section = cfg_getnsec(cfg, "profile", i);

		if (section != NULL && section->comment != NULL)
			return section->comment;
	}
	return cfg->comment != NULL ? cfg->comment : " cannot be parsed";
}

static int
take_file(struct config *c, cfg_t *cfg, const char *name, struct error *e)
{
	if (take_options(c, keys, KEY_COUNT, cfg, name, e) == -1)
		return -1;
	for (unsigned int i = 0; i < cfg_size(cfg, "profile"); i++)
		if (take_profile(c, cfg_getnsec(cfg, "profile", i), name, e) == -1)
			return -1;
	return 0;
}

int
config_parse(
    struct config *c, const char *text, size_t length, const char *name, struct error *e)
{
	cfg_opt_t profile[PROFILE_KEY_COUNT + 1] = {0};
	cfg_opt_t options[KEY_COUNT + 2] = {0};
	cfg_opt_t section =
	    CFG_SEC("profile", profile, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	struct buffer copy;
	cfg_t *cfg = NULL;
	int rc = -1;

	buffer_init(&copy, LIMIT_CONFIG_FILE);
	if (source_clean(&copy, text, length, name, e) == -1)
		goto out;
	describe(profile, profile_keys, PROFILE_KEY_COUNT);
	describe(options, keys, KEY_COUNT);
	options[KEY_COUNT] = section;
	options[KEY_COUNT + 1] = (cfg_opt_t)CFG_END();
	cfg = cfg_init(options, CFGF_NONE);
	if (cfg == NULL) {
		error_set(e, ERROR_INTERNAL, "out of memory");
		goto out;
	}
	cfg_set_error_function(cfg, keep_error);
	if (cfg_parse_buf(cfg, copy.data) == CFG_SUCCESS)
		rc = take_file(c, cfg, name, e);
	else
		error_set(e, ERROR_CONFIG, "%s:%s", name, first_error(cfg));
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
