#define _GNU_SOURCE /* asprintf */
#include "config/table.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "config/source.h"

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
	if (key_is_list(key)) {
		if (cfg_opt_size(option) == 0 && key->set == key_set_some)
			return error_set(e, ERROR_CONFIG,
			    "%s: %s: an empty list would mean everything: leave the key out",
			    where, key->name);
		key_list_empty(key_list(key, base));
	}
	for (unsigned int i = 0; i < cfg_opt_size(option); i++) {
		char *value = cfg_opt_getnstr(option, i);

		source_show(value);
		if (key_set(key, base, value, where, e) == -1)
			return -1;
	}
	return 0;
}

int
table_take(
    void *base, const struct table *keys, cfg_t *section, const char *name, struct error *e)
{
	for (size_t i = 0; i < keys->count; i++)
		if (take_option(base, &keys->rows[i], cfg_getopt(section, keys->rows[i].name),
			name, e) == -1)
			return -1;
	return 0;
}

void
table_describe(cfg_opt_t *options, const struct table *keys)
{
	for (size_t i = 0; i < keys->count; i++) {
		const char *name = keys->rows[i].name;
		cfg_opt_t scalar = CFG_STR_CB(name, NULL, CFGF_NODEFAULT, keep_line);
		cfg_opt_t list = CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, keep_line);
		cfg_opt_t *o = options;

		while (o->name != NULL && strcmp(o->name, name) != 0)
			o++;
		*o = key_is_list(&keys->rows[i]) ? list : scalar;
	}
}

/* What keep_error() kept, in the file or in the section it happened in; NULL: nothing. */
static const char *
first_error(cfg_t *cfg)
{
	for (cfg_opt_t *o = cfg->opts; o->name != NULL; o++) {
		for (unsigned int i = 0; o->type == CFGT_SEC && i < cfg_opt_size(o); i++) {
			cfg_t *section = cfg_opt_getnsec(o, i);
			const char *found = section != NULL ? first_error(section) : NULL;

			if (found != NULL)
				return found;
		}
	}
	return cfg->comment;
}

int
table_parse(
    cfg_t **cfg, cfg_opt_t *options, const char *text, const char *name, struct error *e)
{
	const char *wrong;

	*cfg = cfg_init(options, CFGF_NONE);
	if (*cfg == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	cfg_set_error_function(*cfg, keep_error);
	if (cfg_parse_buf(*cfg, text) == CFG_SUCCESS)
		return 0;
	wrong = first_error(*cfg);
	return error_set(
	    e, ERROR_CONFIG, "%s:%s", name, wrong != NULL ? wrong : " cannot be parsed");
}

int
table_read(void *base, const struct table *keys, const char *path, struct error *e)
{
	cfg_opt_t options[TABLE_KEYS] = {0};
	struct buffer text, copy;
	cfg_t *cfg = NULL;
	int rc = -1;

	buffer_init(&text, LIMIT_CONFIG_FILE);
	buffer_init(&copy, LIMIT_CONFIG_FILE);
	table_describe(options, keys);
	if (file_read_trusted(path, &text, NULL, e) == 0 &&
	    source_clean(&copy, text.data, text.length, path, e) == 0 &&
	    table_parse(&cfg, options, copy.data, path, e) == 0)
		rc = table_take(base, keys, cfg, path, e);
	if (cfg != NULL)
		cfg_free(cfg);
	buffer_free(&text);
	buffer_free(&copy);
	return rc;
}
