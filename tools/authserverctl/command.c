#include "tools/authserverctl/command.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "config/flags.h"

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
command_flags(struct command_flags *c, bool issuer)
{
	static const char *const names[] = {"config", "private-key", "set", "issuer"};
	size_t count = 0;

	*c = (struct command_flags){.argp = flags_argp};
	for (const struct argp_option *o = flags_argp.options; o->name != NULL; o++)
		for (size_t i = 0; i < (issuer ? 4 : 3); i++)
			if (strcmp(o->name, names[i]) == 0)
				c->options[count++] = *o;
	c->argp.options = c->options;
	c->children[0] =
	    (struct argp_child){.argp = &c->argp, .header = COMMAND_FLAGS_HEADER, .group = 1};
	return c->children;
}
