/*
 * What the command line and the configuration file ask of the drop-in, checked. Prints
 * one line for what is wrong with them, which is why it is a tool's and not core's.
 */
#ifndef AUTHSERVER_OPTIONS_H
#define AUTHSERVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/flags.h"

struct options {
	struct flags flags;   /* as given: they are passed on to authserver.fcgi */
	struct config config; /* what they and the file amount to */
	char *directory;      /* absolute form of --directory; NULL when it was one already */
	const char *users;    /* htpasswd file; NULL: nobody is asked for a password */
	uint16_t port;
	bool keep; /* --disable-delete */
};

/*
 * Parses the flags; --help and its kin print and exit. 0, or an exit status of
 * sysexits(3) after one line on stderr; options_free() either way.
 */
int options_parse(struct options *o, int argc, char **argv);

void options_free(struct options *o);

#endif
