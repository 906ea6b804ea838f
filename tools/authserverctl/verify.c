/* authserverctl verify: whether a token is valid here, and if not, why. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/dump.h"
#include "config/flags.h"
#include "tools/authserverctl/command.h"
#include "tools/authserverctl/token_read.h"
#include "tools/authserverctl/token_verify.h"

struct arguments {
	struct flags flags;
	const char *source;
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_error(state, "one token at a time");
		a->source = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
print(const json_t *claims, struct error *e)
{
	char *text =
	    dump_json(claims, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
	int rc = 0;

	if (text == NULL || puts(text) == EOF)
		rc = error_set(e, ERROR_UNAVAILABLE, "cannot write to stdout");
	free(text);
	return rc;
}

static int
verify(const struct arguments *a, const struct config *c, const struct buffer *token,
    struct error *e)
{
	struct token_owner owner;
	json_t *claims = token_verify(&a->flags, c, token, &owner, e);
	int rc = -1;

	if (claims != NULL && token_check_revoked(c, claims, &owner, token, e) == 0)
		rc = print(claims, e);

	json_decref(claims);
	return rc;
}

int
command_verify(int argc, char **argv)
{
	struct flags_few few;
	const struct argp argp = {.parser = parse_flag,
	    .args_doc = "[FILE | TOKEN]",
	    .doc =
		"Say whether a token is valid for this configuration, and print its claims.\v"
		"Without an argument, or with -, the token comes from standard input. An "
		"argument shows in lists of processes: prefer the others. Exit status: 0 "
		"valid, 1 not valid, 64 usage.",
	    .children = command_flags(&few, true)};
	struct arguments a = {0};
	struct config c = {0};
	struct buffer token;
	struct error e = {0};
	int status = EX_OK;

	flags_take_environment(&a.flags, getenv);
	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	buffer_init(&token, LIMIT_TOKEN);
	if (flags_load(&a.flags, &c, &e) == -1 || token_read(a.source, &token, &e) == -1 ||
	    verify(&a, &c, &token, &e) == -1)
		status = command_fail(&e);
	buffer_free(&token);
	config_free(&c);
	return status;
}
