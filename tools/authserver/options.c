#define _GNU_SOURCE /* asprintf */
#include "tools/authserver/options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/account.h"
#include "base/parse.h"
#include "tools/authserver/complain.h"
#include "tools/authserver/embedded.h"

#define DEFAULT_GROUP "okera" /* the original's */

enum { FLAG_DISABLE_DELETE = 0x200, FLAG_USERS, FLAG_HELP_LONG, FLAG_HELP_MAN };

struct parse {
	struct options *options;
	const char *port;
};

const char *argp_program_version = "authserver " VERSION;

static const struct argp_option options[] = {
    {"port", 'p', "PORT", 0, "Port to bind to, on 127.0.0.1 (5001)", 1},
    {"disable-delete", FLAG_DISABLE_DELETE, NULL, 0, "Do not delete token files", 1},
    {"users", FLAG_USERS, "FILE", 0,
	"Ask for a user and password of this htpasswd(1) file, and give each user tokens "
	"for that user alone",
	1},
    {"help-long", FLAG_HELP_LONG, NULL, 0, "Give this help, and what the program does", -1},
    {"help-man", FLAG_HELP_MAN, NULL, 0, "Print the manual page for man(1)", -1},
    {0},
};

static const char summary[] =
    "Serves signed tokens in files: GET http://localhost:5001/SUBJECT answers with the path "
    "of a file that holds a JSON Web Token for SUBJECT and is deleted 10 seconds later.";

static const char details[] =
    "\nWithout --users any process on this machine can get a token for any subject, as with\n"
    "the Okera Auth Server. With it nginx asks for a password (HTTP Basic authentication).\n"
    "\n"
    "A private nginx, authserver.fcgi and authserver-reap run below this process. SIGTERM and\n"
    "SIGINT stop them, delete every token file (not with --disable-delete) and exit 0; SIGHUP\n"
    "reads the configuration and the key again.\n"
    "\n"
    "Exit status: 64 wrong flags, 66 a file cannot be read, 67 unknown group, 69 the port is\n"
    "taken or a part is missing, 77 no permission, 78 wrong configuration (sysexits.h).\n"
    "\n"
    "Try it:\n"
    "  ssh-keygen -b 2048 -f ./keypair -t rsa -m PEM -N ''\n"
    "  authserver --private-key=keypair --group=$(id -gn)\n"
    "and in another shell:\n"
    "  TOKEN=$(curl -s http://foo:bar@localhost:5001/janedoe) && cat $TOKEN\n"
    "\n"
    "The manual: authserver --help-man | man -l -\n";

static void
print_and_exit(struct argp_state *state, const char *text, size_t length)
{
	if (fwrite(text, 1, length, state->out_stream) != length ||
	    fflush(state->out_stream) != 0)
		exit(EX_IOERR);
	exit(EX_OK);
}

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct parse *p = state->input;
	struct embedded manual;

	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &p->options->flags;
		return 0;
	case 'p':
		p->port = value;
		return 0;
	case FLAG_DISABLE_DELETE:
		p->options->keep = true;
		return 0;
	case FLAG_USERS:
		p->options->users = value;
		return 0;
	case FLAG_HELP_LONG:
		argp_state_help(state, state->out_stream,
		    ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC);
		print_and_exit(state, details, sizeof(details) - 1);
		return 0;
	case FLAG_HELP_MAN:
		manual = embedded_manual();
		print_and_exit(state, manual.text, manual.length);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The original took a relative directory; the path that clients get has to be absolute. */
static int
make_absolute(struct options *o)
{
	char *here = NULL;
	int rc = -1;

	for (size_t i = 0; i < o->flags.count; i++) {
		const char *value = o->flags.items[i].value;

		if (strcmp(o->flags.items[i].key, "directory") != 0 || *value == '/' ||
		    *value == '\0')
			continue;
		while (strncmp(value, "./", 2) == 0)
			value += 2;
		free(o->directory);
		o->directory = NULL;
		here = getcwd(NULL, 0);
		if (here == NULL || asprintf(&o->directory, "%s/%s", here, value) == -1)
			goto out;
		o->flags.items[i].value = o->directory;
		free(here);
		here = NULL;
	}
	rc = 0;
out:
	free(here);
	return rc;
}

/* What a flag alone gets wrong is a matter of usage, what the file says is not. */
static int
load(struct options *o)
{
	struct flags alone = o->flags;
	struct error e;

	alone.config_file = NULL;
	if (flags_load(&alone, &o->config, &e) == -1)
		return complain(EX_USAGE, "%s", e.text);
	config_free(&o->config);
	if (flags_load(&o->flags, &o->config, &e) == -1)
		return complain_error(&e);
	if (o->config.group == NULL &&
	    config_set(&o->config, "group", DEFAULT_GROUP, "default", &e) == -1)
		return complain_error(&e);
	return 0;
}

static int
check(const struct options *o)
{
	struct error e;
	gid_t gid;

	if (o->config.private_key == NULL)
		return complain(EX_USAGE,
		    "--private-key=FILE is required; ssh-keygen -b 2048 -f ./keypair -t rsa "
		    "-m PEM -N '' makes one");
	if (account_group(o->config.group, &gid, &e) == 0)
		return 0;
	if (e.code != ERROR_CONFIG)
		return complain_error(&e);
	return complain(EX_NOUSER,
	    "there is no group '%s' to give token files to: name one of yours, such as "
	    "--group=$(id -gn)",
	    o->config.group);
}

int
options_parse(struct options *o, int argc, char **argv)
{
	static const struct argp_child children[] = {
	    {&flags_argp, 0,
		"Tokens and their files (the group is " DEFAULT_GROUP " unless you name one):",
		2},
	    {0},
	};
	static const struct argp argp = {
	    .options = options, .parser = parse_flag, .doc = summary, .children = children};
	struct parse p = {.options = o, .port = "5001"};
	uint64_t port;
	int status;

	*o = (struct options){0};
	if (argp_parse(&argp, argc, argv, 0, NULL, &p) != 0)
		return complain(EX_OSERR, "cannot read the flags: out of memory");
	if (parse_number(p.port, strlen(p.port), 65535, &port) == -1 || port == 0)
		return complain(
		    EX_USAGE, "--port: '%s' is not a number from 1 to 65535", p.port);
	o->port = (uint16_t)port;
	if (make_absolute(o) == -1)
		return complain(
		    EX_OSERR, "--directory: no current directory: %s", strerror(errno));
	status = load(o);
	return status != 0 ? status : check(o);
}

void
options_free(struct options *o)
{
	config_free(&o->config);
	free(o->directory);
}
