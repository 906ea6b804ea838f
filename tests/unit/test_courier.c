/* base: requests to another process and its answers, whatever the messages say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/couriers.h"
#include "tests/unit/patience.h"

/* --- requests --- */

static void
request_arrives_as_it_is_but_for_its_id(void **state)
{
	struct couriers_fixture *f = *state;
	const struct note want = {.head = {.magic = COURIERS_ASK, .kind = COURIERS_SAID},
	    .text = "note 0\0!!!!!!!!!"};
	struct note n;

	couriers_submit_all(f, 1);
	n = couriers_take(f);
	assert_int_not_equal(n.head.id, 4711);
	n.head.id = 0;
	assert_memory_equal(&n, &want, sizeof(n));
	couriers_assert_nothing_asked(f);
}

static void
each_request_has_an_id_of_its_own(void **state)
{
	static uint64_t ids[64];
	struct couriers_fixture *f = *state;

	couriers_submit_all(f, 64);
	for (size_t i = 0; i < 64; i++) {
		ids[i] = couriers_take(f).head.id;
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(ids[i], ids[j]);
	}
}

/* Only what waits is counted: what was answered makes room. */
static void
no_more_wait_than_are_allowed(void **state)
{
	struct couriers_fixture *f = *state;
	struct error e = {0};
	struct note n;

	assert_int_equal(couriers_open(f, 3, &entropy_system), 0);
	couriers_submit_all(f, 3);
	assert_int_equal(couriers_submit(f, 3, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "3 requests to the other are under way");
	couriers_assert_pending(f, 3);
	n = couriers_make_answer(couriers_take(f).head.id, "room");
	couriers_answer_with(f, &n, sizeof(n));
	assert_int_equal(couriers_submit(f, 3, &e), 0);
}

static void
as_many_may_wait_as_there_are_slots(void **state)
{
	static uint64_t ids[COURIERS_LAST];
	struct couriers_fixture *f = *state;
	struct error e = {0};
	struct note n;

	for (size_t i = 0; i < COURIERS_LAST; i++) {
		assert_int_equal(couriers_submit(f, i, &e), 0);
		ids[i] = couriers_take(f).head.id;
	}
	assert_int_equal(couriers_submit(f, COURIERS_LAST, &e), -1);
	assert_string_equal(e.text, "256 requests to the other are under way");
	n = couriers_make_answer(ids[COURIERS_LAST - 1], "the last");
	couriers_answer_with(f, &n, sizeof(n));
	couriers_assert_answered(f, COURIERS_LAST - 1, "the last");
	for (size_t i = 0; i < COURIERS_LAST - 1; i++) {
		n = couriers_make_answer(ids[i], "all");
		couriers_answer_with(f, &n, sizeof(n));
		couriers_assert_answered(f, i, "all");
	}
	assert_false(courier_busy(f->courier));
}

static void
socket_that_is_full_takes_no_more(void **state)
{
	struct couriers_fixture *f = *state;
	const int least = 1;
	struct error e = {0};
	size_t i = 0;

	assert_int_equal(setsockopt(f->ours, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), 0);
	while (i < COURIERS_LAST && couriers_submit(f, i, &e) == 0)
		i++;
	assert_in_range(i, 1, COURIERS_LAST - 1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(
	    e.text, "the other takes no more: Resource temporarily unavailable");
	(void)couriers_take(f);
	assert_int_equal(couriers_submit(f, i, &e), 0);
}

/* Who waited is not called any more, and nothing is left behind, as a build with SAN sees. */
static void
courier_is_freed_with_what_waits(void **state)
{
	struct couriers_fixture *f = *state;

	couriers_submit_all(f, 20);
	courier_free(f->courier);
	f->courier = NULL;
	for (size_t i = 0; i < 20; i++)
		couriers_assert_pending(f, i);
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
	struct couriers_fixture *f = *state;

	assert_int_equal(couriers_open(f, COURIER_MOST, &none), -1);
	assert_null(f->courier);
}

/* --- answers --- */

static void
answer_smaller_than_a_head_is_ignored(void **state)
{
	struct couriers_fixture *f = *state;
	struct note n;

	couriers_submit_all(f, 1);
	n = couriers_make_answer(couriers_take(f).head.id, "whole");
	for (size_t size = 1; size < sizeof(n.head); size++)
		couriers_answer_with(f, &n, size);
	n.head.kind = COURIER_HELLO;
	for (size_t size = 1; size < sizeof(n.head); size++)
		couriers_answer_with(f, &n, size);
	n.head.kind = COURIERS_SAID;
	couriers_assert_pending(f, 0);
	couriers_assert_nothing_asked(f);
	couriers_answer_with(f, &n, sizeof(n));
	couriers_assert_answered(f, 0, "whole");
}

static void
answer_with_another_magic_is_ignored(void **state)
{
	struct couriers_fixture *f = *state;
	struct note n;

	couriers_submit_all(f, 1);
	n = couriers_make_answer(couriers_take(f).head.id, "ours");
	n.head.magic = COURIERS_ASK;
	couriers_answer_with(f, &n, sizeof(n));
	couriers_assert_pending(f, 0);
	n.head.magic = COURIERS_ANSWER;
	couriers_answer_with(f, &n, sizeof(n));
	couriers_assert_answered(f, 0, "ours");
}

static void
answer_that_its_owner_refuses_is_ignored(void **state)
{
	struct couriers_fixture *f = *state;
	struct note n;
	uint64_t id;

	couriers_submit_all(f, 1);
	id = couriers_take(f).head.id;
	n = couriers_make_answer(id, "not mine");
	couriers_answer_with(f, &n, sizeof(n));
	couriers_assert_pending(f, 0);
	n = couriers_make_answer(id, "mine");
	couriers_answer_with(f, &n, sizeof(n));
	couriers_assert_answered(f, 0, "mine");
}

static void
all_answers_that_are_there_are_taken_at_once(void **state)
{
	struct couriers_fixture *f = *state;

	couriers_submit_all(f, 3);
	for (size_t i = 0; i < 3; i++) {
		struct note n = couriers_make_answer(couriers_take(f).head.id, "one of three");

		assert_int_equal(courier_answer(f->theirs, &n, sizeof(n), 0), 0);
	}
	assert_int_equal(courier_receive(f->courier), 0);
	for (size_t i = 0; i < 3; i++)
		couriers_assert_answered(f, i, "one of three");
}

/* Whoever starts finds what was meant for the process before it. */
static void
what_is_there_at_the_start_is_for_nobody(void **state)
{
	struct couriers_fixture *f = *state;
	struct note n;

	couriers_submit_all(f, 1);
	n = couriers_make_answer(couriers_take(f).head.id, "stale");
	assert_int_equal(courier_answer(f->theirs, &n, sizeof(n), 0), 0);
	courier_hello(f->theirs, COURIERS_ANSWER);
	assert_int_equal(couriers_open(f, COURIER_MOST, &entropy_system), 0);
	couriers_submit_all(f, 1);
	assert_int_equal(courier_receive(f->courier), 0);
	couriers_assert_pending(f, 0);
	(void)couriers_take(f);
	couriers_assert_nothing_asked(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, couriers_setup, couriers_teardown)

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
	};

	patience_end(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
