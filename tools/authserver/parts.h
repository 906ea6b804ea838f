/* Where the programs are that the drop-in consists of. */
#ifndef AUTHSERVER_PARTS_H
#define AUTHSERVER_PARTS_H

#include "base/error.h"

struct parts {
	char *nginx;
	char *fcgi; /* authserver.fcgi */
	char *reap; /* authserver-reap */
};

/*
 * nginx is looked up in PATH and in /usr/sbin and /usr/local/sbin, which PATH lacks for
 * most users; ours beside our own executable and in ../lib/authserver from there.
 * ERROR_UNAVAILABLE names what is missing; parts_free() either way.
 */
int parts_find(struct parts *p, struct error *e);

void parts_free(struct parts *p);

#endif
