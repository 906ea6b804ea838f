#include "fcgi/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fcgi/accounts_remote.h"
#include "fcgi/child.h"
#include "fcgi/connections.h"
#include "fcgi/entrances.h"
#include "identity/lookup_remote.h"
#include "signer/signer_remote.h"

enum { EVENTS_MAX = 64 };

struct worker {
	const struct worker_parts *parts;
	struct signer_remote *signer;
	struct lookup_remote *lookup;     /* NULL: there is no resolver */
	struct accounts_remote *accounts; /* NULL: nobody asks for accounts */
	struct connections *connections;
	struct entrances entrances;
	int epoll;
	int signals;
	bool draining;
};

static void
drain(struct worker *w)
{
	if (w->draining)
		return;
	w->draining = true;
	entrances_close(&w->entrances);
	connections_drain(w->connections);
}

static void
take_signals(struct worker *w)
{
	struct signalfd_siginfo info;

	while (read(w->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM)
			drain(w);
		else
			service_reopen_audit(w->parts->service);
	}
}

static void
tick(struct worker *w)
{
	signer_remote_expire(w->signer);
	if (w->lookup != NULL)
		lookup_remote_expire(w->lookup);
	if (w->accounts != NULL)
		accounts_remote_expire(w->accounts);
	connections_expire(w->connections);
	if (!w->draining && !connections_full(w->connections))
		entrances_accept(&w->entrances, true);
}

/* The end comes only when the monitor is gone, and then we drain; it would wake us for
 * ever. */
static void
take_answers(struct worker *w)
{
	if (signer_remote_receive(w->signer) == -1)
		(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->parts->signer, NULL);
}

static void
take_memberships(struct worker *w)
{
	if (lookup_remote_receive(w->lookup) == -1)
		(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->parts->resolver, NULL);
}

static void
take_accounts(struct worker *w)
{
	if (accounts_remote_receive(w->accounts) == -1)
		(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->parts->accounts, NULL);
}

static void
dispatch(struct worker *w, void *source, uint32_t events)
{
	if (entrances_have(&w->entrances, source))
		entrances_take(&w->entrances, source);
	else if (source == &w->signals)
		take_signals(w);
	else if (source == &w->lookup)
		take_memberships(w);
	else if (source == &w->accounts)
		take_accounts(w);
	else
		connections_wake(w->connections, source, events);
}

/* What makes room comes before what needs it. */
static void
dispatch_all(struct worker *w, struct epoll_event *events, int count)
{
	for (int i = 0; i < count; i++)
		if (events[i].data.ptr == &w->signer)
			take_answers(w);
	for (int i = 0; i < count; i++)
		if (events[i].data.ptr != &w->signer)
			dispatch(w, events[i].data.ptr, events[i].events);
}

/* Whether somebody waits for us. */
static bool
busy(const struct worker *w)
{
	return connections_count(w->connections) > 0 || entrances_busy(&w->entrances);
}

/* Ticks once a second while there is anything whose time can run out; an idle worker
 * sleeps until something happens. */
static void
loop(struct worker *w)
{
	const struct clock *clock = w->parts->clock;
	struct epoll_event events[EVENTS_MAX];
	int64_t next_tick = clock_monotonic(clock) + NANOSECONDS;

	while (!w->draining || busy(w)) {
		bool timed = busy(w) || !entrances_accepting(&w->entrances);
		int n = epoll_wait(w->epoll, events, EVENTS_MAX, timed ? 1000 : -1);

		dispatch_all(w, events, n);
		if (timed && clock_monotonic(clock) >= next_tick) {
			tick(w);
			next_tick = clock_monotonic(clock) + NANOSECONDS;
		}
	}
}

static int
watch(struct worker *w, int fd, void *source)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

	return fd == -1 ? -1 : epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* The ways to the signer, to who knows accounts, and to the resolver. */
static int
open_remotes(struct worker *w, struct error *e)
{
	const struct worker_parts *p = w->parts;

	if (signer_remote_new(
		&w->signer, p->signer, p->signer_threads, p->clock, p->entropy, e) == -1)
		return -1;
	service_set_signer(p->service, signer_remote_signer(w->signer));
	if (p->accounts != -1) {
		if (accounts_remote_new(&w->accounts, p->accounts, p->clock, p->entropy, e) ==
		    -1)
			return -1;
		service_set_accounts(p->service, accounts_remote_accounts(w->accounts));
	}
	if (p->resolver == -1)
		return 0;
	if (lookup_remote_new(
		&w->lookup, p->resolver, p->lookup_deadline, p->clock, p->entropy, e) == -1)
		return -1;
	service_set_lookup(p->service, lookup_remote_lookup(w->lookup));
	service_set_passwords(p->service, lookup_remote_passwords(w->lookup));
	return 0;
}

static int
open_events(struct worker *w, struct error *e)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGUSR1);
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->epoll != -1 && watch(w, w->signals, &w->signals) == 0 &&
	    watch(w, w->parts->signer, &w->signer) == 0 &&
	    (w->parts->resolver == -1 || watch(w, w->parts->resolver, &w->lookup) == 0) &&
	    (w->parts->accounts == -1 || watch(w, w->parts->accounts, &w->accounts) == 0))
		return 0;
	return error_set(e, ERROR_INTERNAL, "the worker cannot start: %s", strerror(errno));
}

static int
open_entrances(struct worker *w, struct error *e)
{
	const struct worker_parts *p = w->parts;
	const struct connections_parts connections = {.service = p->service,
	    .handover = p->handover,
	    .log = p->log,
	    .clock = p->clock,
	    .epoll = w->epoll};
	struct entrances_parts entrances = {.listeners = p->listeners,
	    .handover = p->handover,
	    .peers = p->peers,
	    .accounts =
		w->accounts != NULL ? accounts_remote_accounts(w->accounts) : &accounts_here,
	    .tcp = p->tcp,
	    .log = p->log,
	    .clock = p->clock,
	    .epoll = w->epoll};

	if (connections_open(&w->connections, &connections, e) == -1)
		return -1;
	entrances.connections = w->connections;
	entrances_init(&w->entrances, &entrances);
	return 0;
}

/* Those of one generation begin together, when all can, or none of them does. */
static void
wait_at(int gate)
{
	char byte;

	if (gate == -1)
		return;
	while (read(gate, &byte, sizeof(byte)) == -1 && errno == EINTR)
		continue;
	close(gate);
}

int
worker_run(const struct worker_parts *parts, struct error *e)
{
	struct worker w = {.parts = parts, .epoll = -1, .signals = -1};
	int rc = -1;

	if (open_remotes(&w, e) == 0 && open_events(&w, e) == 0 && open_entrances(&w, e) == 0 &&
	    sandbox_enter_worker(parts->sandbox, parts->service, e) == 0)
		rc = 0;
	rc = child_report(parts->ready, rc, e);
	if (rc == 0) {
		wait_at(parts->gate);
		entrances_accept(&w.entrances, true);
		loop(&w);
	}
	signer_remote_free(w.signer);
	lookup_remote_free(w.lookup);
	accounts_remote_free(w.accounts);
	connections_free(w.connections);
	if (w.epoll != -1)
		close(w.epoll);
	if (w.signals != -1)
		close(w.signals);
	return rc;
}
