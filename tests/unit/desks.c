#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/desks.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct desks_fixture fixtures[DESKS_MAX];
static size_t used;

/* --- the chain --- */

int
chain_open(struct chain **out, const struct chain_parts *parts, struct error *e)
{
	struct desks_fixture *f = parts->clock->state;
	int opened = atomic_fetch_add(&f->opened, 1);

	*out = NULL;
	if (parts->config->resolvers.count > 0)
		return error_set(e, ERROR_NO_INPUT, "no such file");
	assert_ptr_equal(parts->lender, opened == 0 ? NULL : &f->chain);
	while (parts->lender != NULL && f->opening_waits && sem_wait(&f->open) == -1)
		continue;
	if (parts->lender != NULL && f->unopenable)
		return error_set(e, ERROR_CONFIG, "the password has gone");
	*out = &f->chain;
	return 0;
}

void
chain_close(struct chain *c)
{
	assert_null(c); /* it could not be opened */
}

/* One who is in a group of the user's own name. */
int
chain_lookup(struct chain *c, const struct chain_question *q, struct membership *m,
    chain_tell *tell, void *context, struct error *e)
{
	struct desks_fixture *f = c->f;
	int version = f->version;
	char group[32];

	(void)tell;
	(void)context;
	*m = (struct membership){0};
	atomic_fetch_add(&f->asked, 1);
	while (strncmp(q->user, "slow", 4) == 0 && sem_wait(&f->go) == -1)
		continue;
	while (strncmp(q->user, "hung", 4) == 0 && version < 2 && sem_wait(&f->end) == -1)
		continue;
	if (f->failing)
		return error_set(e, ERROR_UNAVAILABLE, "the directory is away");
	m->partial = f->partial;
	m->known = strcmp(q->user, "ghost") != 0;
	if (m->partial)
		return membership_add(m, "part", 4, e);
	if (version > 0) {
		(void)snprintf(group, sizeof(group), "version%d", version);
		return membership_add(m, group, strlen(group), e);
	}
	return m->known ? membership_add(m, q->user, strlen(q->user), e) : 0;
}

void
chain_overdue(struct chain *c)
{
	atomic_fetch_add(&c->f->overdue, 1);
}

/* --- threads that cannot be started --- */

static _Atomic int startable = -1;

typedef int create_thread(
    pthread_t *id, const pthread_attr_t *attributes, void *(*start)(void *), void *argument);
create_thread __real_pthread_create, __wrap_pthread_create;

int
__wrap_pthread_create(
    pthread_t *id, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
	if (startable == 0)
		return EAGAIN;
	if (startable > 0)
		startable--;
	return __real_pthread_create(id, attributes, start, argument);
}

void
desks_allow_threads(int count)
{
	startable = count;
}

/* --- the desk in a thread --- */

static int64_t
read_now(void *state)
{
	return ((const struct desks_fixture *)state)->now;
}

void *
desks_serve(void *argument)
{
	struct desks_fixture *f = argument;

	f->served = serve_sockets(&f->counters, f->theirs, DESKS_SOCKETS, &f->e);
	return NULL;
}

int
desks_setup(void **state)
{
	struct desks_fixture *f = &fixtures[used++];
	struct desk_parts parts = {
	    .groups = &f->config, .verify = &f->verify, .clock = &f->clock, .log = &f->log};
	struct gate_parts gate = {.config = &f->password, .clock = &f->clock};
	int ends[2], lines[2];
	struct error e;

	*state = f;
	desks_allow_threads(-1);
	if (pipe(lines) == -1)
		return -1;
	f->logged = lines[0];
	f->chain.f = f;
	f->now = 1000 * NANOSECONDS;
	f->clock = (struct clock){.realtime = read_now, .monotonic = read_now, .state = f};
	f->log = (struct log){.fd = lines[1], .clock = &f->clock};
	f->config = (struct groups_config){.cache = 60, .retry = 5};
	for (size_t i = 0; i < DESKS_SOCKETS; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1)
			return -1;
		f->ours[i] = ends[0];
		f->theirs[i] = ends[1];
	}
	if (sem_init(&f->go, 0, 0) == -1 || sem_init(&f->open, 0, 0) == -1 ||
	    sem_init(&f->end, 0, 0) == -1 || desk_open(&f->counters.desk, &parts, &e) == -1 ||
	    gate_open(&f->counters.gate, &gate, &e) == -1)
		return -1;
	return pthread_create(&f->thread, NULL, desks_serve, f);
}

void
desks_hang_up(struct desks_fixture *f, size_t i)
{
	if (f->ours[i] != -1)
		close(f->ours[i]);
	f->ours[i] = -1;
}

int
desks_teardown(void **state)
{
	struct desks_fixture *f = *state;

	for (size_t i = 0; i < DESKS_SOCKETS; i++)
		desks_hang_up(f, i);
	return pthread_join(f->thread, NULL);
}

void
desks_ask_from(const struct desks_fixture *f, size_t i, const char *user, uint64_t id)
{
	struct lookup_request q;
	struct error e;

	assert_int_equal(lookup_request_init(&q, LOOKUP_USER, user, &e), 0);
	q.head.id = id;
	assert_int_equal(
	    send(f->ours[i], &q, lookup_request_size(&q), 0), lookup_request_size(&q));
}

void
desks_ask(const struct desks_fixture *f, const char *user, uint64_t id)
{
	desks_ask_from(f, 0, user, id);
}

const struct lookup_answer *
desks_take_any(const struct desks_fixture *f, size_t i)
{
	static struct lookup_answer a;
	ssize_t size = recv(f->ours[i], &a, sizeof(a), 0);

	assert_int_not_equal(size, -1);
	assert_int_equal(lookup_answer_check(&a, (size_t)size), 0);
	return &a;
}

const struct lookup_answer *
desks_take_from(const struct desks_fixture *f, size_t i, uint64_t id)
{
	const struct lookup_answer *a = desks_take_any(f, i);

	assert_int_equal(a->head.id, id);
	return a;
}

const struct lookup_answer *
desks_take(const struct desks_fixture *f, uint64_t id)
{
	return desks_take_from(f, 0, id);
}

void
desks_assert_no_answer(const struct desks_fixture *f, size_t i)
{
	char byte;

	assert_int_equal(recv(f->ours[i], &byte, sizeof(byte), MSG_DONTWAIT), -1);
}

void
desks_assert_groups(const struct lookup_answer *a, const char *groups)
{
	assert_int_equal(a->head.kind, LOOKUP_FOUND);
	assert_string_equal(a->m.groups, groups);
}

void
desks_assert_failed(const struct lookup_answer *a, const char *reason)
{
	assert_int_equal(a->head.kind, LOOKUP_FAILED);
	assert_string_equal(a->reason, reason);
}

void
desks_let_arrive(const struct desks_fixture *f)
{
	static uint64_t id = 1000000;
	char user[32];

	(void)snprintf(user, sizeof(user), "arrived%llu", (unsigned long long)++id);
	desks_ask(f, user, id);
	(void)desks_take(f, id);
}

void
desks_go(struct desks_fixture *f, int count)
{
	while (count-- > 0)
		assert_int_equal(sem_post(&f->go), 0);
}

void
desks_await_asked(const struct desks_fixture *f, int count)
{
	while (f->asked < count)
		(void)sched_yield();
}

void
desks_await_line(struct desks_fixture *f, const char *text)
{
	size_t length = 0;

	*f->lines = '\0';
	while (strstr(f->lines, text) == NULL) {
		ssize_t n = read(f->logged, f->lines + length, sizeof(f->lines) - 1 - length);

		assert_true(n > 0);
		length += (size_t)n;
		f->lines[length] = '\0';
	}
}
