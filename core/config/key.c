#include "config/key.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/loopback.h"
#include "base/parse.h"

int
key_set_string(void *field, const char *value, const char **wanted)
{
	char **string = field;
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
	free(*string);
	*string = copy;
	return 0;
}

int
key_set_path(void *field, const char *value, const char **wanted)
{
	if (*value != '/' || strlen(value) >= LIMIT_PATH) {
		*wanted = "an absolute path";
		return -1;
	}
	return key_set_string(field, value, wanted);
}

int
key_set_duration(void *field, const char *value, const char **wanted)
{
	*wanted = "a duration such as 90s, 15m or 24h";
	return parse_duration(value, strlen(value), field);
}

static int
set_number(void *field, const char *value, uint64_t most)
{
	unsigned int *number = field;
	uint64_t n;

	if (parse_number(value, strlen(value), most, &n) == -1)
		return -1;
	*number = (unsigned int)n;
	return 0;
}

int
key_set_count(void *field, const char *value, const char **wanted)
{
	*wanted = "a number from 0 to 64";
	return set_number(field, value, LIMIT_WORKERS);
}

int
key_set_workers(void *field, const char *value, const char **wanted)
{
	*wanted = "a number from 1 to 64";
	return strcmp(value, "0") == 0 ? -1 : set_number(field, value, LIMIT_WORKERS);
}

int
key_set_files(void *field, const char *value, const char **wanted)
{
	*wanted = "a number of files, or 0 for no limit";
	return set_number(field, value, LIMIT_FILES);
}

/* The position of value among words, which NULL ends; -1 when it is none of them. */
static int
choose(const char *value, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	return -1;
}

/* A bool: one of two words is true. */
static int
set_either(void *field, const char *value, const char *no, const char *yes)
{
	const char *const words[] = {no, yes, NULL};
	int chosen = choose(value, words);

	if (chosen == -1)
		return -1;
	*(bool *)field = chosen == 1;
	return 0;
}

int
key_set_bool(void *field, const char *value, const char **wanted)
{
	*wanted = "true or false";
	return set_either(field, value, "false", "true");
}

int
key_set_kid(void *field, const char *value, const char **wanted)
{
	static const char *const words[] = {"thumbprint", "none", NULL};
	static const enum config_kid values[] = {KID_THUMBPRINT, KID_NONE};
	int chosen = choose(value, words);

	*wanted = "thumbprint or none";
	if (chosen == -1)
		return -1;
	*(enum config_kid *)field = values[chosen];
	return 0;
}

int
key_set_mode(void *field, const char *value, const char **wanted)
{
	mode_t mode;

	*wanted = "an octal string such as \"0640\" that gives others nothing";
	if (parse_mode(value, strlen(value), &mode) == -1 || (mode & 0137) != 0 ||
	    (mode & 0400) == 0)
		return -1;
	*(mode_t *)field = mode;
	return 0;
}

int
key_set_access(void *field, const char *value, const char **wanted)
{
	static const char *const words[] = {"group", "subject", NULL};
	static const enum config_access values[] = {ACCESS_GROUP, ACCESS_SUBJECT};
	int chosen = choose(value, words);

	*wanted = "group or subject";
	if (chosen == -1)
		return -1;
	*(enum config_access *)field = values[chosen];
	return 0;
}

int
key_set_log(void *field, const char *value, const char **wanted)
{
	static const char *const words[] = {"stderr", "syslog", NULL};
	static const enum config_log values[] = {LOG_TO_STDERR, LOG_TO_SYSLOG};
	int chosen = choose(value, words);

	*wanted = "stderr or syslog";
	if (chosen == -1)
		return -1;
	*(enum config_log *)field = values[chosen];
	return 0;
}

int
key_set_sandbox(void *field, const char *value, const char **wanted)
{
	static const char *const words[] = {"off", "on", "required", NULL};
	static const enum config_sandbox values[] = {SANDBOX_OFF, SANDBOX_ON, SANDBOX_REQUIRED};
	int chosen = choose(value, words);

	*wanted = "on, off or required";
	if (chosen == -1)
		return -1;
	*(enum config_sandbox *)field = values[chosen];
	return 0;
}

int
key_set_audit(void *field, const char *value, const char **wanted)
{
	static const char *const words[] = {"none", "stderr", "syslog", NULL};

	if (choose(value, words) == -1 && *value != '/') {
		*wanted = "none, stderr, syslog or the absolute path of a file";
		return -1;
	}
	return key_set_string(field, value, wanted);
}

int
key_set_type(void *field, const char *value, const char **wanted)
{
	static const char *const words[] = {"JWT", "at+jwt", NULL};

	*wanted = "JWT or at+jwt";
	return choose(value, words) == -1 ? -1 : key_set_string(field, value, wanted);
}

int
key_set_item(void *field, const char *value, const char **wanted)
{
	struct strings *list = field;
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

int
key_set_some(void *field, const char *value, const char **wanted)
{
	return key_set_item(field, value, wanted);
}

/* "sub=username": both sides are names of claims. */
int
key_set_rename(void *field, const char *value, const char **wanted)
{
	const char *equals = strchr(value, '=');

	if (equals == NULL || equals == value || equals[1] == '\0') {
		*wanted = "a pair such as sub=username";
		return -1;
	}
	return key_set_item(field, value, wanted);
}

int
key_set_resolver(void *field, const char *value, const char **wanted)
{
	static const char *const words[] = {
	    "claim", "unix", "ldap", "rest", "script", "static", NULL};

	*wanted = "claim, unix, ldap, rest, script or static";
	return choose(value, words) == -1 ? -1 : key_set_item(field, value, wanted);
}

int
key_set_grant(void *field, const char *value, const char **wanted)
{
	static const char *const words[] = {
	    GRANT_CLIENT, GRANT_PASSWORD, GRANT_REFRESH, GRANT_EXCHANGE, NULL};

	*wanted = "client_credentials, password, refresh_token or token-exchange";
	return choose(value, words) == -1 ? -1 : key_set_item(field, value, wanted);
}

int
key_set_percent(void *field, const char *value, const char **wanted)
{
	*wanted = "a number from 0 to 100";
	return set_number(field, value, 100);
}

int
key_set_order(void *field, const char *value, const char **wanted)
{
	static const char *const words[] = {"first", "merge", NULL};
	static const enum config_groups_mode values[] = {GROUPS_FIRST, GROUPS_MERGE};
	int chosen = choose(value, words);

	*wanted = "first or merge";
	if (chosen == -1)
		return -1;
	*(enum config_groups_mode *)field = values[chosen];
	return 0;
}

int
key_set_most(void *field, const char *value, const char **wanted)
{
	*wanted = "a number from 1 to 4096";
	return strcmp(value, "0") == 0 ? -1 : set_number(field, value, LIMIT_GROUP_COUNT);
}

int
key_set_format(void *field, const char *value, const char **wanted)
{
	static const char *const words[] = {"jwt", "json", NULL};
	static const enum keep_format values[] = {KEEP_JWT, KEEP_JSON};
	int chosen = choose(value, words);

	*wanted = "jwt or json";
	if (chosen == -1)
		return -1;
	*(enum keep_format *)field = values[chosen];
	return 0;
}

int
key_set_account(void *field, const char *value, const char **wanted)
{
	*wanted = "unix or none";
	return set_either(field, value, "none", "unix");
}

int
key_set_refused(void *field, const char *value, const char **wanted)
{
	*wanted = "leave or remove";
	return set_either(field, value, "leave", "remove");
}

int
key_set_signal(void *field, const char *value, const char **wanted)
{
	static const char *const words[] = {"HUP", "USR1", "USR2", NULL};
	static const int values[] = {SIGHUP, SIGUSR1, SIGUSR2};
	int chosen = choose(value, words);

	*wanted = "HUP, USR1 or USR2";
	if (chosen == -1)
		return -1;
	*(int *)field = values[chosen];
	return 0;
}

/* Nobody waits longer for an answer. */
int
key_set_timeout(void *field, const char *value, const char **wanted)
{
	int64_t seconds;

	*wanted = "a duration from 1s to 60s";
	if (parse_duration(value, strlen(value), &seconds) == -1 || seconds > 60)
		return -1;
	*(int64_t *)field = seconds;
	return 0;
}

/* A duration that may be none. */
static int
set_span(int64_t *field, const char *value, int64_t most)
{
	int64_t seconds = 0;

	if (strcmp(value, "0") != 0 && strcmp(value, "0s") != 0 &&
	    (parse_duration(value, strlen(value), &seconds) == -1 || seconds > most))
		return -1;
	*field = seconds;
	return 0;
}

int
key_set_skew(void *field, const char *value, const char **wanted)
{
	*wanted = "0 or a duration up to 10m";
	return set_span(field, value, LIMIT_SKEW);
}

int
key_set_delay(void *field, const char *value, const char **wanted)
{
	*wanted = "0 or a duration up to 30s";
	return set_span(field, value, LIMIT_DELAY);
}

int
key_set_tries(void *field, const char *value, const char **wanted)
{
	*wanted = "a number from 1 to 1000";
	return strcmp(value, "0") == 0 ? -1 : set_number(field, value, LIMIT_PASSWORD_TRIES);
}

int
key_set_loopback(void *field, const char *value, const char **wanted)
{
	struct sockaddr_storage address;
	socklen_t size;

	if (loopback_parse(value, &address, &size) == -1) {
		*wanted = "a loopback address and a port, such as 127.0.0.1:9005 or [::1]:9005";
		return -1;
	}
	return key_set_string(field, value, wanted);
}

bool
key_is_list(const struct key_row *key)
{
	return key->set == key_set_item || key->set == key_set_some ||
	       key->set == key_set_rename || key->set == key_set_resolver ||
	       key->set == key_set_grant;
}

const struct key_row *
key_find(const struct key_row *keys, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static void *
field_of(const struct key_row *key, void *base)
{
	return (char *)base + key->offset;
}

int
key_set(const struct key_row *key, void *base, const char *value, const char *where,
    struct error *e)
{
	const char *wanted = NULL;

	if (key->set(field_of(key, base), value, &wanted) == 0)
		return 0;
	return error_set(
	    e, ERROR_CONFIG, "%s: %s: '%.64s' is not %s", where, key->name, value, wanted);
}

int
key_set_initial(const struct key_row *keys, size_t count, void *base, struct error *e)
{
	for (size_t i = 0; i < count; i++)
		if (keys[i].initial != NULL &&
		    key_set(&keys[i], base, keys[i].initial, "default", e) == -1)
			return -1;
	return 0;
}

struct strings *
key_list(const struct key_row *key, void *base)
{
	return field_of(key, base);
}

void
key_list_empty(struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strings){0};
}

void
key_free_fields(const struct key_row *keys, size_t count, void *base)
{
	for (size_t i = 0; i < count; i++) {
		void *field = field_of(&keys[i], base);

		if (key_is_list(&keys[i]))
			key_list_empty(field);
		else if (keys[i].set == key_set_string || keys[i].set == key_set_path ||
			 keys[i].set == key_set_audit || keys[i].set == key_set_type ||
			 keys[i].set == key_set_loopback)
			free(*(char **)field);
	}
}
