/* What tests of the resolver's desk share: a desk in a thread, with sources and a clock of
 * theirs. */
#ifndef TESTS_UNIT_DESKS_H
#define TESTS_UNIT_DESKS_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity/chain.h"
#include "identity/lookup_message.h"
#include "resolver/serve.h"

enum { DESKS_SOCKETS = 2, DESKS_MAX = 32 /* tests */, DESKS_THREADS = 8 /* of a desk */ };

/* In place of that of the sources. */
struct chain {
	struct desks_fixture *f;
};

/* What outlives a test: threads of a desk never end, so each test has one of its own. */
struct desks_fixture {
	struct counters counters; /* with a gate that refuses all */
	struct groups_config config;
	struct password_config password;
	struct verify_sections verify; /* none */
	struct clock clock;
	struct log log;
	_Atomic int64_t now;
	int ours[DESKS_SOCKETS]; /* -1: closed */
	int theirs[DESKS_SOCKETS];
	pthread_t thread;
	int served; /* what serve_sockets() came to */
	struct error e;

	int logged; /* where what was logged is read */
	char lines[8192];

	struct chain chain;
	_Atomic int opened;         /* how often a chain was */
	_Atomic bool opening_waits; /* whether it waits for open; the first never does */
	_Atomic bool unopenable;    /* whether it fails; the first never does */
	sem_t open;
	sem_t go;             /* for each look-up of a user whose name begins with "slow" */
	sem_t end;            /* for each whose name begins with "hung" */
	_Atomic int asked;    /* how often a source was */
	_Atomic int overdue;  /* how often a chain was said to be */
	_Atomic bool partial; /* whether they lack what an optional source says */
	_Atomic int version;  /* of the groups, if not 0; from the second on nobody hangs */
	_Atomic bool failing; /* whether look-ups fail now */
};

/* The main of the thread of a desk. */
void *desks_serve(void *argument);

/* For cmocka: set-up and teardown of a test. */
int desks_setup(void **state);
int desks_teardown(void **state);

/* Closes the end i of those who ask. */
void desks_hang_up(struct desks_fixture *f, size_t i);

/* Asks from the end i; without one, from the first. */
void desks_ask_from(const struct desks_fixture *f, size_t i, const char *user, uint64_t id);
void desks_ask(const struct desks_fixture *f, const char *user, uint64_t id);

/* The next answer. */
const struct lookup_answer *desks_take_any(const struct desks_fixture *f, size_t i);

/* The same, which is to id. */
const struct lookup_answer *desks_take_from(
    const struct desks_fixture *f, size_t i, uint64_t id);
const struct lookup_answer *desks_take(const struct desks_fixture *f, uint64_t id);

/* Asserts that the end i has no answer, and what an answer is. */
void desks_assert_no_answer(const struct desks_fixture *f, size_t i);
void desks_assert_groups(const struct lookup_answer *a, const char *groups);
void desks_assert_failed(const struct lookup_answer *a, const char *reason);

/* Once it returns, all that was asked before has arrived. */
void desks_let_arrive(const struct desks_fixture *f);

/* Only so many threads can be started from now on; -1: any number. */
void desks_allow_threads(int count);

/* Lets so many look-ups of users "slow..." go on. */
void desks_go(struct desks_fixture *f, int count);

/* Waits until a line with the text has been logged, after those that were waited for. */
void desks_await_line(struct desks_fixture *f, const char *text);

/* Waits until threads have begun as many look-ups. */
void desks_await_asked(const struct desks_fixture *f, int count);

#endif
