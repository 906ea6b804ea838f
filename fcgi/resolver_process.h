/* The resolver as a process of its own: another program, see resolver/main.c. */
#ifndef FCGI_RESOLVER_PROCESS_H
#define FCGI_RESOLVER_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "config/flags.h"

/*
 * Starts a resolver on its ends of the workers' sockets and waits until it serves. It reads the
 * configuration that the flags lead to by itself. unprivileged: no program that it starts can
 * gain privileges. The process, or -1 and *e, which is what it
 * complained of.
 */
pid_t resolver_process_start(const struct flags *flags, const int *sockets, unsigned int count,
    bool unprivileged, struct error *e);

#endif
