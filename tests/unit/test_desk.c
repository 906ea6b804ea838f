/* resolver: where look-ups arrive, with a chain of sources and a clock of the test's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "identity/chain.h"
#include "identity/lookup_message.h"
#include "resolver/desk.h"

enum { SOCKETS = 2, TESTS_MAX = 32, THREADS = 8 };

/* What outlives a test: threads of a desk never end, so each test has one of its own. */
struct fixture {
	struct desk *desk;
	struct groups_config config;
	struct clock clock;
	struct log log;
	_Atomic int64_t now;
	int ours[SOCKETS]; /* -1: closed */
	int theirs[SOCKETS];
	pthread_t thread;
	int served; /* what desk_serve() came to */
	struct error e;

	/* of the chain */
	sem_t go;             /* for each look-up of a user whose name begins with "slow" */
	sem_t end;            /* for each whose name begins with "hung" */
	_Atomic int asked;    /* how often a source was */
	_Atomic bool failing; /* whether look-ups fail now */
};

static struct fixture fixtures[TESTS_MAX];
static size_t used;

/* --- the chain, in place of that of the sources --- */

struct chain {
	char unused;
};

/* Of all desks: what one needs it has from the breaker, which is in the desk. */
static struct chain only;
static struct fixture *current;

int
chain_open(struct chain **out, const struct groups_config *c, struct breaker *b,
    const struct clock *clock, struct error *e)
{
	(void)b;
	(void)clock;
	*out = NULL;
	if (c->resolvers.count > 0)
		return error_set(e, ERROR_NO_INPUT, "no such file");
	*out = &only;
	return 0;
}

/* One who is in a group of the user's own name. */
int
chain_lookup(struct chain *c, const struct chain_question *q, struct membership *m,
    chain_tell *tell, void *context, struct error *e)
{
	struct fixture *f = current;

	(void)c;
	(void)tell;
	(void)context;
	*m = (struct membership){0};
	atomic_fetch_add(&f->asked, 1);
	while (strncmp(q->user, "slow", 4) == 0 && sem_wait(&f->go) == -1)
		continue;
	while (strncmp(q->user, "hung", 4) == 0 && sem_wait(&f->end) == -1)
		continue;
	if (f->failing)
		return error_set(e, ERROR_UNAVAILABLE, "the directory is away");
	m->known = strcmp(q->user, "ghost") != 0;
	return m->known ? membership_add(m, q->user, strlen(q->user), e) : 0;
}

/* --- the desk in a thread --- */

static int64_t
read_now(void *state)
{
	return ((const struct fixture *)state)->now;
}

static void *
serve(void *argument)
{
	struct fixture *f = argument;

	f->served = desk_serve(f->desk, f->theirs, SOCKETS, &f->e);
	return NULL;
}

static int
setup(void **state)
{
	struct fixture *f = &fixtures[used++];
	struct desk_parts parts = {.config = &f->config, .clock = &f->clock, .log = &f->log};
	int ends[2];
	struct error e;

	*state = current = f;
	f->now = 1000 * NANOSECONDS;
	f->clock = (struct clock){.realtime = read_now, .monotonic = read_now, .state = f};
	f->log = (struct log){.fd = open("/dev/null", O_WRONLY), .clock = &f->clock};
	f->config = (struct groups_config){.cache = 60, .retry = 5};
	for (size_t i = 0; i < SOCKETS; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1)
			return -1;
		f->ours[i] = ends[0];
		f->theirs[i] = ends[1];
	}
	if (sem_init(&f->go, 0, 0) == -1 || sem_init(&f->end, 0, 0) == -1 ||
	    desk_open(&f->desk, &parts, &e) == -1)
		return -1;
	return pthread_create(&f->thread, NULL, serve, f);
}

static void
hang_up(struct fixture *f, size_t i)
{
	if (f->ours[i] != -1)
		close(f->ours[i]);
	f->ours[i] = -1;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < SOCKETS; i++)
		hang_up(f, i);
	return pthread_join(f->thread, NULL);
}

static void
ask_from(const struct fixture *f, size_t i, const char *user, uint64_t id)
{
	struct lookup_request q;
	struct error e;

	assert_int_equal(lookup_request_init(&q, user, &e), 0);
	q.head.id = id;
	assert_int_equal(
	    send(f->ours[i], &q, lookup_request_size(&q), 0), lookup_request_size(&q));
}

static void
ask(const struct fixture *f, const char *user, uint64_t id)
{
	ask_from(f, 0, user, id);
}

static const struct lookup_answer *
take_from(const struct fixture *f, size_t i, uint64_t id)
{
	static struct lookup_answer a;
	ssize_t size = recv(f->ours[i], &a, sizeof(a), 0);

	assert_int_not_equal(size, -1);
	assert_int_equal(lookup_answer_check(&a, (size_t)size), 0);
	assert_int_equal(a.head.id, id);
	return &a;
}

static const struct lookup_answer *
take(const struct fixture *f, uint64_t id)
{
	return take_from(f, 0, id);
}

static void
assert_no_answer(const struct fixture *f, size_t i)
{
	char byte;

	assert_int_equal(recv(f->ours[i], &byte, sizeof(byte), MSG_DONTWAIT), -1);
}

static void
assert_groups(const struct lookup_answer *a, const char *groups)
{
	assert_string_equal(a->reason, "");
	assert_int_equal(a->head.kind, LOOKUP_FOUND);
	assert_string_equal(a->m.groups, groups);
}

static void
assert_failed(const struct lookup_answer *a, const char *reason)
{
	assert_int_equal(a->head.kind, LOOKUP_FAILED);
	assert_string_equal(a->reason, reason);
}

/* Once this one is answered, all that was asked before has arrived. */
static void
let_arrive(const struct fixture *f)
{
	static uint64_t id = 1000000;
	char user[32];

	(void)snprintf(user, sizeof(user), "arrived%llu", (unsigned long long)++id);
	ask(f, user, id);
	(void)take(f, id);
}

static void
go(struct fixture *f, int count)
{
	while (count-- > 0)
		assert_int_equal(sem_post(&f->go), 0);
}

/* Waits until threads have begun as many look-ups. */
static void
await_asked(const struct fixture *f, int count)
{
	while (f->asked < count)
		(void)sched_yield();
}

/* --- what is answered --- */

static void
sources_are_asked_and_their_answer_told(void **state)
{
	struct fixture *f = *state;
	const struct lookup_answer *a;

	ask(f, "jane", 7);
	a = take(f, 7);
	assert_groups(a, "jane\n");
	assert_true(a->m.known);
	assert_int_equal(a->keep, 60 * NANOSECONDS);
	assert_int_equal(f->asked, 1);
}

static void
user_whom_nobody_knows_is_told_and_kept(void **state)
{
	struct fixture *f = *state;

	ask(f, "ghost", 7);
	assert_false(take(f, 7)->m.known);
	ask(f, "ghost", 8);
	assert_false(take(f, 8)->m.known);
	assert_int_equal(f->asked, 1);
}

static void
answer_is_kept_for_the_time_that_is_left_of_it(void **state)
{
	struct fixture *f = *state;
	const struct lookup_answer *a;

	ask(f, "jane", 7);
	(void)take(f, 7);
	f->now += 60 * NANOSECONDS - 1;
	ask_from(f, 1, "jane", 8);
	a = take_from(f, 1, 8);
	assert_groups(a, "jane\n");
	assert_int_equal(a->keep, 1);
	assert_int_equal(f->asked, 1);
	f->now += 1;
	ask(f, "jane", 9);
	assert_int_equal(take(f, 9)->keep, 60 * NANOSECONDS);
	assert_int_equal(f->asked, 2);
}

static void
many_who_ask_about_one_user_are_one_look_up(void **state)
{
	struct fixture *f = *state;

	for (uint64_t id = 0; id < 50; id++)
		ask_from(f, id % 2, "slow", id);
	for (size_t i = 0; i < SOCKETS; i++) {
		ask_from(f, i, i == 0 ? "x" : "y", 100 + i);
		(void)take_from(f, i, 100 + i);
		assert_no_answer(f, i);
	}
	go(f, 1);
	for (uint64_t id = 0; id < 50; id++)
		assert_groups(take_from(f, id % 2, id), "slow\n");
	assert_int_equal(f->asked, 3);
}

/* As many as there are threads; more wait for one of them. */
static void
slow_users_hold_up_no_others_while_there_are_threads(void **state)
{
	struct fixture *f = *state;
	char user[16];

	for (uint64_t id = 0; id < THREADS - 1; id++) {
		(void)snprintf(user, sizeof(user), "slow%d", (int)id);
		ask(f, user, id);
	}
	ask(f, "jane", 100);
	assert_groups(take(f, 100), "jane\n");
	ask(f, "slow-too", 101);
	ask(f, "slow-and-last", 102);
	go(f, THREADS + 1);
	for (int i = 0; i < THREADS + 1; i++) {
		static struct lookup_answer a;

		assert_int_not_equal(recv(f->ours[0], &a, sizeof(a), 0), -1);
		assert_int_equal(a.head.kind, LOOKUP_FOUND);
	}
	assert_int_equal(f->asked, THREADS + 2);
}

static void
what_is_no_request_is_passed_over(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send(f->ours[0], "", 0, 0), 0);
	assert_int_equal(send(f->ours[0], "nonsense", 8, 0), 8);
	assert_int_equal(send(f->ours[0], f, sizeof(struct lookup_request) + 9, 0),
	    sizeof(struct lookup_request) + 9);
	ask(f, "jane", 7);
	assert_groups(take(f, 7), "jane\n");
	assert_no_answer(f, 0);
}

/* --- sources that fail --- */

static void
failure_reaches_all_and_is_not_kept(void **state)
{
	struct fixture *f = *state;

	f->failing = true;
	ask_from(f, 0, "slow", 7);
	let_arrive(f);
	ask_from(f, 1, "slow", 8);
	ask_from(f, 1, "y", 9);
	assert_failed(take_from(f, 1, 9), "the directory is away");
	go(f, 1);
	assert_failed(take_from(f, 0, 7), "the directory is away");
	assert_failed(take_from(f, 1, 8), "the directory is away");
	f->failing = false;
	go(f, 1);
	ask(f, "slow", 10);
	assert_groups(take(f, 10), "slow\n");
}

static void
what_was_known_counts_while_sources_fail_if_it_may(void **state)
{
	struct fixture *f = *state;
	const struct lookup_answer *a;

	f->config.stale = 100;
	ask(f, "jane", 7);
	(void)take(f, 7);
	f->failing = true;
	f->now += 160 * NANOSECONDS - 1;
	ask(f, "jane", 8);
	a = take(f, 8);
	assert_groups(a, "jane\n");
	assert_int_equal(a->keep, 5 * NANOSECONDS);
	f->now += 1;
	ask(f, "jane", 9);
	assert_failed(take(f, 9), "the directory is away");
}

static void
what_was_known_counts_no_longer_where_it_may_not(void **state)
{
	struct fixture *f = *state;

	ask(f, "jane", 7);
	(void)take(f, 7);
	f->failing = true;
	f->now += 60 * NANOSECONDS;
	ask(f, "jane", 8);
	assert_failed(take(f, 8), "the directory is away");
}

/* --- sources that hang: no source of these has a timeout, so that it is 200 ms --- */

static void
who_waits_for_a_source_that_hangs_is_told(void **state)
{
	struct fixture *f = *state;

	ask(f, "slow", 7);
	let_arrive(f);
	f->now += NANOSECONDS / 5 - 1;
	let_arrive(f);
	assert_no_answer(f, 0);
	f->now += 1;
	ask_from(f, 1, "jane", 8);
	assert_failed(take(f, 7), "the sources of groups did not answer in time");
	go(f, 1);
}

/* Whoever asks again does not wait for the thread that hangs. */
static void
user_whose_look_up_hangs_is_looked_up_anew(void **state)
{
	struct fixture *f = *state;

	ask(f, "hung", 7);
	await_asked(f, 1);
	f->now += NANOSECONDS;
	ask_from(f, 1, "jane", 8);
	assert_failed(take(f, 7), "the sources of groups did not answer in time");
	ask(f, "hung", 9);
	await_asked(f, 3);
	assert_no_answer(f, 0);
	(void)sem_post(&f->end);
	(void)sem_post(&f->end);
	assert_groups(take(f, 9), "hung\n");
	assert_no_answer(f, 0);
}

/* All threads hang; the one that goes on does the next job when it is done with the late one.
 */
static void
answer_that_came_too_late_is_kept_for_the_next(void **state)
{
	struct fixture *f = *state;
	char user[16];

	for (uint64_t id = 0; id < THREADS - 1; id++) {
		(void)snprintf(user, sizeof(user), "hung%d", (int)id);
		ask(f, user, id);
	}
	ask(f, "slow", THREADS - 1);
	await_asked(f, THREADS);
	f->now += NANOSECONDS;
	ask(f, "jane", 100);
	for (uint64_t id = 0; id < THREADS; id++)
		assert_failed(take(f, id), "the sources of groups did not answer in time");
	go(f, 1);
	assert_groups(take(f, 100), "jane\n");
	ask(f, "slow", 101);
	assert_groups(take(f, 101), "slow\n");
	assert_int_equal(f->asked, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		(void)sem_post(&f->end);
}

/* --- the end --- */

static void
desk_ends_when_the_last_socket_has_ended(void **state)
{
	struct fixture *f = *state;

	f->served = 4711;
	hang_up(f, 0);
	ask_from(f, 1, "jane", 7); /* the other is still served */
	assert_groups(take_from(f, 1, 7), "jane\n");
	hang_up(f, 1);
	assert_int_equal(pthread_join(f->thread, NULL), 0);
	assert_int_equal(f->served, 0);
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0); /* for the teardown */
}

static void
desk_ends_while_a_source_hangs(void **state)
{
	struct fixture *f = *state;

	ask(f, "slow", 7);
	let_arrive(f);
	hang_up(f, 0);
	hang_up(f, 1);
	assert_int_equal(pthread_join(f->thread, NULL), 0);
	assert_int_equal(f->served, 0);
	go(f, 1);
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void
desk_does_not_open_when_its_sources_do_not(void **state)
{
	static char name[] = "static";
	char *names[] = {name};
	const struct groups_config config = {.resolvers = {.items = names, .count = 1}};
	struct fixture *f = *state;
	const struct desk_parts parts = {.config = &config, .clock = &f->clock, .log = &f->log};
	struct desk *d;
	struct error e;

	assert_int_equal(desk_open(&d, &parts, &e), -1);
	assert_null(d);
	assert_int_equal(e.code, ERROR_NO_INPUT);
	assert_string_equal(e.text, "no such file");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(sources_are_asked_and_their_answer_told),
	    TEST(user_whom_nobody_knows_is_told_and_kept),
	    TEST(answer_is_kept_for_the_time_that_is_left_of_it),
	    TEST(many_who_ask_about_one_user_are_one_look_up),
	    TEST(slow_users_hold_up_no_others_while_there_are_threads),
	    TEST(what_is_no_request_is_passed_over),
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
