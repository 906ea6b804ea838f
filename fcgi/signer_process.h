/* The signer: the one process that holds the key. */
#ifndef FCGI_SIGNER_PROCESS_H
#define FCGI_SIGNER_PROCESS_H

#include <sys/types.h>

#include "base/log.h"
#include "config/config.h"
#include "identity/policy.h"

/*
 * Starts one for the workers at the other ends of sockets, and waits until it has
 * loaded its key. Returns its pid; or -1 and *e, which is the signer's own, when it
 * could not, and then none is left running.
 */
pid_t signer_process_start(const struct config *config, const struct policy *policy,
    const int *sockets, unsigned int count, const struct log *log, struct error *e);

#endif
