/* authserverctl keys: the keys and when they sign. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dump.h"
#include "tools/authserverctl/command.h"
#include "tools/authserverctl/keyset.h"

enum { FLAG_JSON = 0x200 };

struct arguments {
	struct flags flags;
	bool json;
};

static const struct argp_option options[] = {
    {"json", FLAG_JSON, NULL, 0, "As an array of JSON objects", 0},
    {0},
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	(void)value;
	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case FLAG_JSON:
		a->json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* NULL where a column has nothing to say. */
static const char *
column(const char *text)
{
	return strcmp(text, "-") == 0 ? NULL : text;
}

static int
print_json(const struct keyset *k, struct error *e)
{
	json_t *list = json_array();
	struct keyset_row row;
	char *text;

	for (size_t i = 0; i < keyring_count(k->ring); i++) {
		if (keyset_row(k, i, &row, e) == -1) {
			json_decref(list);
			return -1;
		}
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:s?, s:s?, s:s, s:s, s:s}", "state", row.state,
			      "activation", column(row.from), "end", column(row.end),
			      "algorithm", row.algorithm, "kid", row.kid, "file", row.path));
	}
	text = dump_json(list, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	json_decref(list);
	if (text == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	(void)puts(text);
	free(text);
	return 0;
}

static int
print(struct keyset *k, const void *arguments, struct error *e)
{
	const struct arguments *a = arguments;
	int rc = 0;

	if (a->json)
		return print_json(k, e);
	for (size_t i = 0; i < keyring_count(k->ring) && rc == 0; i++)
		rc = keyset_print(k, i, e);
	return rc;
}

int
command_keys(int argc, char **argv)
{
	static const struct keyset_command command = {.options = options,
	    .parse = parse_flag,
	    .doc = "Show the keys, in the order in which they sign.\v"
		   "One line a key: state (next, active, retired or expired), the time from "
		   "which it signs, the time at which it expires, algorithm, kid, file.",
	    .run = print};
	struct arguments a = {0};

	return keyset_command(argc, argv, &command, &a);
}
