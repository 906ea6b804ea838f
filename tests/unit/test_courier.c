/* base: requests to another process, which the test plays, whatever the messages say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/courier.h"

enum { ASK = 0x61736b31, ANSWER = 0x616e7331, SAID = COURIER_HELLO + 1, LAST = COURIER_MOST };

struct note {
	struct courier_head head;
	char text[16];
};

struct outcome {
	int calls;
	enum error_code code;
	char text[64];
};

struct fixture {
	int ours;
	int theirs; /* -1: closed */
	struct courier *courier;
	struct outcome outcomes[LAST + 1];
};

static struct fixture fixture;

static int64_t
stand_still(void *state)
{
	(void)state;
	return 1000 * NANOSECONDS;
}

static const struct clock still = {.realtime = stand_still, .monotonic = stand_still};

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
	struct outcome *o = context;

	(void)done;
	o->calls++;
	o->code = e->code;
	(void)snprintf(o->text, sizeof(o->text), "%.63s", n != NULL ? n->text : e->text);
}

static void
nothing(void)
{
}

static int
open_courier(struct fixture *f, size_t most, const struct entropy *entropy)
{
	const struct courier_parts parts = {.fd = f->ours,
	    .clock = &still,
	    .entropy = entropy,
	    .peer = "the other",
	    .magic = ANSWER,
	    .most = most,
	    .answer_size = sizeof(struct note),
	    .deadline = 5 * NANOSECONDS,
	    .check = check,
	    .deliver = deliver};
	struct error e;

	courier_free(f->courier);
	return courier_new(&f->courier, &parts, &e);
}

static int
setup(void **state)
{
	int ends[2];

	fixture = (struct fixture){0};
	*state = &fixture;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1)
		return -1;
	fixture.ours = ends[0];
	fixture.theirs = ends[1];
	return open_courier(&fixture, COURIER_MOST, &entropy_system);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	courier_free(f->courier);
	close(f->ours);
	if (f->theirs != -1)
		close(f->theirs);
	return 0;
}

static int
submit(struct fixture *f, size_t i, struct error *e)
{
	struct note n = {.head = {.magic = ASK, .kind = SAID, .id = 4711}};

	(void)snprintf(n.text, sizeof(n.text), "note %zu", i);
	return courier_submit(f->courier, &n, sizeof(n), nothing, &f->outcomes[i], e);
}

static void
submit_all(struct fixture *f, size_t count)
{
	struct error e = {0};

	for (size_t i = 0; i < count; i++)
		if (submit(f, i, &e) == -1)
			fail_msg("%zu: %s", i, e.text);
}

static struct note
take(const struct fixture *f)
{
	struct note n = {0};

	assert_int_equal(recv(f->theirs, &n, sizeof(n), MSG_DONTWAIT), sizeof(n));
	return n;
}

static void
assert_nothing_asked(const struct fixture *f)
{
	char byte;

	assert_int_equal(recv(f->theirs, &byte, sizeof(byte), MSG_DONTWAIT), -1);
}

static struct note
make_answer(uint64_t id, const char *text)
{
	struct note n = {.head = {.magic = ANSWER, .kind = SAID, .id = id}};

	(void)snprintf(n.text, sizeof(n.text), "%s", text);
	return n;
}

/* Sends the first size bytes of it, and lets them be taken. */
static void
answer_with(struct fixture *f, const struct note *n, size_t size)
{
	assert_int_equal(courier_answer(f->theirs, n, size, MSG_DONTWAIT), 0);
	assert_int_equal(courier_receive(f->courier), 0);
}

static void
assert_answered(const struct fixture *f, size_t i, const char *text)
{
	assert_int_equal(f->outcomes[i].calls, 1);
	assert_int_equal(f->outcomes[i].code, ERROR_NONE);
	assert_string_equal(f->outcomes[i].text, text);
}

static void
assert_failed(const struct fixture *f, size_t i, const char *text)
{
	assert_int_equal(f->outcomes[i].calls, 1);
	assert_int_equal(f->outcomes[i].code, ERROR_UNAVAILABLE);
	assert_string_equal(f->outcomes[i].text, text);
}

static void
assert_pending(const struct fixture *f, size_t i)
{
	assert_int_equal(f->outcomes[i].calls, 0);
}

/* --- requests --- */

static void
request_arrives_as_it_is_but_for_its_id(void **state)
{
	struct fixture *f = *state;
	const struct note want = {.head = {.magic = ASK, .kind = SAID}, .text = "note 0"};
	struct note n;

	submit_all(f, 1);
	n = take(f);
	assert_int_not_equal(n.head.id, 4711);
	n.head.id = 0;
	assert_memory_equal(&n, &want, sizeof(n));
	assert_nothing_asked(f);
}

static void
each_request_has_an_id_of_its_own(void **state)
{
	static uint64_t ids[64];
	struct fixture *f = *state;

	submit_all(f, 64);
	for (size_t i = 0; i < 64; i++) {
		ids[i] = take(f).head.id;
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(ids[i], ids[j]);
	}
}

/* Only what waits is counted: what was answered makes room. */
static void
no_more_wait_than_are_allowed(void **state)
{
	struct fixture *f = *state;
	struct error e = {0};
	struct note n;

	assert_int_equal(open_courier(f, 3, &entropy_system), 0);
	submit_all(f, 3);
	assert_int_equal(submit(f, 3, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "3 requests to the other are under way");
	assert_pending(f, 3);
	n = make_answer(take(f).head.id, "room");
	answer_with(f, &n, sizeof(n));
	assert_int_equal(submit(f, 3, &e), 0);
}

static void
as_many_may_wait_as_there_are_slots(void **state)
{
	static uint64_t ids[LAST];
	struct fixture *f = *state;
	struct error e = {0};
	struct note n;

	for (size_t i = 0; i < LAST; i++) {
		assert_int_equal(submit(f, i, &e), 0);
		ids[i] = take(f).head.id;
	}
	assert_int_equal(submit(f, LAST, &e), -1);
	assert_string_equal(e.text, "256 requests to the other are under way");
	n = make_answer(ids[LAST - 1], "the last");
	answer_with(f, &n, sizeof(n));
	assert_answered(f, LAST - 1, "the last");
	for (size_t i = 0; i < LAST - 1; i++) {
		n = make_answer(ids[i], "all");
		answer_with(f, &n, sizeof(n));
		assert_answered(f, i, "all");
	}
	assert_false(courier_busy(f->courier));
}

static void
socket_that_is_full_takes_no_more(void **state)
{
	struct fixture *f = *state;
	const int least = 1;
	struct error e = {0};
	size_t i = 0;

	assert_int_equal(setsockopt(f->ours, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), 0);
	while (i < LAST && submit(f, i, &e) == 0)
		i++;
	assert_in_range(i, 1, LAST - 1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(
	    e.text, "the other takes no more: Resource temporarily unavailable");
	(void)take(f);
	assert_int_equal(submit(f, i, &e), 0);
}

/* Who waited is not called any more, and nothing is left behind, as a build with SAN sees. */
static void
courier_is_freed_with_what_waits(void **state)
{
	struct fixture *f = *state;

	submit_all(f, 20);
	courier_free(f->courier);
	f->courier = NULL;
	for (size_t i = 0; i < 20; i++)
		assert_pending(f, i);
}

static int
draw_nothing(void *state, void *bytes, size_t length)
{
	(void)state;
	(void)bytes;
	(void)length;
	return -1;
}

static void
courier_without_random_bytes_is_none(void **state)
{
	const struct entropy none = {.fill = draw_nothing};
	struct fixture *f = *state;

	assert_int_equal(open_courier(f, COURIER_MOST, &none), -1);
	assert_null(f->courier);
}

/* --- answers --- */

static void
answer_smaller_than_a_head_is_ignored(void **state)
{
	struct fixture *f = *state;
	struct note n;

	submit_all(f, 1);
	n = make_answer(take(f).head.id, "whole");
	for (size_t size = 1; size < sizeof(n.head); size++)
		answer_with(f, &n, size);
	assert_pending(f, 0);
	answer_with(f, &n, sizeof(n));
	assert_answered(f, 0, "whole");
}

static void
answer_with_another_magic_is_ignored(void **state)
{
	struct fixture *f = *state;
	struct note n;

	submit_all(f, 1);
	n = make_answer(take(f).head.id, "ours");
	n.head.magic = ASK;
	answer_with(f, &n, sizeof(n));
	assert_pending(f, 0);
	n.head.magic = ANSWER;
	answer_with(f, &n, sizeof(n));
	assert_answered(f, 0, "ours");
}

static void
answer_that_its_owner_refuses_is_ignored(void **state)
{
	struct fixture *f = *state;
	struct note n;
	uint64_t id;

	submit_all(f, 1);
	id = take(f).head.id;
	n = make_answer(id, "not mine");
	answer_with(f, &n, sizeof(n));
	assert_pending(f, 0);
	n = make_answer(id, "mine");
	answer_with(f, &n, sizeof(n));
	assert_answered(f, 0, "mine");
}

static void
all_answers_that_are_there_are_taken_at_once(void **state)
{
	struct fixture *f = *state;

	submit_all(f, 3);
	for (size_t i = 0; i < 3; i++) {
		struct note n = make_answer(take(f).head.id, "one of three");

		assert_int_equal(courier_answer(f->theirs, &n, sizeof(n), 0), 0);
	}
	assert_int_equal(courier_receive(f->courier), 0);
	for (size_t i = 0; i < 3; i++)
		assert_answered(f, i, "one of three");
}

/* Whoever starts finds what was meant for the process before it. */
static void
what_is_there_at_the_start_is_for_nobody(void **state)
{
	struct fixture *f = *state;
	struct note n;

	submit_all(f, 1);
	n = make_answer(take(f).head.id, "stale");
	assert_int_equal(courier_answer(f->theirs, &n, sizeof(n), 0), 0);
	courier_hello(f->theirs, ANSWER);
	assert_int_equal(open_courier(f, COURIER_MOST, &entropy_system), 0);
	submit_all(f, 1);
	assert_int_equal(courier_receive(f->courier), 0);
	assert_pending(f, 0);
	(void)take(f);
	assert_nothing_asked(f);
}

/* --- the other process --- */

static void
hello_asks_nothing_when_nothing_waits(void **state)
{
	struct fixture *f = *state;

	courier_hello(f->theirs, ANSWER);
	assert_int_equal(courier_receive(f->courier), 0);
	assert_nothing_asked(f);
	assert_false(courier_busy(f->courier));
}

static void
hello_of_another_magic_asks_nothing_again(void **state)
{
	struct fixture *f = *state;

	submit_all(f, 1);
	(void)take(f);
	courier_hello(f->theirs, ASK);
	assert_int_equal(courier_receive(f->courier), 0);
	assert_nothing_asked(f);
	assert_pending(f, 0);
}

static void
end_of_the_socket_fails_all_that_waits(void **state)
{
	struct fixture *f = *state;
	struct error e = {0};

	submit_all(f, 3);
	for (int i = 0; i < 3; i++)
		(void)take(f);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(courier_receive(f->courier), -1);
	for (size_t i = 0; i < 3; i++)
		assert_failed(f, i, "the other is gone");
	assert_false(courier_busy(f->courier));
	assert_int_equal(submit(f, 3, &e), -1);
	assert_string_equal(e.text, "the other takes no more: Broken pipe");
	assert_int_equal(courier_receive(f->courier), -1);
}

/* The kernel tells an end with requests that nobody read in its own way. */
static void
end_of_a_socket_with_unread_requests_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	struct note n;

	submit_all(f, 3);
	n = make_answer(take(f).head.id, "the last");
	assert_int_equal(courier_answer(f->theirs, &n, sizeof(n), 0), 0);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(courier_receive(f->courier), -1);
	assert_answered(f, 0, "the last");
	assert_failed(f, 1, "the other is gone");
	assert_failed(f, 2, "the other is gone");
}

static void
end_of_the_socket_comes_behind_the_last_answer(void **state)
{
	struct fixture *f = *state;
	struct note n;

	submit_all(f, 2);
	n = make_answer(take(f).head.id, "the last");
	(void)take(f);
	assert_int_equal(courier_answer(f->theirs, &n, sizeof(n), 0), 0);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(courier_receive(f->courier), -1);
	assert_answered(f, 0, "the last");
	assert_failed(f, 1, "the other is gone");
}

static void
empty_message_is_no_end(void **state)
{
	struct fixture *f = *state;
	char byte;

	assert_int_equal(send(f->ours, "", 0, 0), 0);
	assert_int_equal(recv(f->theirs, &byte, sizeof(byte), MSG_DONTWAIT), 0);
	assert_false(courier_ended(f->theirs));
	close(f->ours);
	assert_int_equal(recv(f->theirs, &byte, sizeof(byte), MSG_DONTWAIT), 0);
	assert_true(courier_ended(f->theirs));
	f->ours = dup(f->theirs); /* for the teardown */
}

/* Neither a signal nor a wait. */
static void
nobody_is_greeted_or_answered_where_nobody_is(void **state)
{
	struct fixture *f = *state;
	const struct note n = make_answer(1, "nobody");

	close(f->ours);
	f->ours = dup(f->theirs);
	courier_hello(f->theirs, ANSWER);
	assert_int_equal(courier_answer(f->theirs, &n, sizeof(n), 0), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(request_arrives_as_it_is_but_for_its_id),
	    TEST(each_request_has_an_id_of_its_own),
	    TEST(no_more_wait_than_are_allowed),
	    TEST(as_many_may_wait_as_there_are_slots),
	    TEST(socket_that_is_full_takes_no_more),
	    TEST(courier_is_freed_with_what_waits),
	    TEST(courier_without_random_bytes_is_none),
	    TEST(answer_smaller_than_a_head_is_ignored),
	    TEST(answer_with_another_magic_is_ignored),
	    TEST(answer_that_its_owner_refuses_is_ignored),
	    TEST(all_answers_that_are_there_are_taken_at_once),
	    TEST(what_is_there_at_the_start_is_for_nobody),
	    TEST(hello_asks_nothing_when_nothing_waits),
	    TEST(hello_of_another_magic_asks_nothing_again),
	    TEST(end_of_the_socket_fails_all_that_waits),
	    TEST(end_of_a_socket_with_unread_requests_is_told_at_once),
	    TEST(end_of_the_socket_comes_behind_the_last_answer),
	    TEST(empty_message_is_no_end),
	    TEST(nobody_is_greeted_or_answered_where_nobody_is),
	};

	alarm(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
