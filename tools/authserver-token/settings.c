#define _GNU_SOURCE /* strdup */
#include "tools/authserver-token/settings.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "config/table.h"

#define FIELD(which) ((which) * sizeof(char *))

static const struct key_row rows[SETTINGS] = {
    [SET_URL] = {"url", NULL, key_set_string, FIELD(SET_URL)},
    [SET_SOCKET] = {"socket", NULL, key_set_string, FIELD(SET_SOCKET)},
    [SET_USER] = {"user", NULL, key_set_string, FIELD(SET_USER)},
    [SET_PASSWORD_FILE] = {"password-file", NULL, key_set_string, FIELD(SET_PASSWORD_FILE)},
    [SET_NETRC_FILE] = {"netrc-file", NULL, key_set_string, FIELD(SET_NETRC_FILE)},
    [SET_NEGOTIATE] = {"negotiate", NULL, key_set_string, FIELD(SET_NEGOTIATE)},
    [SET_AUDIENCE] = {"audience", NULL, key_set_string, FIELD(SET_AUDIENCE)},
    [SET_PROFILE] = {"profile", NULL, key_set_string, FIELD(SET_PROFILE)},
    [SET_TTL] = {"ttl", NULL, key_set_string, FIELD(SET_TTL)},
    [SET_CACHE] = {"cache", NULL, key_set_string, FIELD(SET_CACHE)},
    [SET_NO_CACHE] = {"no-cache", NULL, key_set_string, FIELD(SET_NO_CACHE)},
    [SET_MIN_LIFE] = {"min-life", NULL, key_set_string, FIELD(SET_MIN_LIFE)},
    [SET_TIMEOUT] = {"timeout", NULL, key_set_string, FIELD(SET_TIMEOUT)},
    [SET_CA_FILE] = {"ca-file", NULL, key_set_string, FIELD(SET_CA_FILE)},
    [SET_DIRECT] = {"direct", NULL, key_set_string, FIELD(SET_DIRECT)},
    [SET_INSECURE] = {"insecure", NULL, key_set_string, FIELD(SET_INSECURE)},
};

static const struct table table = {rows, SETTINGS};

/* Of what stands in a line, one is told. */
static const enum setting matters[][3] = {
    {SET_URL, SET_SOCKET, SET_SOCKET},
    {SET_PASSWORD_FILE, SET_NETRC_FILE, SET_NEGOTIATE},
    {SET_CACHE, SET_NO_CACHE, SET_NO_CACHE},
};

enum { MATTERS = sizeof(matters) / sizeof(matters[0]), VARIABLE = 64 };

static bool
is_switch(enum setting which)
{
	return which == SET_NEGOTIATE || which == SET_NO_CACHE || which == SET_DIRECT ||
	       which == SET_INSECURE;
}

const char *
settings_name(enum setting which)
{
	return rows[which].name;
}

static void
forget(struct settings *s, enum setting which)
{
	free(s->value[which]);
	s->value[which] = NULL;
	s->rank[which] = RANK_NONE;
}

/* Whether other says the same as which would, or its contrary. */
static bool
is_matter(enum setting which, enum setting other)
{
	for (size_t i = 0; i < MATTERS; i++) {
		bool has = false, has_other = false;

		for (size_t j = 0; j < 3; j++) {
			has = has || matters[i][j] == which;
			has_other = has_other || matters[i][j] == other;
		}
		if (has && has_other)
			return true;
	}
	return which == other;
}

/* Makes room for which at rank. 1 when there is, 0 when it is outranked, -1 and *e. */
static int
make_room(
    struct settings *s, enum setting which, enum rank rank, const char *where, struct error *e)
{
	for (enum setting other = 0; other < SETTINGS; other++) {
		/* What is switched off says nothing of what it is instead. */
		if ((s->value[other] == NULL && other != which) || !is_matter(which, other))
			continue;
		if (s->rank[other] > rank)
			return 0;
		if (s->rank[other] == rank && other != which)
			return error_set(e, ERROR_CONFIG,
			    "%s: %s and %s do not go together: give one of them", where,
			    rows[other].name, rows[which].name);
	}
	for (enum setting other = 0; other < SETTINGS; other++)
		if (is_matter(which, other))
			forget(s, other);
	return 1;
}

static bool
is_path(enum setting which)
{
	return which == SET_SOCKET || which == SET_PASSWORD_FILE || which == SET_NETRC_FILE ||
	       which == SET_CACHE || which == SET_CA_FILE;
}

/* What the value should have been, NULL when it is that. */
static const char *
find_wrong(enum setting which, const char *value, enum rank rank)
{
	int64_t seconds;

	if (is_switch(which) && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return "true or false";
	if ((which == SET_MIN_LIFE || which == SET_TIMEOUT) &&
	    parse_duration(value, strlen(value), &seconds) == -1)
		return "a duration such as 90s, 15m or 24h";
	if (which == SET_USER && strchr(value, ':') != NULL)
		return "a name without a colon";
	/* Who types a path knows which folder it is in. */
	if (is_path(which) && *value != '/' && rank != RANK_COMMAND)
		return "an absolute path";
	if (*value == '\0' || !text_clean(value))
		return "plain text";
	return NULL;
}

int
settings_put(struct settings *s, enum setting which, const char *value, enum rank rank,
    const char *where, struct error *e)
{
	const char *wrong = find_wrong(which, value, rank);
	int room;

	if (wrong != NULL)
		return error_set(
		    e, ERROR_CONFIG, "%s: %s: want %s", where, rows[which].name, wrong);
	room = make_room(s, which, rank, where, e);
	if (room != 1)
		return room;
	s->rank[which] = rank;
	if (is_switch(which) && strcmp(value, "false") == 0)
		return 0;
	return key_set(&rows[which], s->value, value, where, e);
}

int
settings_take_environment(struct settings *s, char *(*get)(const char *name), struct error *e)
{
	for (enum setting which = 0; which < SETTINGS; which++) {
		char variable[VARIABLE];
		const char *value;

		(void)snprintf(variable, sizeof(variable), "AUTHSERVER_%s", rows[which].name);
		for (char *c = variable; *c != '\0'; c++) {
			if (*c == '-')
				*c = '_';
			else if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 'a' + 'A');
		}
		value = get(variable);
		if (value != NULL && *value != '\0' &&
		    settings_put(s, which, value, RANK_ENVIRONMENT, variable, e) == -1)
			return -1;
	}
	return 0;
}

int
settings_take_file(struct settings *s, const char *path, struct error *e)
{
	char *values[SETTINGS] = {0};
	int rc = table_read(values, &table, path, e);

	for (enum setting which = 0; which < SETTINGS; which++) {
		if (rc == 0 && values[which] != NULL)
			rc = settings_put(s, which, values[which], RANK_FILE, path, e);
		free(values[which]);
	}
	return rc;
}

enum rank
settings_rank(const struct settings *s)
{
	enum rank highest = RANK_NONE;

	for (enum setting which = 0; which < SET_MIN_LIFE; which++)
		if (s->rank[which] > highest)
			highest = s->rank[which];
	return highest;
}

void
settings_free(struct settings *s)
{
	for (enum setting which = 0; which < SETTINGS; which++)
		forget(s, which);
}
