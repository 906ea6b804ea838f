/*
 * Runs the parts together: starts them, says when they serve, starts again what dies,
 * and stops all of them in the order in which requests run through them.
 */
#ifndef AUTHSERVER_SUPERVISE_H
#define AUTHSERVER_SUPERVISE_H

#include "base/log.h"
#include "tools/authserver/child.h"
#include "tools/authserver/rundir.h"

enum part { PART_FCGI, PART_NGINX, PART_REAPER, PARTS };

struct plan {
	struct child parts[PARTS]; /* a reaper without argv is not run */
	char *const *delete_all;   /* run at the end when the reaper ran */
	const struct rundir *run;  /* where nginx says that it listens */
	uint16_t port;
	const char *host;     /* a Host that is answered */
	const char *announce; /* logged as soon as all serve */
	const char *warning;  /* logged with it; may be NULL */
};

/* Blocks the signals that supervise() waits for: before there is anything to clean up. */
void supervise_prepare(void);

/*
 * Returns when nothing runs any more: 0 after SIGTERM or SIGINT, an exit status of
 * sysexits(3) when a part could not be started or kept alive.
 */
int supervise(struct plan *p, const struct log *log);

#endif
