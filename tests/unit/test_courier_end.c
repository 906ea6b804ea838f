/* base: when the process that a courier asks starts and ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/couriers.h"
#include "tests/unit/patience.h"

/* --- the other process --- */

static void
hello_asks_nothing_when_nothing_waits(void **state)
{
	struct couriers_fixture *f = *state;

	courier_hello(f->theirs, COURIERS_ANSWER);
	assert_int_equal(courier_receive(f->courier), 0);
	couriers_assert_nothing_asked(f);
	assert_false(courier_busy(f->courier));
}

static void
hello_of_another_magic_asks_nothing_again(void **state)
{
	struct couriers_fixture *f = *state;

	couriers_submit_all(f, 1);
	(void)couriers_take(f);
	courier_hello(f->theirs, COURIERS_ASK);
	assert_int_equal(courier_receive(f->courier), 0);
	couriers_assert_nothing_asked(f);
	couriers_assert_pending(f, 0);
}

static void
end_of_the_socket_fails_all_that_waits(void **state)
{
	struct couriers_fixture *f = *state;
	struct error e = {0};

	couriers_submit_all(f, 3);
	for (int i = 0; i < 3; i++)
		(void)couriers_take(f);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(courier_receive(f->courier), -1);
	for (size_t i = 0; i < 3; i++)
		couriers_assert_failed(f, i, "the other is gone");
	assert_false(courier_busy(f->courier));
	assert_int_equal(couriers_submit(f, 3, &e), -1);
	assert_string_equal(e.text, "the other takes no more: Broken pipe");
	assert_int_equal(courier_receive(f->courier), -1);
}

/* The kernel tells an end with requests that nobody read in its own way. */
static void
end_of_a_socket_with_unread_requests_is_told_at_once(void **state)
{
	struct couriers_fixture *f = *state;
	struct note n;

	couriers_submit_all(f, 3);
	n = couriers_make_answer(couriers_take(f).head.id, "the last");
	assert_int_equal(courier_answer(f->theirs, &n, sizeof(n), 0), 0);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(courier_receive(f->courier), -1);
	couriers_assert_answered(f, 0, "the last");
	couriers_assert_failed(f, 1, "the other is gone");
	couriers_assert_failed(f, 2, "the other is gone");
}

static void
end_of_the_socket_comes_behind_the_last_answer(void **state)
{
	struct couriers_fixture *f = *state;
	struct note n;

	couriers_submit_all(f, 2);
	n = couriers_make_answer(couriers_take(f).head.id, "the last");
	(void)couriers_take(f);
	assert_int_equal(courier_answer(f->theirs, &n, sizeof(n), 0), 0);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(courier_receive(f->courier), -1);
	couriers_assert_answered(f, 0, "the last");
	couriers_assert_failed(f, 1, "the other is gone");
}

static void
empty_message_is_no_end(void **state)
{
	struct couriers_fixture *f = *state;
	char byte;

	assert_int_equal(send(f->ours, "", 0, 0), 0);
	assert_int_equal(recv(f->theirs, &byte, sizeof(byte), MSG_DONTWAIT), 0);
	assert_false(courier_ended(f->theirs));
	close(f->ours);
	assert_int_equal(recv(f->theirs, &byte, sizeof(byte), MSG_DONTWAIT), 0);
	assert_true(courier_ended(f->theirs));
	f->ours = dup(f->theirs); /* for the teardown */
}

/* Nor does it wait. */
static void
nobody_is_greeted_or_answered_where_nobody_is(void **state)
{
	struct couriers_fixture *f = *state;
	const struct note n = couriers_make_answer(1, "nobody");

	close(f->ours);
	f->ours = dup(f->theirs);
	courier_hello(f->theirs, COURIERS_ANSWER);
	assert_int_equal(courier_answer(f->theirs, &n, sizeof(n), 0), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, couriers_setup, couriers_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(hello_asks_nothing_when_nothing_waits),
	    TEST(hello_of_another_magic_asks_nothing_again),
	    TEST(end_of_the_socket_fails_all_that_waits),
	    TEST(end_of_a_socket_with_unread_requests_is_told_at_once),
	    TEST(end_of_the_socket_comes_behind_the_last_answer),
	    TEST(empty_message_is_no_end),
	    TEST(nobody_is_greeted_or_answered_where_nobody_is),
	};

	patience_end(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
