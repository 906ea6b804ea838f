/* The signer's side of a worker's socket. */
#ifndef SIGNER_SIGNER_SERVE_H
#define SIGNER_SIGNER_SERVE_H

#include "signer/signing.h"

/*
 * Greets the worker on fd for a signer that has just started: what is queued there was
 * meant for the one before and is dropped, and the worker is told to ask again. Never
 * waits: a worker that takes nothing now is told by the deadlines of its queries.
 */
void signer_hello(int fd);

/*
 * Answers the worker's requests until its socket ends, and then returns. A message
 * that is not a request is dropped. To be run by as many threads as may sign at once,
 * all on the same fd: the kernel gives each request to one of them.
 */
void signer_serve(int fd, const struct signing *s);

#endif
