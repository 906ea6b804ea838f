/*
 * The monitor: owns the listening socket, starts a generation of one signer and its
 * workers, restarts what dies, and replaces the generation on SIGHUP, or when a file of the
 * configuration has changed, without losing a request. It reads the configuration, never a
 * request and never a key.
 */
#ifndef FCGI_MONITOR_H
#define FCGI_MONITOR_H

#include "base/log.h"
#include "config/flags.h"
#include "fcgi/listener.h"

/*
 * Runs until SIGTERM or SIGINT, then lets the workers finish and returns 0. On SIGUSR1 the
 * audit log is opened anew. -1 and *e
 * when the first generation cannot start. log->fd is set to what the configuration
 * says.
 */
int monitor_run(const struct listeners *listeners, const struct flags *flags, struct log *log,
    struct error *e);

#endif
