#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/lookups.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct lookups_fixture fixture;

static int64_t
read_now(void *state)
{
	return ((const struct lookups_fixture *)state)->now;
}

int
lookups_setup(void **state)
{
	struct lookups_fixture *f = &fixture;
	int ends[2];
	struct error e;

	*f = (struct lookups_fixture){.now = 1000 * NANOSECONDS};
	*state = f;
	f->clock = (struct clock){.realtime = read_now, .monotonic = read_now, .state = f};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1)
		return -1;
	f->ours = ends[0];
	f->theirs = ends[1];
	return lookup_remote_new(
	    &f->remote, f->ours, LOOKUPS_DEADLINE, &f->clock, &entropy_system, &e);
}

int
lookups_teardown(void **state)
{
	struct lookups_fixture *f = *state;

	lookup_remote_free(f->remote);
	close(f->ours);
	if (f->theirs != -1)
		close(f->theirs);
	return 0;
}

static lookup_done keep_outcome;

int
lookups_submit(struct lookups_fixture *f, const char *user, size_t i, struct error *e)
{
	f->outcomes[i].f = f;
	return lookup_submit(
	    lookup_remote_lookup(f->remote), user, keep_outcome, &f->outcomes[i], e);
}

static void
keep_outcome(void *context, const struct membership *m, const struct error *e)
{
	struct lookups_outcome *o = context;
	struct error ignored;

	o->calls++;
	o->found = m != NULL;
	o->known = m != NULL && m->known;
	o->code = e->code;
	(void)snprintf(o->groups, sizeof(o->groups), "%.63s", m != NULL ? m->groups : "");
	(void)snprintf(o->text, sizeof(o->text), "%.127s", m != NULL ? "" : e->text);
	if (o->again != NULL)
		assert_int_equal(lookups_submit(o->f, o->again, LOOKUPS_WAITS, &ignored), 0);
}

void
lookups_ask(struct lookups_fixture *f, const char *user, size_t i)
{
	struct error e = {0};

	if (lookups_submit(f, user, i, &e) == -1)
		fail_msg("%s: %s", user, e.text);
}

uint64_t
lookups_take(const struct lookups_fixture *f, const char *user)
{
	struct lookup_request q;
	ssize_t size = recv(f->theirs, &q, sizeof(q), MSG_DONTWAIT);

	assert_int_not_equal(size, -1);
	assert_int_equal(lookup_request_check(&q, (size_t)size), 0);
	assert_string_equal(q.name, user);
	return q.head.id;
}

void
lookups_assert_nothing_asked(const struct lookups_fixture *f)
{
	char byte;

	assert_int_equal(recv(f->theirs, &byte, sizeof(byte), MSG_DONTWAIT), -1);
}

void
lookups_answer(struct lookups_fixture *f, uint64_t id, const struct membership *m, int64_t keep)
{
	static struct lookup_answer a;
	struct error e;

	error_set(&e, ERROR_UNAVAILABLE, "the directory is away");
	lookup_answer_init(&a, id, m, keep, &e);
	assert_int_equal(
	    courier_answer(f->theirs, &a, lookup_answer_size(&a), MSG_DONTWAIT), 0);
	assert_int_equal(lookup_remote_receive(f->remote), 0);
}

void
lookups_answer_group(struct lookups_fixture *f, uint64_t id, const char *group, int64_t keep)
{
	struct membership m = {.known = true};

	(void)snprintf(m.groups, sizeof(m.groups), "%s\n", group);
	lookups_answer(f, id, &m, keep);
}

void
lookups_assert_pending(const struct lookups_fixture *f, size_t i)
{
	assert_int_equal(f->outcomes[i].calls, 0);
}

void
lookups_assert_groups(const struct lookups_fixture *f, size_t i, const char *groups)
{
	assert_int_equal(f->outcomes[i].calls, 1);
	assert_true(f->outcomes[i].found);
	assert_true(f->outcomes[i].known);
	assert_int_equal(f->outcomes[i].code, ERROR_NONE);
	assert_string_equal(f->outcomes[i].groups, groups);
}

void
lookups_assert_failed(const struct lookups_fixture *f, size_t i, const char *text)
{
	assert_int_equal(f->outcomes[i].calls, 1);
	assert_false(f->outcomes[i].found);
	assert_int_equal(f->outcomes[i].code, ERROR_UNAVAILABLE);
	assert_string_equal(f->outcomes[i].text, text);
}
