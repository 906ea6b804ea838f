/*
 * authserver-resolver: looks up the groups of users for the service, so that no process that
 * reads requests or holds a key speaks LDAP or HTTP, runs scripts or knows their passwords, and
 * a source that hangs holds up nobody. Started by authserver.fcgi, authserver.cgi and
 * authserverctl; see authserver-resolver(8).
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "config/flags.h"
#include "resolver/show.h"

enum { FLAG_SHOW = 0x200, FLAG_CLAIMED, FLAG_JSON };

const char *argp_program_version = "authserver-resolver " VERSION;

struct arguments {
	struct flags flags;
	struct show show;
};

static const struct argp_option options[] = {
    {"show", FLAG_SHOW, "USER", 0, "Print what each source says of USER", 0},
    {"claimed", FLAG_CLAIMED, "GROUP,...", 0, "As if a token with these groups was shown", 0},
    {"json", FLAG_JSON, NULL, 0, "Print it as a JSON object", 0},
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
	case FLAG_SHOW:
		a->show.user = value;
		return 0;
	case FLAG_CLAIMED:
		a->show.claimed = value;
		return 0;
	case FLAG_JSON:
		a->show.json = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int
main(int argc, char **argv)
{
	static const struct argp_child children[] = {{&flags_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {.options = options,
	    .parser = parse_flag,
	    .doc = "Looks up the groups of users for authserver.",
	    .children = children};
	static const struct rlimit none = {0, 0};
	struct arguments a = {0};
	struct config config;
	struct error e = {0};
	int rc;

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	/* libldap reads no ldap.conf, no ldaprc, and nothing else of the environment. */
	(void)setenv("LDAPNOINIT", "1", 1);
	argp_err_exit_status = EX_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0)
		return EX_USAGE;
	rc = flags_load(&a.flags, &config, &e);
	if (rc == 0)
		rc = show_groups(&config.groups, &a.show, &e);
	config_free(&config);
	if (rc == -1) {
		(void)fprintf(stderr, "authserver-resolver: %s\n", e.text);
		return error_exit_status(&e);
	}
	return rc;
}
