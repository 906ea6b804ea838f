/* The command line of authserver-token. */
#ifndef TOOLS_AUTHSERVER_TOKEN_OPTIONS_H
#define TOOLS_AUTHSERVER_TOKEN_OPTIONS_H

#include <stdbool.h>

#include "tools/authserver-token/settings.h"

struct options {
	struct settings settings; /* of the command line alone; to be freed */
	const char *config;       /* NULL: not told */
	const char *subject;      /* "": whoever asks */
	bool file;                /* the path of the token's file is wanted */
};

/* Reads the command line; exits with usage(64) when it is none of ours. */
void options_read(struct options *o, int argc, char **argv);

#endif
