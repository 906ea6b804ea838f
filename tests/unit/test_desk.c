/* resolver: where look-ups arrive and are answered. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/desks.h"
#include "tests/unit/patience.h"

/* --- what is answered --- */

static void
sources_are_asked_and_their_answer_told(void **state)
{
	struct desks_fixture *f = *state;
	const struct lookup_answer *a;

	desks_ask(f, "jane", 7);
	a = desks_take(f, 7);
	desks_assert_groups(a, "jane\n");
	assert_true(a->m.known);
	assert_int_equal(a->keep, 60 * NANOSECONDS);
	assert_int_equal(f->asked, 1);
}

static void
user_whom_nobody_knows_is_told_and_kept(void **state)
{
	struct desks_fixture *f = *state;

	desks_ask(f, "ghost", 7);
	assert_false(desks_take(f, 7)->m.known);
	desks_ask(f, "ghost", 8);
	assert_false(desks_take(f, 8)->m.known);
	assert_int_equal(f->asked, 1);
}

static void
answer_is_kept_for_the_time_that_is_left_of_it(void **state)
{
	struct desks_fixture *f = *state;
	const struct lookup_answer *a;

	desks_ask(f, "jane", 7);
	(void)desks_take(f, 7);
	f->now += 60 * NANOSECONDS - 1;
	desks_ask_from(f, 1, "jane", 8);
	a = desks_take_from(f, 1, 8);
	desks_assert_groups(a, "jane\n");
	assert_int_equal(a->keep, 1);
	assert_int_equal(f->asked, 1);
	f->now += 1;
	desks_ask(f, "jane", 9);
	assert_int_equal(desks_take(f, 9)->keep, 60 * NANOSECONDS);
	assert_int_equal(f->asked, 2);
}

static void
many_who_ask_about_one_user_are_one_look_up(void **state)
{
	struct desks_fixture *f = *state;

	for (uint64_t id = 0; id < 50; id++)
		desks_ask_from(f, id % 2, "slow", id);
	for (size_t i = 0; i < DESKS_SOCKETS; i++) {
		desks_ask_from(f, i, i == 0 ? "x" : "y", 100 + i);
		(void)desks_take_from(f, i, 100 + i);
		desks_assert_no_answer(f, i);
	}
	desks_go(f, 1);
	for (uint64_t id = 0; id < 50; id++)
		desks_assert_groups(desks_take_from(f, id % 2, id), "slow\n");
	assert_int_equal(f->asked, 3);
}

/* As many as there are threads; more wait for one of them. */
static void
slow_users_hold_up_no_others_while_there_are_threads(void **state)
{
	struct desks_fixture *f = *state;
	char user[16];

	for (uint64_t id = 0; id < DESKS_THREADS - 1; id++) {
		(void)snprintf(user, sizeof(user), "slow%d", (int)id);
		desks_ask(f, user, id);
	}
	desks_ask(f, "jane", 100);
	desks_assert_groups(desks_take(f, 100), "jane\n");
	desks_ask(f, "slow-too", 101);
	desks_ask(f, "slow-and-last", 102);
	desks_go(f, DESKS_THREADS + 1);
	for (int i = 0; i < DESKS_THREADS + 1; i++) {
		static struct lookup_answer a;

		assert_int_not_equal(recv(f->ours[0], &a, sizeof(a), 0), -1);
		assert_int_equal(a.head.kind, LOOKUP_FOUND);
	}
	assert_int_equal(f->asked, DESKS_THREADS + 2);
}

/* Nobody reads until all are answered, and the socket holds a few of the answers. */
static void
answers_wait_for_a_socket_that_takes_no_more(void **state)
{
	enum { MANY = 250 };
	struct desks_fixture *f = *state;
	const int little = 16 * 1024;
	static bool told[MANY];
	char user[LIMIT_PRINCIPAL];

	assert_int_equal(
	    setsockopt(f->theirs[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)), 0);
	for (uint64_t id = 0; id < MANY; id++) {
		(void)snprintf(user, sizeof(user), "%0*d", (int)sizeof(user) - 1, (int)id);
		desks_ask(f, user, id);
	}
	desks_await_asked(f, MANY);
	desks_ask_from(f, 1, "jane", 7); /* the other socket's are not behind them */
	desks_assert_groups(desks_take_from(f, 1, 7), "jane\n");
	for (int i = 0; i < MANY; i++) {
		const struct lookup_answer *a = desks_take_any(f, 0);

		assert_int_equal(a->head.kind, LOOKUP_FOUND);
		assert_true(a->head.id < MANY);
		assert_false(told[a->head.id]);
		told[a->head.id] = true;
		assert_int_equal(atoi(a->m.groups), a->head.id);
	}
	desks_assert_no_answer(f, 0);
}

/* Were one taken, it would be answered first: all are about the same user. */
static void
what_is_no_request_is_passed_over(void **state)
{
	struct desks_fixture *f = *state;
	struct lookup_request q;
	struct error e;

	assert_int_equal(lookup_request_init(&q, LOOKUP_USER, "jane", &e), 0);
	q.head.magic = LOOKUP_ANSWER_MAGIC;
	assert_int_equal(
	    send(f->ours[0], &q, lookup_request_size(&q), 0), lookup_request_size(&q));
	assert_int_equal(send(f->ours[0], "", 0, 0), 0);
	assert_int_equal(send(f->ours[0], "nonsense", 8, 0), 8);
	desks_ask(f, "jane", 7);
	desks_assert_groups(desks_take(f, 7), "jane\n");
	desks_assert_no_answer(f, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desks_setup, desks_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(sources_are_asked_and_their_answer_told),
	    TEST(user_whom_nobody_knows_is_told_and_kept),
	    TEST(answer_is_kept_for_the_time_that_is_left_of_it),
	    TEST(many_who_ask_about_one_user_are_one_look_up),
	    TEST(slow_users_hold_up_no_others_while_there_are_threads),
	    TEST(answers_wait_for_a_socket_that_takes_no_more),
	    TEST(what_is_no_request_is_passed_over),
	};

	patience_end(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
