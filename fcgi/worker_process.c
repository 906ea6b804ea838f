#include "fcgi/worker_process.h"

#include <signal.h>
#include <unistd.h>

#include "fcgi/child.h"

static void
worker_main(const void *context, int ready)
{
	struct worker_parts parts = *(const struct worker_parts *)context;
	int keep[10 + SERVICE_DESCRIPTORS] = {ready, parts.gate, parts.listeners->web,
	    parts.listeners->peer, parts.listeners->verification, parts.signer, parts.resolver,
	    parts.accounts, parts.handover->in, parts.handover->out};
	struct error e = {0};

	parts.ready = ready;
	service_descriptors(parts.service, keep + 10);
	child_close_others(keep, sizeof(keep) / sizeof(keep[0]));
	_exit(worker_run(&parts, &e) == 0 ? 0 : 1);
}

pid_t
worker_process_start(const struct worker_parts *parts, struct error *e)
{
	const struct child child = {
	    .name = "worker", .death = SIGTERM, .run = worker_main, .context = parts};

	return child_start(&child, e);
}
