#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/couriers.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct couriers_fixture fixture;

static int64_t
tell(void *now)
{
	return *(int64_t *)now;
}

/* It stands still until a test sets it. */
static const struct clock ours = {.realtime = tell, .monotonic = tell, .state = &fixture.now};

/* An answer that says "not mine" is none, to its owner. */
static int
check(void *answer, size_t size)
{
	const struct note *n = answer;

	return size == sizeof(*n) && strcmp(n->text, "not mine") != 0 ? 0 : -1;
}

static void
deliver(courier_call *done, void *context, const void *answer, const struct error *e)
{
	const struct note *n = answer;
	struct couriers_outcome *o = context;

	(void)done;
	o->calls++;
	o->code = e->code;
	(void)snprintf(o->text, sizeof(o->text), "%.63s", n != NULL ? n->text : e->text);
}

static void
nothing(void)
{
}

int
couriers_open(struct couriers_fixture *f, size_t most, const struct entropy *entropy)
{
	const struct courier_parts parts = {.fd = f->ours,
	    .clock = &ours,
	    .entropy = entropy,
	    .peer = "the other",
	    .magic = COURIERS_ANSWER,
	    .most = most,
	    .few = f->pace.few,
	    .wait = f->pace.wait,
	    .answer_size = sizeof(struct note),
	    .deadline = 5 * NANOSECONDS,
	    .check = check,
	    .deliver = deliver};
	struct error e;

	courier_free(f->courier);
	return courier_new(&f->courier, &parts, &e);
}

int
couriers_setup(void **state)
{
	int ends[2];

	fixture = (struct couriers_fixture){.now = 1000 * NANOSECONDS};
	*state = &fixture;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1)
		return -1;
	fixture.ours = ends[0];
	fixture.theirs = ends[1];
	return couriers_open(&fixture, COURIER_MOST, &entropy_system);
}

int
couriers_teardown(void **state)
{
	struct couriers_fixture *f = *state;

	courier_free(f->courier);
	close(f->ours);
	if (f->theirs != -1)
		close(f->theirs);
	return 0;
}

static struct note
ask(size_t i)
{
	struct note n = {.head = {.magic = COURIERS_ASK, .kind = COURIERS_SAID, .id = 4711}};

	memset(n.text, '!', sizeof(n.text));
	(void)snprintf(n.text, sizeof(n.text), "note %zu", i);
	return n;
}

int
couriers_submit(struct couriers_fixture *f, size_t i, struct error *e)
{
	const struct note n = ask(i);

	return courier_submit(f->courier, &n, sizeof(n), nothing, &f->outcomes[i], e);
}

int
couriers_submit_light(struct couriers_fixture *f, size_t i, struct error *e)
{
	const struct note n = ask(i);

	return courier_submit_light(f->courier, &n, sizeof(n), nothing, &f->outcomes[i], e);
}

void
couriers_submit_all(struct couriers_fixture *f, size_t count)
{
	struct error e = {0};

	for (size_t i = 0; i < count; i++)
		if (couriers_submit(f, i, &e) == -1)
			fail_msg("%zu: %s", i, e.text);
}

struct note
couriers_take(const struct couriers_fixture *f)
{
	struct note n = {0};

	assert_int_equal(recv(f->theirs, &n, sizeof(n), MSG_DONTWAIT), sizeof(n));
	return n;
}

void
couriers_assert_nothing_asked(const struct couriers_fixture *f)
{
	char byte;

	assert_int_equal(recv(f->theirs, &byte, sizeof(byte), MSG_DONTWAIT), -1);
}

struct note
couriers_make_answer(uint64_t id, const char *text)
{
	struct note n = {.head = {.magic = COURIERS_ANSWER, .kind = COURIERS_SAID, .id = id}};

	(void)snprintf(n.text, sizeof(n.text), "%s", text);
	return n;
}

void
couriers_answer_with(struct couriers_fixture *f, const struct note *n, size_t size)
{
	assert_int_equal(courier_answer(f->theirs, n, size, MSG_DONTWAIT), 0);
	assert_int_equal(courier_receive(f->courier), 0);
}

void
couriers_assert_answered(const struct couriers_fixture *f, size_t i, const char *text)
{
	assert_int_equal(f->outcomes[i].calls, 1);
	assert_int_equal(f->outcomes[i].code, ERROR_NONE);
	assert_string_equal(f->outcomes[i].text, text);
}

void
couriers_assert_failed(const struct couriers_fixture *f, size_t i, const char *text)
{
	assert_int_equal(f->outcomes[i].calls, 1);
	assert_int_equal(f->outcomes[i].code, ERROR_UNAVAILABLE);
	assert_string_equal(f->outcomes[i].text, text);
}

void
couriers_assert_pending(const struct couriers_fixture *f, size_t i)
{
	assert_int_equal(f->outcomes[i].calls, 0);
}
