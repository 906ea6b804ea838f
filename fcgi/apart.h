/*
 * What workers may write, and what whoever takes one over is not to write: a key, a policy, a
 * program. Landlock gives a directory with all that is below it.
 */
#ifndef FCGI_APART_H
#define FCGI_APART_H

#include "base/error.h"
#include "config/config.h"

/*
 * Whether nothing that the service believes, its configuration in file (or NULL) among it, lies
 * below its token directory, its state or the folder of its audit log, wherever links lead, nor
 * is reached through them. 0, or -1: ERROR_CONFIG, which names both, or ERROR_INTERNAL.
 */
int apart_check(const struct config *c, const char *file, struct error *e);

#endif
