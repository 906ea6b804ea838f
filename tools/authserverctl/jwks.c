/* authserverctl jwks: the public keys, for a web server that serves them as a file. */
#include <stdio.h>

#include "base/file_write.h"
#include "tools/authserverctl/command.h"
#include "tools/authserverctl/keyset.h"

enum { FLAG_OUT = 0x200 };

struct arguments {
	struct flags flags;
	const char *out; /* NULL: stdout */
};

static const struct argp_option options[] = {
    {"out", FLAG_OUT, "FILE", 0, "Write FILE, which changes at once and never in part", 0},
    {0},
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case FLAG_OUT:
		a->out = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
publish(struct keyset *k, const void *arguments, struct error *e)
{
	const struct arguments *a = arguments;
	static const struct file_form form = {
	    .mode = 0644, .group = (gid_t)-1, .replace = true};
	struct buffer json;
	int64_t fresh;
	int rc = -1;

	buffer_init(&json, LIMIT_JWK_SET);
	if (keyring_publish(k->ring, k->now, &json, &fresh, e) == -1)
		goto out;
	if (buffer_append(&json, "\n", 1) == -1)
		error_set(e, ERROR_UNAVAILABLE, "the keys do not fit into an answer");
	else if (a->out != NULL)
		rc = file_write(a->out, json.data, json.length, &form, e);
	else
		rc = fwrite(json.data, 1, json.length, stdout) == json.length
			 ? 0
			 : error_set(e, ERROR_UNAVAILABLE, "cannot write to stdout");
out:
	buffer_free(&json);
	return rc;
}

int
command_jwks(int argc, char **argv)
{
	static const struct keyset_command command = {.options = options,
	    .parse = parse_flag,
	    .doc = "Write the public keys as a JWK Set (RFC 7517): what signs, what will, and "
		   "what has signed tokens that are still valid.",
	    .run = publish};
	struct arguments a = {0};

	return keyset_command(argc, argv, &command, &a);
}
