#define _GNU_SOURCE /* explicit_bzero, EPOLL_CLOEXEC */
#include "resolver/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "identity/source_ldap_password.h"
#include "resolver/checker.h"
#include "resolver/job.h"

enum { MILLISECOND = NANOSECONDS / 1000, GRACE = 300 /* milliseconds to start and to end */ };

enum state {
	QUEUED,  /* to be checked; the question is here */
	RUNNING, /* a process has it */
	KILLED,  /* so it had, but too long: answered, and still to end */
	WRONG,   /* to be answered so */
};

struct question {
	struct waiter waiter;
	enum state state;
	int64_t since; /* monotonic nanoseconds */
	int64_t due;   /* when it is answered: what is wrong, or what takes too long */
	struct checker checker;
	size_t size;
	char text[PASSWORD_TEXT]; /* zeroes once it was passed on */
	struct question *next;    /* a younger one */
};

struct gate {
	struct gate_parts parts;
	struct checker_program program;
	int epoll;
	struct question *oldest;
	size_t count;   /* in hand */
	size_t running; /* processes, those that were killed among them */
};

static int64_t
now(const struct gate *g)
{
	return clock_monotonic(g->parts.clock);
}

/* Where PAM looks for a service (pam.conf(5)). Without a file of its own, "other" would decide,
 * which nobody has written for this. */
static int
check_service(const char *service, struct error *e)
{
	static const char *const places[] = {"/etc/pam.d/", "/usr/lib/pam.d/"};
	char path[LIMIT_PATH];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", places[i], service);
		if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0)
			return 0;
	}
	return error_set(e, ERROR_NO_INPUT,
	    "/etc/pam.d/%s: cannot be read: write this file, as authserver.password(5) shows",
	    service);
}

int
gate_check(const struct password_config *c, struct error *e)
{
	int rc = 0;

	if (c->source == PASSWORD_PAM)
		rc = check_service(c->service, e);
	else if (c->source == PASSWORD_LDAP)
		rc = ldap_password_ready(&c->ldap, e);
	return rc == 0 ? 0 : error_prefix(e, "%s: password", c->where);
}

int
gate_open(struct gate **out, const struct gate_parts *parts, struct error *e)
{
	struct gate *g = calloc(1, sizeof(*g));

	*out = NULL;
	if (g == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	g->parts = *parts;
	g->program.configuration = -1;
	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (g->epoll == -1)
		error_set(e, ERROR_INTERNAL, "epoll: %s", strerror(errno));
	else if (gate_check(parts->config, e) == 0 &&
		 (parts->config->source == PASSWORD_NONE ||
		     checker_program_open(&g->program, parts->flags, e) == 0)) {
		*out = g;
		return 0;
	}
	gate_close(g);
	return -1;
}

/* Takes it out of the list and frees it. */
static void
drop(struct gate *g, struct question *q)
{
	struct question **at = &g->oldest;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	g->count--;
	explicit_bzero(q, sizeof(*q));
	free(q);
}

void
gate_forget(struct gate *g)
{
	struct error ignored;

	while (g->oldest != NULL) {
		struct question *q = g->oldest;

		if (q->state == RUNNING || q->state == KILLED) {
			checker_kill(&q->checker);
			(void)checker_finish(&q->checker, &ignored);
		}
		drop(g, q);
	}
	g->running = 0;
}

void
gate_close(struct gate *g)
{
	if (g == NULL)
		return;
	gate_forget(g);
	checker_program_close(&g->program);
	if (g->epoll != -1)
		close(g->epoll);
	free(g);
}

static void
answer(const struct waiter *w, enum password_verdict verdict, const struct error *e)
{
	struct lookup_answer a;

	lookup_answer_init_verdict(&a, w->id, verdict, e);
	outbox_send(w->box, &a, lookup_answer_size(&a));
}

/* When "wrong" is said of what was asked then: at the first multiple of the delay that is still
 * to come. */
static int64_t
next_multiple(const struct gate *g, int64_t since)
{
	int64_t delay = g->parts.config->delay * NANOSECONDS;

	return delay == 0 ? since : since + ((now(g) - since) / delay + 1) * delay;
}

/* What a process said, or why there is none: the question is done with, unless it is to be
 * answered later. */
static void
settle(struct gate *g, struct question *q, int rc, const struct error *e)
{
	if (q->state == RUNNING && rc == -1 && e->code == ERROR_DENIED) {
		q->state = WRONG;
		q->due = next_multiple(g, q->since);
		return;
	}
	if (q->state != KILLED)
		answer(&q->waiter, PASSWORD_RIGHT, rc == 0 ? NULL : e);
	drop(g, q);
}

static int
start(struct gate *g, struct question *q, struct error *e)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = q};
	int rc = checker_start(&q->checker, &g->program, q->text, q->size, e);

	explicit_bzero(q->text, sizeof(q->text));
	if (rc == -1)
		return -1;
	q->state = RUNNING;
	if (epoll_ctl(g->epoll, EPOLL_CTL_ADD, q->checker.pidfd, &event) == 0) {
		g->running++;
		return 0;
	}
	error_set(e, ERROR_UNAVAILABLE, "epoll: %s", strerror(errno));
	checker_kill(&q->checker);
	(void)checker_finish(&q->checker, &(struct error){0});
	return -1;
}

/* As many as may run at a time. */
static void
start_queued(struct gate *g)
{
	struct question *next;
	struct error e;

	for (struct question *q = g->oldest; q != NULL && g->running < GATE_RUNNING; q = next) {
		next = q->next;
		if (q->state == QUEUED && start(g, q, &e) == -1)
			settle(g, q, -1, &e);
	}
}

static struct question *
add(struct gate *g, const struct waiter *w)
{
	struct question **end = &g->oldest;
	struct question *q = g->count < GATE_MOST ? calloc(1, sizeof(*q)) : NULL;

	if (q == NULL)
		return NULL;
	q->waiter = *w;
	q->state = QUEUED;
	q->since = now(g);
	q->due =
	    q->since + password_timeout(g->parts.config) * NANOSECONDS + GRACE * MILLISECOND;
	while (*end != NULL)
		end = &(*end)->next;
	*end = q;
	g->count++;
	return q;
}

void
gate_request(struct gate *g, struct outbox *box, const struct lookup_request *q, size_t size)
{
	const struct waiter w = {.box = box, .id = q->head.id};
	struct question *added = NULL;
	struct error e;

	if (g->parts.config->source == PASSWORD_NONE)
		error_set(&e, ERROR_UNAVAILABLE, "the configuration has no section password");
	else if ((added = add(g, &w)) == NULL)
		error_set(&e, ERROR_UNAVAILABLE, "%zu passwords are being checked", g->count);
	if (added == NULL) {
		answer(&w, PASSWORD_WRONG, &e);
		return;
	}
	added->size = size - offsetof(struct lookup_request, question);
	memcpy(added->text, q->question, added->size);
	start_queued(g);
}

int
gate_descriptor(const struct gate *g)
{
	return g->epoll;
}

void
gate_collect(struct gate *g)
{
	struct epoll_event events[GATE_RUNNING];
	int n = epoll_wait(g->epoll, events, GATE_RUNNING, 0);

	for (int i = 0; i < n; i++) {
		struct question *q = events[i].data.ptr;
		struct error e;
		int rc = checker_finish(&q->checker, &e);

		g->running--;
		settle(g, q, rc, &e);
	}
	start_queued(g);
}

/* What has been in hand for long enough. */
static void
end_wait(struct gate *g, struct question *q)
{
	struct error late;

	if (q->state == WRONG) {
		answer(&q->waiter, PASSWORD_WRONG, NULL);
		drop(g, q);
		return;
	}
	error_set(&late, ERROR_UNAVAILABLE, "the check of the password took too long");
	answer(&q->waiter, PASSWORD_WRONG, &late);
	if (q->state == QUEUED) {
		drop(g, q);
		return;
	}
	checker_kill(&q->checker);
	q->state = KILLED;
}

int
gate_expire(struct gate *g)
{
	int64_t at = now(g), first = INT64_MAX;
	struct question *next;

	for (struct question *q = g->oldest; q != NULL; q = next) {
		next = q->next;
		if (q->state == KILLED)
			continue;
		if (q->due <= at)
			end_wait(g, q);
		else if (q->due < first)
			first = q->due;
	}
	return first == INT64_MAX ? -1 : (int)((first - at) / MILLISECOND) + 1;
}
