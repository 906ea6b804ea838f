/* resolver: what is answered while sources fail or hang, and how the desk ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/desks.h"

/* --- sources that fail --- */

static void
failure_reaches_all_and_is_not_kept(void **state)
{
	struct desks_fixture *f = *state;

	f->failing = true;
	desks_ask_from(f, 0, "slow", 7);
	desks_let_arrive(f);
	desks_ask_from(f, 1, "slow", 8);
	desks_ask_from(f, 1, "y", 9);
	desks_assert_failed(desks_take_from(f, 1, 9), "the directory is away");
	desks_go(f, 1);
	desks_assert_failed(desks_take_from(f, 0, 7), "the directory is away");
	desks_assert_failed(desks_take_from(f, 1, 8), "the directory is away");
	f->failing = false;
	desks_go(f, 1);
	desks_ask(f, "slow", 10);
	desks_assert_groups(desks_take(f, 10), "slow\n");
}

static void
what_was_known_counts_while_sources_fail_if_it_may(void **state)
{
	struct desks_fixture *f = *state;
	const struct lookup_answer *a;

	f->config.stale = 100;
	desks_ask(f, "jane", 7);
	(void)desks_take(f, 7);
	f->failing = true;
	f->now += 160 * NANOSECONDS - 1;
	desks_ask(f, "jane", 8);
	a = desks_take(f, 8);
	desks_assert_groups(a, "jane\n");
	assert_int_equal(a->keep, 5 * NANOSECONDS);
	f->now += 1;
	desks_ask(f, "jane", 9);
	desks_assert_failed(desks_take(f, 9), "the directory is away");
}

static void
what_was_known_counts_no_longer_where_it_may_not(void **state)
{
	struct desks_fixture *f = *state;

	desks_ask(f, "jane", 7);
	(void)desks_take(f, 7);
	f->failing = true;
	f->now += 60 * NANOSECONDS;
	desks_ask(f, "jane", 8);
	desks_assert_failed(desks_take(f, 8), "the directory is away");
}

/* --- sources that hang: no source of these has a timeout, so that it is 200 ms --- */

static void
who_waits_for_a_source_that_hangs_is_told(void **state)
{
	struct desks_fixture *f = *state;

	desks_ask(f, "slow", 7);
	desks_let_arrive(f);
	f->now += NANOSECONDS / 5 - 1;
	desks_let_arrive(f);
	desks_assert_no_answer(f, 0);
	f->now += 1;
	desks_ask_from(f, 1, "jane", 8);
	desks_assert_failed(desks_take(f, 7), "the sources of groups did not answer in time");
	desks_go(f, 1);
}

/* Whoever asks again does not wait for the thread that hangs. */
static void
user_whose_look_up_hangs_is_looked_up_anew(void **state)
{
	struct desks_fixture *f = *state;

	desks_ask(f, "hung", 7);
	desks_await_asked(f, 1);
	f->now += NANOSECONDS;
	desks_ask_from(f, 1, "jane", 8);
	desks_assert_failed(desks_take(f, 7), "the sources of groups did not answer in time");
	desks_ask(f, "hung", 9);
	desks_await_asked(f, 3);
	desks_assert_no_answer(f, 0);
	(void)sem_post(&f->end);
	(void)sem_post(&f->end);
	desks_assert_groups(desks_take(f, 9), "hung\n");
	desks_assert_no_answer(f, 0);
}

/* All threads hang; the one that goes on does the next job when it is done with the late one.
 */
static void
answer_that_came_too_late_is_kept_for_the_next(void **state)
{
	struct desks_fixture *f = *state;
	char user[16];

	for (uint64_t id = 0; id < DESKS_THREADS - 1; id++) {
		(void)snprintf(user, sizeof(user), "hung%d", (int)id);
		desks_ask(f, user, id);
	}
	desks_ask(f, "slow", DESKS_THREADS - 1);
	desks_await_asked(f, DESKS_THREADS);
	f->now += NANOSECONDS;
	desks_ask(f, "jane", 100);
	for (uint64_t id = 0; id < DESKS_THREADS; id++)
		desks_assert_failed(
		    desks_take(f, id), "the sources of groups did not answer in time");
	desks_go(f, 1);
	desks_assert_groups(desks_take(f, 100), "jane\n");
	desks_ask(f, "slow", 101);
	desks_assert_groups(desks_take(f, 101), "slow\n");
	assert_int_equal(f->asked, DESKS_THREADS + 1);
	for (int i = 0; i < DESKS_THREADS; i++)
		(void)sem_post(&f->end);
}

/* --- the end --- */

static void
desk_ends_when_the_last_socket_has_ended(void **state)
{
	struct desks_fixture *f = *state;

	f->served = 4711;
	desks_hang_up(f, 0);
	desks_ask_from(f, 1, "jane", 7); /* the other is still served */
	desks_assert_groups(desks_take_from(f, 1, 7), "jane\n");
	desks_ask_from(f, 1, "joe", 8); /* now that it has seen the end of the one */
	desks_assert_groups(desks_take_from(f, 1, 8), "joe\n");
	desks_hang_up(f, 1);
	assert_int_equal(pthread_join(f->thread, NULL), 0);
	assert_int_equal(f->served, 0);
	assert_int_equal(
	    pthread_create(&f->thread, NULL, desks_serve, f), 0); /* for the teardown */
}

static void
desk_ends_while_a_source_hangs(void **state)
{
	struct desks_fixture *f = *state;

	desks_ask(f, "slow", 7);
	desks_let_arrive(f);
	desks_hang_up(f, 0);
	desks_hang_up(f, 1);
	assert_int_equal(pthread_join(f->thread, NULL), 0);
	assert_int_equal(f->served, 0);
	desks_go(f, 1);
	assert_int_equal(pthread_create(&f->thread, NULL, desks_serve, f), 0);
}

static void
desk_does_not_open_when_its_sources_do_not(void **state)
{
	static char name[] = "static";
	char *names[] = {name};
	const struct groups_config config = {.resolvers = {.items = names, .count = 1}};
	struct desks_fixture *f = *state;
	const struct desk_parts parts = {.config = &config, .clock = &f->clock, .log = &f->log};
	struct desk *d;
	struct error e;

	assert_int_equal(desk_open(&d, &parts, &e), -1);
	assert_null(d);
	assert_int_equal(e.code, ERROR_NO_INPUT);
	assert_string_equal(e.text, "no such file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desks_setup, desks_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(failure_reaches_all_and_is_not_kept),
	    TEST(what_was_known_counts_while_sources_fail_if_it_may),
	    TEST(what_was_known_counts_no_longer_where_it_may_not),
	    TEST(who_waits_for_a_source_that_hangs_is_told),
	    TEST(user_whose_look_up_hangs_is_looked_up_anew),
	    TEST(answer_that_came_too_late_is_kept_for_the_next),
	    TEST(desk_ends_when_the_last_socket_has_ended),
	    TEST(desk_ends_while_a_source_hangs),
	    TEST(desk_does_not_open_when_its_sources_do_not),
	};

	alarm(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
