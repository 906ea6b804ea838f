#define _GNU_SOURCE /* asprintf */
#include "config/flags.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLAG_CONFIG = 0x100, FLAG_SET, FLAG_ISSUER, FLAG_TTL, FLAG_MAX_AGE, FLAG_ANONYMOUS };

static const struct argp_option options[] = {
    {"config", FLAG_CONFIG, "FILE", 0, "Read the configuration from FILE", 0},
    {"directory", 'd', "DIR", 0, "Directory to place tokens in (/tmp/tokens)", 0},
    {"private-key", 'k', "FILE", 0, "Path to the private key (PEM)", 0},
    {"algorithm", 'a', "NAME", 0, "Signing algorithm (RS512)", 0},
    {"group", 'g', "NAME", 0, "Group to give token files to", 0},
    {"issuer", FLAG_ISSUER, "TEXT", 0, "The iss claim (the host's primary address)", 0},
    {"ttl", FLAG_TTL, "DURATION", 0, "Lifetime of tokens, and the most a request gets (24h)",
	0},
    {"max-age", FLAG_MAX_AGE, "DURATION", 0, "Age at which a token file is deleted (10s)", 0},
    {"permit-anonymous", FLAG_ANONYMOUS, NULL, 0,
	"Let a caller that nobody authenticated have a token for any subject", 0},
    {"set", FLAG_SET, "KEY=VALUE", 0, "Set any key of authserver.conf(5)", 0},
    {0},
};

static const struct {
	int flag;
	const char *key;
} keys[] = {
    {'d', "directory"},
    {'k', "private-key"},
    {'a', "algorithm"},
    {'g', "group"},
    {FLAG_ISSUER, "issuer"},
    {FLAG_TTL, "lifetime"},
    {FLAG_MAX_AGE, "max-age"},
};

static void
record(struct flags *f, const char *key, const char *value, struct argp_state *state)
{
	if (f->count == FLAGS_MAX)
		argp_error(state, "too many flags: at most %d", FLAGS_MAX);
	f->items[f->count].variable = NULL;
	f->items[f->count].key = key;
	f->items[f->count++].value = value;
}

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct flags *f = state->input;
	char *equals;

	if (flag == FLAG_CONFIG) {
		f->config_file = value;
		return 0;
	}
	if (flag == FLAG_ANONYMOUS) {
		record(f, "permit-anonymous", "true", state);
		return 0;
	}
	if (flag == FLAG_SET) {
		equals = strchr(value, '=');
		if (equals == NULL)
			argp_error(state, "--set %s: want KEY=VALUE", value);
		else
			*equals++ = '\0';
		record(f, value, equals, state);
		return 0;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].flag == flag) {
			record(f, keys[i].key, value, state);
			return 0;
		}
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp flags_argp = {.options = options, .parser = parse_flag};

void
flags_take_environment(struct flags *f, char *(*get)(const char *name))
{
	static const struct {
		const char *variable;
		const char *key;
	} known[] = {
	    {"JWT_PUBLIC_KEY", "jwt-public-key"},
	    {"JWT_ALGORITHM", "jwt-algorithm"},
	    {"JWT_USER_CLAIM_KEY", "user-claim"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *value = get(known[i].variable);

		if (value == NULL || *value == '\0' || f->count == FLAGS_MAX)
			continue;
		f->items[f->count].variable = known[i].variable;
		f->items[f->count].key = known[i].key;
		f->items[f->count++].value = value;
	}
}

const struct argp_child *
flags_some(struct flags_few *f, const char *const *names, const char *header)
{
	size_t count = 0;

	*f = (struct flags_few){.argp = flags_argp};
	for (const struct argp_option *o = options; o->name != NULL; o++)
		for (const char *const *name = names; *name != NULL; name++)
			if (strcmp(o->name, *name) == 0)
				f->options[count++] = *o;
	f->argp.options = f->options;
	f->children[0] = (struct argp_child){.argp = &f->argp, .header = header, .group = 1};
	return f->children;
}

int
flags_load(const struct flags *f, struct config *c, struct error *e)
{
	if (config_init(c, e) == -1)
		return -1;
	if (f->config_file != NULL && config_read(c, f->config_file, e) == -1)
		return -1;
	for (size_t i = 0; i < f->count; i++) {
		const char *variable = f->items[i].variable;

		if (config_set(c, f->items[i].key, f->items[i].value,
			variable != NULL ? variable : "command line", e) == -1)
			return -1;
	}
	return config_check_pairs(c, e) == -1 ? -1 : config_check_grants(c, e);
}

/* Adds a word to the n that there are; false when memory is short. */
static bool __attribute__((format(printf, 3, 4)))
add(char **command, size_t *n, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&command[*n], format, args);
	va_end(args);
	if (length == -1) {
		command[*n] = NULL;
		return false;
	}
	(*n)++;
	return true;
}

char **
flags_command(const struct flags *f, const char *program, const char *const *extra)
{
	size_t n = 0, more = 0;
	char **command;
	bool all;

	while (extra[more] != NULL)
		more++;
	command = calloc(f->count + more + 3, sizeof(*command));
	if (command == NULL)
		return NULL;
	all = add(command, &n, "%s", program) &&
	      (f->config_file == NULL || add(command, &n, "--config=%s", f->config_file));
	for (size_t i = 0; all && i < f->count; i++)
		all = add(command, &n, "--set=%s=%s", f->items[i].key, f->items[i].value);
	for (size_t i = 0; all && i < more; i++)
		all = add(command, &n, "%s", extra[i]);
	if (all)
		return command;
	flags_command_free(command);
	return NULL;
}

void
flags_command_free(char **command)
{
	for (char **c = command; c != NULL && *c != NULL; c++)
		free(*c);
	free(command);
}
