/* resolver: what is answered while sources fail or hang, and how the desk ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/desks.h"
#include "tests/unit/patience.h"

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
	f->now += 60 * NANOSECONDS;
	desks_ask(f, "jane", 8);
	a = desks_take(f, 8);
	desks_assert_groups(a, "jane\n");
	assert_int_equal(a->keep, 5 * NANOSECONDS);
	f->now += 100 * NANOSECONDS - 3;
	desks_ask(f, "jane", 8);
	a = desks_take(f, 8);
	desks_assert_groups(a, "jane\n");
	assert_int_equal(a->keep, 3); /* and not until the next try, which would be too long */
	f->now += 3;
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

/* --- optional sources that fail --- */

static void
what_was_known_is_worth_more_than_a_part_while_it_counts(void **state)
{
	struct desks_fixture *f = *state;
	const struct lookup_answer *a;

	f->config.stale = 100;
	desks_ask(f, "jane", 7);
	assert_false(desks_take(f, 7)->m.partial);
	f->partial = true;
	f->now += 60 * NANOSECONDS;
	desks_ask(f, "jane", 8);
	a = desks_take(f, 8);
	desks_assert_groups(a, "jane\n");
	assert_false(a->m.partial);
	assert_int_equal(a->keep, 5 * NANOSECONDS);
	f->now += 100 * NANOSECONDS - 1;
	desks_ask(f, "jane", 9);
	desks_assert_groups(desks_take(f, 9), "jane\n");
	f->now += 1;
	desks_ask(f, "jane", 10);
	a = desks_take(f, 10);
	desks_assert_groups(a, "part\n");
	assert_true(a->m.partial);
}

static void
part_is_kept_until_the_source_is_tried_again(void **state)
{
	struct desks_fixture *f = *state;
	const struct lookup_answer *a;

	f->config.stale = 100;
	f->partial = true;
	desks_ask(f, "jane", 7);
	a = desks_take(f, 7);
	desks_assert_groups(a, "part\n");
	assert_int_equal(a->keep, 5 * NANOSECONDS);
	f->now += 5 * NANOSECONDS - 1;
	desks_ask(f, "jane", 8);
	assert_int_equal(desks_take(f, 8)->keep, 1);
	assert_int_equal(f->asked, 1);
	f->now += 1;
	f->failing = true; /* all of them: a part is nothing to fall back on */
	desks_ask(f, "jane", 9);
	desks_assert_failed(desks_take(f, 9), "the directory is away");
	f->failing = f->partial = false;
	desks_ask(f, "jane", 10);
	a = desks_take(f, 10);
	desks_assert_groups(a, "jane\n");
	assert_int_equal(a->keep, 60 * NANOSECONDS);
}

static void
part_is_kept_no_longer_than_the_whole(void **state)
{
	struct desks_fixture *f = *state;

	f->config.cache = 2;
	f->partial = true;
	desks_ask(f, "jane", 7);
	assert_int_equal(desks_take(f, 7)->keep, 2 * NANOSECONDS);
}

/* --- sources that hang: no source of these has a timeout, so that it is 2.2 s --- */

static void
who_waits_for_a_source_that_hangs_is_told(void **state)
{
	struct desks_fixture *f = *state;

	desks_ask(f, "slow", 7);
	desks_let_arrive(f);
	f->now += 11 * NANOSECONDS / 5 - 1;
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
	f->now += 3 * NANOSECONDS;
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

/* One that no thread has is no source's fault. */
static void
sources_that_hang_are_told_of_and_others_are_not(void **state)
{
	struct desks_fixture *f = *state;
	char user[16];

	desks_ask(f, "known", 100);
	(void)desks_take(f, 100);
	for (uint64_t id = 0; id < DESKS_THREADS; id++) {
		(void)snprintf(user, sizeof(user), "slow%d", (int)id);
		desks_ask(f, user, id);
	}
	desks_await_asked(f, DESKS_THREADS + 1);
	desks_ask(f, "jane", DESKS_THREADS);
	desks_ask(f, "known", 100);
	(void)desks_take(f, 100); /* so jane was asked for, too */
	f->now += 3 * NANOSECONDS;
	desks_ask_from(f, 1, "joe", 101);
	for (uint64_t id = 0; id < DESKS_THREADS + 1; id++)
		desks_assert_failed(
		    desks_take(f, id), "the sources of groups did not answer in time");
	assert_int_equal(f->overdue, DESKS_THREADS);
	desks_go(f, DESKS_THREADS);
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
	f->now += 3 * NANOSECONDS;
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

/* The thread that hung is the only one that can answer the last but one. */
static void
answer_that_came_too_late_does_not_replace_a_newer_one(void **state)
{
	struct desks_fixture *f = *state;
	char user[16];

	f->version = 1;
	desks_ask(f, "hung", 7);
	desks_await_asked(f, 1);
	f->now += 3 * NANOSECONDS;
	desks_ask_from(f, 1, "jane", 8);
	desks_assert_failed(desks_take(f, 7), "the sources of groups did not answer in time");
	(void)desks_take_from(f, 1, 8);
	f->version = 2;
	desks_ask(f, "hung", 9);
	desks_assert_groups(desks_take(f, 9), "version2\n");
	for (uint64_t id = 0; id < DESKS_THREADS - 1; id++) {
		(void)snprintf(user, sizeof(user), "slow%d", (int)id);
		desks_ask(f, user, id);
	}
	desks_await_asked(f, 3 + DESKS_THREADS - 1);
	(void)sem_post(&f->end);
	desks_ask(f, "joe", 10);
	desks_assert_groups(desks_take(f, 10), "version2\n");
	desks_ask(f, "hung", 11);
	desks_assert_groups(desks_take(f, 11), "version2\n");
	assert_int_equal(f->asked, 4 + DESKS_THREADS - 1);
	desks_go(f, DESKS_THREADS - 1);
}

/* --- threads that cannot begin --- */

static void
what_is_known_is_told_while_a_thread_opens_its_sources(void **state)
{
	struct desks_fixture *f = *state;

	f->opening_waits = true;
	desks_ask(f, "jane", 7);
	(void)desks_take(f, 7);
	desks_ask(f, "slow", 8);
	desks_await_asked(f, 2);
	desks_ask(f, "joe", 9);
	while (f->opened < 2)
		(void)sched_yield();
	desks_ask(f, "jane", 10);
	desks_assert_groups(desks_take(f, 10), "jane\n");
	(void)sem_post(&f->open);
	desks_assert_groups(desks_take(f, 9), "joe\n");
	desks_go(f, 1);
	desks_assert_groups(desks_take(f, 8), "slow\n");
}

/* The thread that has its sources does what there is. */
static void
thread_that_cannot_open_its_sources_is_not_tried_again_for_a_while(void **state)
{
	struct desks_fixture *f = *state;

	f->unopenable = true;
	desks_ask(f, "slow", 7);
	desks_await_asked(f, 1);
	desks_ask(f, "jane", 8);
	desks_await_line(f, "1 threads look up groups, and no more: the password has gone");
	for (uint64_t id = 9; id < 20; id++)
		desks_ask(f, "joe", id);
	desks_ask(f, "jim", 20);
	desks_go(f, 1);
	for (uint64_t id = 7; id < 21; id++)
		(void)desks_take(f, id);
	assert_int_equal(f->opened, 2);
	f->unopenable = false;
	f->now += 5 * NANOSECONDS;
	desks_ask(f, "slow2", 21);
	desks_await_asked(f, 5);
	desks_ask(f, "new", 22);
	desks_assert_groups(desks_take(f, 22), "new\n");
	assert_int_equal(f->opened, 3);
	desks_go(f, 1);
	desks_assert_groups(desks_take(f, 21), "slow2\n");
}

static void
who_asks_is_told_at_once_when_there_is_no_thread(void **state)
{
	struct desks_fixture *f = *state;

	desks_allow_threads(0);
	desks_ask(f, "jane", 7);
	desks_assert_failed(
	    desks_take(f, 7), "a thread cannot be started: Resource temporarily unavailable");
	desks_allow_threads(-1);
	desks_ask(f, "jane", 8); /* nor is one tried for a while */
	desks_assert_failed(
	    desks_take(f, 8), "a thread cannot be started: Resource temporarily unavailable");
	f->now += 5 * NANOSECONDS;
	desks_ask(f, "jane", 9);
	desks_assert_groups(desks_take(f, 9), "jane\n");
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
	const struct desk_parts parts = {
	    .groups = &config, .verify = &f->verify, .clock = &f->clock, .log = &f->log};
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
	    TEST(what_was_known_is_worth_more_than_a_part_while_it_counts),
	    TEST(part_is_kept_until_the_source_is_tried_again),
	    TEST(part_is_kept_no_longer_than_the_whole),
	    TEST(who_waits_for_a_source_that_hangs_is_told),
	    TEST(user_whose_look_up_hangs_is_looked_up_anew),
	    TEST(sources_that_hang_are_told_of_and_others_are_not),
	    TEST(answer_that_came_too_late_is_kept_for_the_next),
	    TEST(answer_that_came_too_late_does_not_replace_a_newer_one),
	    TEST(what_is_known_is_told_while_a_thread_opens_its_sources),
	    TEST(thread_that_cannot_open_its_sources_is_not_tried_again_for_a_while),
	    TEST(who_asks_is_told_at_once_when_there_is_no_thread),
	    TEST(desk_ends_when_the_last_socket_has_ended),
	    TEST(desk_ends_while_a_source_hangs),
	    TEST(desk_does_not_open_when_its_sources_do_not),
	};

	patience_end(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
