/* store: one refresh token, many at once: threads of one process, and processes. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/states.h"

enum { CLIENTS = 50, PROCESSES = 8, ROUNDS = 10 };

/* What those who race share, in memory that processes share too. */
struct race {
	const struct state *state;
	pthread_barrier_t start, tried;
	bool to_the_end; /* each uses the token as far as it gets; else whoever has it waits */
	char token[REFRESH_TOKEN];
	char next[REFRESH_TOKEN]; /* of the last one who got one */
	_Atomic int taken, refused, in_use, failed;
};

static void
try_once(struct race *r)
{
	struct refresh_lease *lease;
	char next[REFRESH_TOKEN];
	struct error e = {0};
	int rc;

	pthread_barrier_wait(&r->start);
	rc = refresh_take(&lease, r->state, r->token, NULL, STATES_NOW, &e);
	if (rc == 0) {
		r->taken++;
		if (refresh_rotate(lease, STATES_NOW, &entropy_system, next, &e) == -1)
			r->failed++;
		else
			memcpy(r->next, next, sizeof(next));
	} else if (e.code == ERROR_GRANT) {
		r->refused++;
		r->in_use += strstr(e.detail, "in use at this moment") != NULL;
	} else {
		r->failed++;
	}
	if (!r->to_the_end)
		pthread_barrier_wait(&r->tried);
	if (rc == 0) {
		refresh_confirm(lease);
		refresh_release(lease);
	}
}

static void *
run_client(void *context)
{
	try_once(context);
	return NULL;
}

static struct race *
race_new(const struct states_fixture *f, unsigned int count, bool to_the_end)
{
	struct race *r =
	    mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t shared;

	assert_ptr_not_equal(r, MAP_FAILED);
	*r = (struct race){.state = f->state, .to_the_end = to_the_end};
	states_begin(f, r->token);
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&r->start, &shared, count);
	pthread_barrier_init(&r->tried, &shared, count);
	return r;
}

static void
race_free(struct race *r)
{
	pthread_barrier_destroy(&r->start);
	pthread_barrier_destroy(&r->tried);
	munmap(r, sizeof(*r));
}

static void
run_threads(struct race *r)
{
	pthread_t threads[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_client, r), 0);
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
}

static void
run_processes(struct race *r)
{
	pid_t children[PROCESSES];
	int status;

	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			try_once(r);
			_exit(0);
		}
		assert_int_not_equal(children[i], -1);
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
}

/* Exactly one has it; the others end nothing while it does. */
static void
one_wins(const struct states_fixture *f, void (*run)(struct race *r), int count)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct race *r = race_new(f, (unsigned int)count, false);

		run(r);
		assert_int_equal(r->failed, 0);
		assert_int_equal(r->taken, 1);
		assert_int_equal(r->refused, count - 1);
		assert_int_equal(r->in_use, count - 1);
		assert_true(states_is_good(f->state, r->next));
		assert_false(states_is_good(f->state, r->token));
		race_free(r);
	}
}

/* Each as fast as it can: those who come when the winner is done are one too many. */
static void
one_wins_and_the_late_end_the_family(
    const struct states_fixture *f, void (*run)(struct race *r), int count)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct race *r = race_new(f, (unsigned int)count, true);
		bool late;

		run(r);
		late = r->in_use < count - 1;
		assert_int_equal(r->taken, 1);
		/* The winner may find that its family has been ended. */
		assert_true(r->failed <= (late ? 1 : 0));
		assert_int_equal(r->refused, count - 1);
		assert_int_equal(states_is_good(f->state, r->next), !late);
		race_free(r);
	}
}

static void
of_fifty_threads_with_one_token_one_wins(void **state)
{
	one_wins(*state, run_threads, CLIENTS);
	one_wins_and_the_late_end_the_family(*state, run_threads, CLIENTS);
}

static void
of_processes_with_one_token_one_wins(void **state)
{
	one_wins(*state, run_processes, PROCESSES);
	one_wins_and_the_late_end_the_family(*state, run_processes, PROCESSES);
}

#define IN_STATE(test) cmocka_unit_test_setup_teardown(test, states_enter, states_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_STATE(of_fifty_threads_with_one_token_one_wins),
	    IN_STATE(of_processes_with_one_token_one_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
