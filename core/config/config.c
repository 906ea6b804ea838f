#define _GNU_SOURCE /* O_CLOEXEC and friends, strdup */
#include "config/config.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/parse.h"
#include "config/source.h"

/*
 * One row a key: its name, its default and how its text becomes the field. libconfuse
 * gives every scalar as text, so that a file and a flag go through the same function.
 */
struct key {
	const char *name;
	const char *initial; /* NULL: the field stays zero */
	enum { SCALAR, LIST } shape;
	/* 0, or -1 and *wanted, which says what the value should have been. */
	int (*set)(struct config *c, size_t offset, const char *value, const char **wanted);
	size_t offset;
};

static int
set_string(struct config *c, size_t offset, const char *value, const char **wanted)
{
	char **field = (char **)(void *)((char *)c + offset);
	char *copy;

	if (*value == '\0') {
		*wanted = "a value that is not empty";
		return -1;
	}
	copy = strdup(value);
	if (copy == NULL) {
		*wanted = "more memory";
		return -1;
	}
	free(*field);
	*field = copy;
	return 0;
}

static int
set_path(struct config *c, size_t offset, const char *value, const char **wanted)
{
	if (*value != '/' || strlen(value) >= LIMIT_PATH) {
		*wanted = "an absolute path";
		return -1;
	}
	return set_string(c, offset, value, wanted);
}

static int
set_duration(struct config *c, size_t offset, const char *value, const char **wanted)
{
	int64_t *field = (int64_t *)(void *)((char *)c + offset);

	*wanted = "a duration such as 90s, 15m or 24h";
	return parse_duration(value, strlen(value), field);
}

static int
set_count(struct config *c, size_t offset, const char *value, const char **wanted)
{
	unsigned int *field = (unsigned int *)(void *)((char *)c + offset);
	uint64_t n;

	*wanted = "a number from 0 to 64";
	if (parse_number(value, strlen(value), LIMIT_WORKERS, &n) == -1)
		return -1;
	*field = (unsigned int)n;
	return 0;
}

static int
set_workers(struct config *c, size_t offset, const char *value, const char **wanted)
{
	if (strcmp(value, "0") == 0) {
		*wanted = "a number from 1 to 64";
		return -1;
	}
	return set_count(c, offset, value, wanted);
}

static int
set_bool(struct config *c, size_t offset, const char *value, const char **wanted)
{
	bool *field = (bool *)(void *)((char *)c + offset);

	*wanted = "true or false";
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return -1;
	*field = *value == 't';
	return 0;
}

static int
set_kid(struct config *c, size_t offset, const char *value, const char **wanted)
{
	bool *field = (bool *)(void *)((char *)c + offset);

	*wanted = "thumbprint or none";
	if (strcmp(value, "thumbprint") != 0 && strcmp(value, "none") != 0)
		return -1;
	*field = *value == 't';
	return 0;
}

static int
set_mode(struct config *c, size_t offset, const char *value, const char **wanted)
{
	mode_t *field = (mode_t *)(void *)((char *)c + offset);
	mode_t mode;

	*wanted = "an octal string such as \"0640\" that gives others nothing";
	if (parse_mode(value, strlen(value), &mode) == -1 || (mode & 0137) != 0 ||
	    (mode & 0400) == 0)
		return -1;
	*field = mode;
	return 0;
}

static int
set_access(struct config *c, size_t offset, const char *value, const char **wanted)
{
	enum config_access *field = (enum config_access *)(void *)((char *)c + offset);

	*wanted = "group or subject";
	if (strcmp(value, "group") != 0 && strcmp(value, "subject") != 0)
		return -1;
	*field = *value == 'g' ? ACCESS_GROUP : ACCESS_SUBJECT;
	return 0;
}

static int
set_log(struct config *c, size_t offset, const char *value, const char **wanted)
{
	enum config_log *field = (enum config_log *)(void *)((char *)c + offset);

	*wanted = "stderr or syslog";
	if (strcmp(value, "stderr") != 0 && strcmp(value, "syslog") != 0)
		return -1;
	*field = strcmp(value, "stderr") == 0 ? LOG_TO_STDERR : LOG_TO_SYSLOG;
	return 0;
}

/* Adds one item; the list was emptied before its first. */
static int
set_item(struct config *c, size_t offset, const char *value, const char **wanted)
{
	struct strings *list = (struct strings *)(void *)((char *)c + offset);
	char **items;
	char *copy;

	*wanted = "a list of at most 64 items, none empty";
	if (*value == '\0' || list->count == LIMIT_LIST)
		return -1;
	items = realloc(list->items, (list->count + 1) * sizeof(*items));
	if (items == NULL)
		return -1;
	list->items = items;
	copy = strdup(value);
	if (copy == NULL)
		return -1;
	items[list->count++] = copy;
	return 0;
}

#define FIELD(name) offsetof(struct config, name)

static const struct key keys[] = {
    {"directory", "/tmp/tokens", SCALAR, set_path, FIELD(directory)},
    {"group", NULL, SCALAR, set_string, FIELD(group)},
    {"mode", "0640", SCALAR, set_mode, FIELD(mode)},
    {"access", "group", SCALAR, set_access, FIELD(access)},
    {"max-age", "10s", SCALAR, set_duration, FIELD(max_age)},
    {"private-key", NULL, SCALAR, set_string, FIELD(private_key)},
    {"passphrase-file", NULL, SCALAR, set_string, FIELD(passphrase_file)},
    {"algorithm", "RS512", SCALAR, set_string, FIELD(algorithm)},
    {"kid", "thumbprint", SCALAR, set_kid, FIELD(kid)},
    {"issuer", NULL, SCALAR, set_string, FIELD(issuer)},
    {"lifetime", "24h", SCALAR, set_duration, FIELD(lifetime)},
    {"policy", NULL, SCALAR, set_path, FIELD(policy)},
    {"permit-anonymous", "false", SCALAR, set_bool, FIELD(permit_anonymous)},
    {"realms", NULL, LIST, set_item, FIELD(realms)},
    {"hosts", "localhost,127.0.0.1,[::1]", LIST, set_item, FIELD(hosts)},
    {"peers", "www-data", LIST, set_item, FIELD(peers)},
    {"subject-pattern", NULL, SCALAR, set_string, FIELD(subject_pattern)},
    {"workers", "1", SCALAR, set_workers, FIELD(workers)},
    {"signer-threads", "0", SCALAR, set_count, FIELD(signer_threads)},
    {"log", "stderr", SCALAR, set_log, FIELD(log)},
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

static const struct key *
find_key(const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static void
empty_list(struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strings){0};
}

static int
set_value(struct config *c, const struct key *key, const char *value, const char *where,
    struct error *e)
{
	const char *wanted = NULL;

	if (key->set(c, key->offset, value, &wanted) == 0)
		return 0;
	return error_set(
	    e, ERROR_CONFIG, "%s: %s: '%.64s' is not %s", where, key->name, value, wanted);
}

int
config_set(struct config *c, const char *key_name, const char *value, const char *where,
    struct error *e)
{
	const struct key *key = find_key(key_name);
	char *copy, *item, *next;
	int rc = 0;

	if (key == NULL)
		return error_set(e, ERROR_CONFIG, "%s: unknown key '%.64s'", where, key_name);
	if (key->shape == SCALAR)
		return set_value(c, key, value, where, e);
	empty_list((struct strings *)(void *)((char *)c + key->offset));
	copy = strdup(value);
	if (copy == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	for (item = copy; item != NULL && *copy != '\0' && rc == 0; item = next) {
		next = strchr(item, ',');
		if (next != NULL)
			*next++ = '\0';
		rc = set_value(c, key, item, where, e);
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

void
config_free(struct config *c)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		void *field = (char *)c + keys[i].offset;

		if (keys[i].shape == LIST)
			empty_list(field);
		else if (keys[i].set == set_string || keys[i].set == set_path)
			free(*(char **)field);
	}
	*c = (struct config){0};
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

static int
take_option(struct config *c, const struct key *key, cfg_opt_t *option, const char *name,
    struct error *e)
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
	if (key->shape == LIST)
		empty_list((struct strings *)(void *)((char *)c + key->offset));
	for (unsigned int i = 0; i < cfg_opt_size(option); i++) {
		char *value = cfg_opt_getnstr(option, i);

		source_show(value);
		if (set_value(c, key, value, where, e) == -1)
			return -1;
	}
	return 0;
}

int
config_parse(
    struct config *c, const char *text, size_t length, const char *name, struct error *e)
{
	cfg_opt_t options[KEY_COUNT + 1] = {0};
	struct buffer copy;
	cfg_t *cfg = NULL;
	int rc = -1;

	buffer_init(&copy, LIMIT_CONFIG_FILE);
	if (source_clean(&copy, text, length, name, e) == -1)
		goto out;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		cfg_opt_t scalar = CFG_STR_CB(keys[i].name, NULL, CFGF_NODEFAULT, keep_line);
		cfg_opt_t list = CFG_STR_LIST_CB(keys[i].name, NULL, CFGF_NODEFAULT, keep_line);

		options[i] = keys[i].shape == LIST ? list : scalar;
	}
	options[KEY_COUNT] = (cfg_opt_t)CFG_END();
	cfg = cfg_init(options, CFGF_NONE);
	if (cfg == NULL) {
		error_set(e, ERROR_INTERNAL, "out of memory");
		goto out;
	}
	cfg_set_error_function(cfg, keep_error);
	if (cfg_parse_buf(cfg, copy.data) != CFG_SUCCESS) {
		error_set(e, ERROR_CONFIG, "%s:%s", name,
		    cfg->comment != NULL ? cfg->comment : " cannot be parsed");
		goto out;
	}
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (take_option(c, &keys[i], cfg_getopt(cfg, keys[i].name), name, e) == -1)
			goto out;
	rc = 0;
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
	if (file_read_trusted(path, &text, e) == 0)
		rc = config_parse(c, text.data, text.length, path, e);
	buffer_free(&text);
	return rc;
}
