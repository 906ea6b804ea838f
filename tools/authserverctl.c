/*
 * authserverctl: what an operator does with a configuration and its keys, without a service:
 * check them, ask the policy, make and delete keys, sign, verify and show a token. A file a
 * command is in tools/authserverctl. See authserverctl(1).
 */
#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "jose/key_memory.h"
#include "tools/authserverctl/command.h"

const char *argp_program_version = "authserverctl " VERSION;

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
    {"check", command_check},
    {"keys", command_keys},
    {"rotate", command_rotate},
    {"prune", command_prune},
    {"jwks", command_jwks},
    {"mint", command_mint},
    {"verify", command_verify},
    {"decode", command_decode},
    {"revoke", command_revoke},
    {"groups", command_groups},
};

/* The command that was named, and where. */
struct choice {
	const struct command *command;
	int at;
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct choice *c = state->input;

	(void)value;
	if (flag == ARGP_KEY_NO_ARGS)
		argp_error(state, "a command is missing");
	if (flag != ARGP_KEY_ARGS)
		return ARGP_ERR_UNKNOWN;
	c->at = state->next;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, state->argv[c->at]) == 0)
			c->command = &commands[i];
	if (c->command == NULL)
		argp_error(state, "%s: no such command", state->argv[c->at]);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {.parser = parse_flag,
	    .args_doc = "COMMAND [ARGUMENT...]",
	    .doc = "What there is to do with authserver's configuration and keys.\v"
		   "Commands:\n"
		   "  check    say what is wrong with a configuration, or ask its policy\n"
		   "  keys     show the keys and when they sign\n"
		   "  rotate   make the next key\n"
		   "  prune    delete the keys that have expired\n"
		   "  jwks     write the public keys as a JWK Set\n"
		   "  mint     sign a token\n"
		   "  verify   say whether a token is valid\n"
		   "  decode   show what a token says\n"
		   "  revoke   make tokens invalid before they expire\n"
		   "  groups   ask the sources of groups about a user\n"
		   "\nauthserverctl COMMAND --help has the flags of each. The manual is "
		   "authserverctl(1)."};
	static const struct rlimit none = {0, 0};
	struct choice chosen = {0};
	char name[64];
	int status;

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)key_memory_cleanse();
	(void)argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &chosen);
	(void)snprintf(name, sizeof(name), "authserverctl %s", chosen.command->name);
	argv[chosen.at] = name; /* what messages about its flags begin with */
	status = chosen.command->run(argc - chosen.at, argv + chosen.at);
	if (fflush(stdout) == EOF)
		return EX_IOERR;
	return status;
}
