/* authserverctl revoke: what was signed is good no more, for all that share the state
 * directory. */
#include <stdlib.h>
#include <sysexits.h>

#include "tools/authserverctl/command.h"
#include "tools/authserverctl/revoke_order.h"

enum { FLAG_JTI = 0x200, FLAG_SUBJECT, FLAG_ISSUER, FLAG_BEFORE, FLAG_EXPIRES, FLAG_FORCE };

static const struct argp_option options[] = {
    {"jti", FLAG_JTI, "ID", 0, "Revoke the token with this identifier", 0},
    {"subject", FLAG_SUBJECT, "NAME", 0,
	"Revoke all that NAME has got, refresh tokens included", 0},
    {"before", FLAG_BEFORE, "TIME", 0, "With --subject: what was issued until then (now)", 0},
    {"issuer", FLAG_ISSUER, "TEXT", 0,
	"With --jti or --subject: the iss claim of the tokens (ours)", 0},
    {"expires", FLAG_EXPIRES, "TIME", 0,
	"When none of the tokens is valid any more and this may be forgotten", 0},
    {"force", FLAG_FORCE, NULL, 0, "Revoke the token even if it is not valid here", 0},
    {0},
};

static void
check_flags(const struct revoke_arguments *a, struct argp_state *state)
{
	int count = a->token + (a->jti != NULL) + (a->subject != NULL);

	if (count != 1)
		argp_error(state, "want a token (- for standard input), --jti or --subject");
	if (a->before != NULL && a->subject == NULL)
		argp_error(state, "--before goes with --subject");
	if (a->issuer != NULL && a->token)
		argp_error(
		    state, "--issuer goes with --jti or --subject: a token says its own");
	if (a->force && !a->token)
		argp_error(state, "--force goes with a token");
}

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct revoke_arguments *a = state->input;

	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case FLAG_JTI:
		a->jti = value;
		return 0;
	case FLAG_SUBJECT:
		a->subject = value;
		return 0;
	case FLAG_ISSUER:
		a->issuer = value;
		return 0;
	case FLAG_BEFORE:
		a->before = value;
		return 0;
	case FLAG_EXPIRES:
		a->expires = value;
		return 0;
	case FLAG_FORCE:
		a->force = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_error(state, "one token at a time");
		a->source = value;
		a->token = true;
		return 0;
	case ARGP_KEY_END:
		check_flags(a, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int
command_revoke(int argc, char **argv)
{
	struct flags_few few;
	const struct argp argp = {.options = options,
	    .parser = parse_flag,
	    .args_doc = "[FILE | TOKEN]",
	    .doc =
		"Revoke a token, or all that a subject has.\v"
		"With - the token comes from standard input. An argument shows in lists of "
		"processes: prefer a file. Times are UTC, such as 2026-11-22T00:00:00Z. Exit "
		"status: 0 revoked, 1 not a valid token, 64 usage.",
	    .children = command_flags(&few, false)};
	struct revoke_arguments a = {0};
	struct config c = {0};
	struct error e = {0};
	int status = EX_OK;

	flags_take_environment(&a.flags, getenv);
	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (flags_load(&a.flags, &c, &e) == -1 || revoke_order(&a, &c, &e) == -1)
		status = command_fail(&e);
	config_free(&c);
	return status;
}
