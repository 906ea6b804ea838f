/* authserverctl groups: which groups a user is in, and which source says so. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/program.h"
#include "identity/lookup_process.h"
#include "tools/authserverctl/command.h"

enum { FLAG_JSON = 0x200, FLAG_CLAIMED };

struct arguments {
	struct flags flags;
	const char *user;
	const char *claimed;
	bool json;
};

static const struct argp_option options[] = {
    {"json", FLAG_JSON, NULL, 0, "As a JSON object", 0},
    {"claimed", FLAG_CLAIMED, "GROUP,...", 0, "As if a token with these groups was shown", 0},
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
	case FLAG_JSON:
		a->json = true;
		return 0;
	case FLAG_CLAIMED:
		a->claimed = value;
		return 0;
	case ARGP_KEY_ARG:
		if (a->user != NULL)
			argp_error(state, "%s: one user is enough", value);
		a->user = value;
		return 0;
	case ARGP_KEY_END:
		if (a->user == NULL)
			argp_error(state, "whose? a user is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Becomes the resolver, which knows how to ask the sources. */
static int
become_resolver(const struct arguments *a, struct error *e)
{
	const char *extra[6] = {"--show", a->user};
	char path[LIMIT_PATH];
	char **command;
	size_t n = 2;

	if (a->json)
		extra[n++] = "--json";
	if (a->claimed != NULL) {
		extra[n++] = "--claimed";
		extra[n++] = a->claimed;
	}
	if (program_find(path, LOOKUP_PROGRAM, e) == -1)
		return -1;
	command = flags_command(&a->flags, "authserverctl groups", extra);
	if (command == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	(void)execve(path, command, lookup_process_environment);
	flags_command_free(command);
	return error_set(e, ERROR_UNAVAILABLE, "%s cannot be run", path);
}

int
command_groups(int argc, char **argv)
{
	static const struct argp_child children[] = {
	    {&flags_argp, 0, COMMAND_FLAGS_HEADER, 1}, {0}};
	const struct argp argp = {.options = options,
	    .parser = parse_flag,
	    .args_doc = "USER",
	    .doc = "Print the groups of USER, what each source says of them, and how long it "
		   "took.\vExit status: 0 a source knows the user, 1 none does, 69 a source "
		   "failed, 64 usage.",
	    .children = children};
	struct arguments a = {0};
	struct error e = {0};

	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	(void)become_resolver(&a, &e);
	return command_fail(&e);
}
