/*
 * Looks up accounts of this host for workers, so that they need not open what the C library and
 * the modules of nsswitch.conf(5) read: the files of /etc, where the private key may lie, too.
 */
#ifndef FCGI_ACCOUNTS_PROCESS_H
#define FCGI_ACCOUNTS_PROCESS_H

#include <sys/types.h>

#include "base/error.h"
#include "base/log.h"
#include "fcgi/sandbox.h"

struct accounts_process {
	const struct sandbox *sandbox;
	const int *sockets; /* for the workers at their other ends */
	unsigned int count;
	const struct log *log;
};

/* Starts one, and waits until it serves. Its pid, or -1 and *e. */
pid_t accounts_process_start(const struct accounts_process *p, struct error *e);

#endif
