/*
 * One signer, its workers, and all that they share: a configuration as it was when they
 * started. The monitor holds both ends of their sockets, so that what is queued in one
 * outlives a process that dies.
 */
#ifndef FCGI_GENERATION_H
#define FCGI_GENERATION_H

#include <stdbool.h>

#include "base/log.h"
#include "config/flags.h"
#include "fcgi/handover.h"
#include "fcgi/listener.h"
#include "service/service.h"

struct generation;

/* What every generation shares. */
struct generation_parts {
	const struct listeners *listeners; /* that of verification is each generation's own */
	const struct handover *handover;
	struct log *log;
	const struct condition *condition;
};

/*
 * Reads the configuration, opens the token directory, starts signer and workers. The socket of
 * verification is taken over from the generation before, NULL for the first, where its address
 * stays, and is opened otherwise.
 * 0, or -1 and *e, and then nothing is left running.
 */
int generation_start(struct generation **out, const struct generation_parts *parts,
    const struct generation *before, const struct flags *flags, struct error *e);

/* Whether a file that its configuration is made of has changed since it was read, or since
 * this was last asked. */
bool generation_changed(struct generation *g);

/* Has its workers open the audit log anew. */
void generation_reopen(struct generation *g);

/* Asks the workers to finish what they have and end. */
void generation_drain(struct generation *g);

/* Seconds that a request may wait for somebody else than us. */
int64_t generation_patience(const struct generation *g);

/* Ends every worker at once, and says so. */
void generation_kill(struct generation *g);

/* Notes that a process ended. Whether it was one of ours. */
bool generation_reap(struct generation *g, int pid, int status);

/* Starts anew what died and is due, unless draining. The milliseconds until the next is
 * due, or -1. */
int generation_restart(struct generation *g);

/* Whether it was told to drain and the last worker is gone; generation_free() it then. */
bool generation_over(const struct generation *g);

/* Ends what still runs and frees everything; NULL is left alone. */
void generation_free(struct generation *g);

#endif
