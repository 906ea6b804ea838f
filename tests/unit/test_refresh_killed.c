/* store: whoever uses a refresh token is killed, at the beginning and at the end of each system
 * call. What is left takes either the old token or its successor, once, and goes on. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/states.h"

/* How far the one came who is killed; in memory that is shared with it. */
enum step { STARTED, ROTATED, CONFIRMED, RELEASED };

struct life {
	_Atomic int step;
	char token[REFRESH_TOKEN];
	char next[REFRESH_TOKEN];
	int64_t now;
};

/* In the child: uses the token. */
static void
live(const struct state *s, struct life *l)
{
	struct refresh_lease *lease;
	char next[REFRESH_TOKEN];
	struct error e;

	CHILD_ASSERT(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	CHILD_ASSERT(raise(SIGSTOP) == 0);
	CHILD_ASSERT(refresh_take(&lease, s, l->token, NULL, l->now, &e) == 0);
	CHILD_ASSERT(refresh_rotate(lease, l->now, &entropy_system, next, &e) == 0);
	memcpy(l->next, next, sizeof(next));
	l->step = ROTATED;
	refresh_confirm(lease);
	l->step = CONFIRMED;
	refresh_release(lease);
	l->step = RELEASED;
	_exit(0);
}

/* Lets the child run until it is at its n-th stop, and kills it there. Whether it came so far.
 */
static bool
kill_at(const struct state *s, struct life *l, int n)
{
	pid_t child = fork();
	int status;

	assert_int_not_equal(child, -1);
	if (child == 0)
		live(s, l);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	for (int i = 0; i < n; i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return true;
}

static void
begin(const struct states_fixture *f, struct life *l)
{
	struct error e;

	*l = (struct life){.now = time(NULL)};
	stores_check(refresh_begin(f->state, &states_family, &states_limits, l->now,
			 &entropy_system, l->token, &e),
	    &e);
}

static enum states_verdict
use(const struct states_fixture *f, const struct life *l, const char *token,
    char next[REFRESH_TOKEN])
{
	struct error e;

	return states_use(f->state, token, l->now, next, &e);
}

/* Who presents which of the two first finds that it is good, and the other one is not then. */
static void
check_rest(const struct states_fixture *f, const struct life *l, bool old_first)
{
	char next[REFRESH_TOKEN], after[REFRESH_TOKEN];
	enum states_verdict verdict;

	if (old_first || l->step == STARTED) {
		verdict = use(f, l, l->token, next);
		if (l->step == STARTED)
			assert_int_equal(verdict, STATES_TAKEN);
		if (l->step >= CONFIRMED)
			assert_int_equal(verdict, STATES_REFUSED);
		if (verdict != STATES_TAKEN)
			return;
	} else {
		assert_int_equal(use(f, l, l->next, next), STATES_TAKEN);
	}
	/* There is one way on. */
	assert_int_equal(use(f, l, next, after), STATES_TAKEN);
	assert_int_equal(states_count(f, "refresh"), 1);
	if (l->step != STARTED && old_first)
		assert_int_equal(use(f, l, l->next, next), STATES_REFUSED);
	else
		assert_int_equal(use(f, l, l->token, next), STATES_REFUSED);
}

/* What was left behind goes with a later sweep; a family that is there stays. */
static void
sweep(const struct states_fixture *f, const struct life *l)
{
	struct state_sweep later = {.now = l->now + 2 * 3600};
	size_t families = 0;
	struct error e;

	stores_check(state_sweep(f->state, &later, &e), &e);
	assert_int_equal(later.families, 0);
	families = states_count(f, "refresh");
	assert_int_equal(families, 1);
}

static void
clear(const struct states_fixture *f, const struct life *l)
{
	struct state_sweep later = {.now = l->now + STATES_LIFETIME + STATE_GRACE + 1};
	struct error e;

	stores_check(state_sweep(f->state, &later, &e), &e);
	assert_int_equal(states_count(f, "refresh"), 0);
}

static void
killed_anywhere_it_leaves_one_way_on(void **state)
{
	const struct states_fixture *f = *state;
	struct life *l =
	    mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int stops = 0, steps[RELEASED + 1] = {0};

	assert_ptr_not_equal(l, MAP_FAILED);
	for (bool more = true; more; stops++) {
		for (int old_first = 0; old_first < 2; old_first++) {
			begin(f, l);
			more = kill_at(f->state, l, stops);
			steps[l->step]++;
			sweep(f, l);
			check_rest(f, l, old_first == 1);
			clear(f, l);
		}
	}
	/* All of it was seen, and not by luck. */
	print_message("%d stops: %d before the successor, %d with it, %d confirmed\n", stops,
	    steps[STARTED], steps[ROTATED], steps[CONFIRMED]);
	assert_true(steps[STARTED] > 20 && steps[ROTATED] > 2 && steps[CONFIRMED] > 2);
	munmap(l, sizeof(*l));
}

#define IN_STATE(test) cmocka_unit_test_setup_teardown(test, states_enter, states_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_STATE(killed_anywhere_it_leaves_one_way_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
