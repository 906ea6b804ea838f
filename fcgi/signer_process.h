/* The signer: the one process that holds the key. */
#ifndef FCGI_SIGNER_PROCESS_H
#define FCGI_SIGNER_PROCESS_H

#include <sys/types.h>

#include "base/log.h"
#include "config/config.h"
#include "fcgi/sandbox.h"
#include "identity/policy.h"

struct signer_process {
	const struct config *config;
	const struct policy *policy;
	const struct sandbox *sandbox;
	const struct log *log;
	const int *sockets; /* for the workers at their other ends */
	unsigned int count;
};

/*
 * Starts one, and waits until it has loaded its key. Returns its pid; or -1 and *e, which is
 * the signer's own, when it could not, and then none is left running.
 */
pid_t signer_process_start(const struct signer_process *p, struct error *e);

#endif
