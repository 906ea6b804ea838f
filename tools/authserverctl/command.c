#include "tools/authserverctl/command.h"

#include <stdio.h>
#include <sysexits.h>

void
command_complain(const struct error *e)
{
	(void)fprintf(stderr, "authserverctl: %s\n", e->text);
}

int
command_fail(const struct error *e)
{
	command_complain(e);
	return e->code == ERROR_MALFORMED ? EX_USAGE : error_exit_status(e);
}

const struct argp_child *
command_flags(struct flags_few *f, bool issuer)
{
	static const char *const names[] = {"issuer", "config", "private-key", "set", NULL};

	return flags_some(f, issuer ? names : names + 1, COMMAND_FLAGS_HEADER);
}
