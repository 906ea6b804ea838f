/* A worker, in a process of its own. */
#ifndef FCGI_WORKER_PROCESS_H
#define FCGI_WORKER_PROCESS_H

#include <sys/types.h>

#include "fcgi/worker.h"

/*
 * Starts one, and waits until it could take connections; parts->ready is not looked at. Returns
 * its pid; or -1 and *e, which is the worker's own, when it could not, and then none is left
 * running.
 */
pid_t worker_process_start(const struct worker_parts *parts, struct error *e);

#endif
