/* resolver: the gate, whose processes, clock and sockets are the test's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolver/checker.h"
#include "resolver/gate.h"

enum { MILLISECOND = NANOSECONDS / 1000, TIMEOUT = 5, STARTED_MAX = 2048 };

/* A process that was started. Its number is its place here. */
struct process {
	char question[PASSWORD_TEXT];
	size_t size;
	int ended; /* readable when it has */
	int rc;    /* what it says */
	struct error e;
	bool killed;
};

struct fixture {
	struct gate *gate;
	struct password_config config;
	struct clock clock;
	int64_t now;
	int epoll;
	int ours, theirs;
	struct outbox box;
	struct process processes[STARTED_MAX];
	size_t started;
	bool unstartable;
};

static struct fixture *current;

/* --- in place of processes --- */

int
checker_program_open(struct checker_program *p, const struct flags *flags, struct error *e)
{
	(void)flags;
	(void)e;
	p->configuration = -1;
	return 0;
}

void
checker_program_close(struct checker_program *p)
{
	(void)p;
}

int
checker_start(struct checker *c, const struct checker_program *p, const char *text, size_t size,
    struct error *e)
{
	struct process *process = &current->processes[current->started];

	(void)p;
	if (current->unstartable)
		return error_set(e, ERROR_UNAVAILABLE, "no more processes");
	assert_true(current->started < STARTED_MAX);
	*process = (struct process){.size = size, .ended = eventfd(0, EFD_CLOEXEC)};
	memcpy(process->question, text, size);
	*c = (struct checker){.pid = (pid_t)current->started++, .pidfd = process->ended};
	return 0;
}

void
checker_kill(const struct checker *c)
{
	current->processes[c->pid].killed = true;
}

int
checker_finish(struct checker *c, struct error *e)
{
	struct process *process = &current->processes[c->pid];

	close(process->ended);
	process->ended = -1;
	*e = process->e;
	return process->rc;
}

/* --- who asks --- */

static int64_t
read_now(void *state)
{
	return ((const struct fixture *)state)->now;
}

static int
setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	struct gate_parts parts = {.config = &f->config, .clock = &f->clock};
	int ends[2];
	struct error e;

	*f = (struct fixture){.now = 1000 * NANOSECONDS};
	*state = current = f;
	f->clock = (struct clock){.realtime = read_now, .monotonic = read_now, .state = f};
	f->epoll = epoll_create1(0);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1)
		return -1;
	f->ours = ends[0];
	f->theirs = ends[1];
	/* The section that there is when the gate opens is checked; none is not. */
	if (outbox_open(&f->box, f->epoll, f->theirs) == -1 ||
	    gate_open(&f->gate, &parts, &e) == -1)
		return -1;
	f->config.source = PASSWORD_PAM;
	f->config.pam_timeout = TIMEOUT;
	f->config.delay = 2;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	gate_close(f->gate);
	outbox_close(&f->box);
	close(f->ours);
	close(f->theirs);
	close(f->epoll);
	return 0;
}

static void
ask(struct fixture *f, const char *user, const char *password, uint64_t id)
{
	const struct password_question question = {user, password};
	struct lookup_request q;
	size_t size = lookup_request_init_password(&q, &question);

	q.head.id = id;
	gate_request(f->gate, &f->box, &q, size);
}

/* Process number i ends, and says so. */
static void
end(struct fixture *f, size_t i, enum error_code code)
{
	f->processes[i].rc = code == ERROR_NONE ? 0 : -1;
	error_set(&f->processes[i].e, code, "%s", "because");
	(void)eventfd_write(f->processes[i].ended, 1);
	gate_collect(f->gate);
	(void)gate_expire(f->gate);
}

static void
pass(struct fixture *f, int64_t milliseconds)
{
	f->now += milliseconds * MILLISECOND;
	(void)gate_expire(f->gate);
}

static bool
take(const struct fixture *f, struct lookup_answer *a)
{
	ssize_t size = recv(f->ours, a, sizeof(*a), MSG_DONTWAIT);

	if (size != -1)
		assert_int_equal(lookup_answer_check(a, (size_t)size), 0);
	return size != -1;
}

static void
assert_verdict(const struct fixture *f, uint64_t id, enum password_verdict verdict)
{
	static struct lookup_answer a;

	assert_true(take(f, &a));
	assert_int_equal(a.head.kind, LOOKUP_VERDICT);
	assert_int_equal(a.head.id, id);
	assert_int_equal(a.verdict, verdict);
}

static void
assert_failed(const struct fixture *f, uint64_t id, const char *reason)
{
	static struct lookup_answer a;

	assert_true(take(f, &a));
	assert_int_equal(a.head.kind, LOOKUP_FAILED);
	assert_int_equal(a.head.id, id);
	assert_non_null(strstr(a.reason, reason));
}

static void
assert_silent(const struct fixture *f)
{
	static struct lookup_answer a;

	assert_false(take(f, &a));
}

/* --- tests --- */

static void
process_gets_the_question_as_it_was_asked(void **state)
{
	struct fixture *f = *state;

	ask(f, "alice", "secret", 1);
	ask(f, "bob", NULL, 2);
	assert_int_equal(f->started, 2);
	assert_int_equal(f->processes[0].size, 13);
	assert_memory_equal(f->processes[0].question, "alice\0secret", 13);
	assert_int_equal(f->processes[1].size, 4);
	assert_memory_equal(f->processes[1].question, "bob", 4);
}

static void
right_is_said_at_once(void **state)
{
	struct fixture *f = *state;

	ask(f, "alice", "secret", 1);
	assert_silent(f);
	pass(f, 10);
	end(f, 0, ERROR_NONE);
	assert_verdict(f, 1, PASSWORD_RIGHT);
	pass(f, 60 * 1000);
	assert_silent(f);
	assert_int_equal(gate_expire(f->gate), -1);
}

static void
wrong_is_said_when_the_delay_is_over_whatever_it_took(void **state)
{
	struct fixture *f = *state;

	ask(f, "alice", "guess", 1);  /* takes 10 ms */
	ask(f, "nobody", "guess", 2); /* takes 1900 ms */
	ask(f, "slow", "guess", 3);   /* takes 2100 ms: the next multiple */
	pass(f, 10);
	end(f, 0, ERROR_DENIED);
	assert_silent(f);
	pass(f, 1890);
	end(f, 1, ERROR_DENIED);
	pass(f, 99);
	assert_silent(f);
	assert_int_equal(gate_expire(f->gate), 2); /* milliseconds, rounded up */
	pass(f, 1);
	assert_verdict(f, 1, PASSWORD_WRONG);
	assert_verdict(f, 2, PASSWORD_WRONG);
	pass(f, 100);
	end(f, 2, ERROR_DENIED);
	pass(f, 1899);
	assert_silent(f);
	pass(f, 1);
	assert_verdict(f, 3, PASSWORD_WRONG);
}

static void
wrong_is_said_at_once_without_a_delay(void **state)
{
	struct fixture *f = *state;

	f->config.delay = 0;
	ask(f, "alice", "guess", 1);
	end(f, 0, ERROR_DENIED);
	assert_verdict(f, 1, PASSWORD_WRONG);
}

static void
delayed_answers_hold_up_nobody(void **state)
{
	struct fixture *f = *state;

	/* Ten times as many as run at a time. */
	for (size_t i = 0; i < 10 * GATE_RUNNING; i++) {
		ask(f, "guesser", "guess", i);
		assert_int_equal(f->started, i + 1);
		end(f, i, ERROR_DENIED);
	}
	ask(f, "alice", "secret", 4711);
	end(f, 10 * GATE_RUNNING, ERROR_NONE);
	assert_verdict(f, 4711, PASSWORD_RIGHT);
	assert_silent(f);
}

static void
so_many_run_at_a_time_and_the_next_waits(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i <= GATE_RUNNING; i++)
		ask(f, "alice", "secret", i);
	assert_int_equal(f->started, GATE_RUNNING);
	end(f, 3, ERROR_NONE);
	assert_verdict(f, 3, PASSWORD_RIGHT);
	assert_int_equal(f->started, GATE_RUNNING + 1);
	end(f, GATE_RUNNING, ERROR_NONE);
	assert_verdict(f, GATE_RUNNING, PASSWORD_RIGHT);
}

static void
more_than_can_be_in_hand_are_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < GATE_MOST; i++)
		ask(f, "alice", "secret", i);
	assert_silent(f);
	ask(f, "alice", "secret", GATE_MOST);
	assert_failed(f, GATE_MOST, "are being checked");
}

static void
process_that_hangs_is_killed_at_the_deadline_and_keeps_its_place_until_it_ends(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < GATE_RUNNING; i++)
		ask(f, "alice", "secret", i);
	pass(f, TIMEOUT * 1000 - 1);
	assert_silent(f);
	pass(f, 500);
	for (size_t i = 0; i < GATE_RUNNING; i++) {
		assert_true(f->processes[i].killed);
		assert_failed(f, i, "took too long");
	}
	ask(f, "bob", "secret", 100);
	assert_int_equal(f->started, GATE_RUNNING);
	/* What it said when it was too late is no answer. */
	end(f, 0, ERROR_NONE);
	assert_silent(f);
	assert_int_equal(f->started, GATE_RUNNING + 1);
	end(f, GATE_RUNNING, ERROR_NONE);
	assert_verdict(f, 100, PASSWORD_RIGHT);
}

static void
who_waits_for_a_place_too_long_is_told(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i <= GATE_RUNNING; i++)
		ask(f, "alice", "secret", i);
	pass(f, TIMEOUT * 1000 + 500);
	for (size_t i = 0; i <= GATE_RUNNING; i++)
		assert_failed(f, i, "took too long");
	assert_int_equal(f->started, GATE_RUNNING);
}

static void
no_verdict_is_said_at_once_with_its_reason(void **state)
{
	struct fixture *f = *state;

	ask(f, "alice", "secret", 1);
	end(f, 0, ERROR_UNAVAILABLE);
	assert_failed(f, 1, "because");
	f->unstartable = true;
	ask(f, "alice", "secret", 2);
	assert_failed(f, 2, "no more processes");
	f->unstartable = false;
	ask(f, "alice", "secret", 3);
	end(f, 1, ERROR_NONE);
	assert_verdict(f, 3, PASSWORD_RIGHT);
}

static void
without_a_section_nothing_is_asked(void **state)
{
	struct fixture *f = *state;

	f->config.source = PASSWORD_NONE;
	ask(f, "alice", "secret", 1);
	assert_failed(f, 1, "no section password");
	assert_int_equal(f->started, 0);
}

static void
who_is_forgotten_is_not_answered_and_what_runs_is_ended(void **state)
{
	struct fixture *f = *state;

	ask(f, "alice", "secret", 1);
	ask(f, "bob", "guess", 2);
	end(f, 1, ERROR_DENIED);
	gate_forget(f->gate);
	assert_true(f->processes[0].killed);
	pass(f, 60 * 1000);
	assert_silent(f);
	for (size_t i = 0; i < GATE_RUNNING; i++)
		ask(f, "alice", "secret", 10 + i);
	assert_int_equal(f->started, 2 + GATE_RUNNING);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(process_gets_the_question_as_it_was_asked),
	    TEST(right_is_said_at_once),
	    TEST(wrong_is_said_when_the_delay_is_over_whatever_it_took),
	    TEST(wrong_is_said_at_once_without_a_delay),
	    TEST(delayed_answers_hold_up_nobody),
	    TEST(so_many_run_at_a_time_and_the_next_waits),
	    TEST(more_than_can_be_in_hand_are_refused),
	    TEST(
		process_that_hangs_is_killed_at_the_deadline_and_keeps_its_place_until_it_ends),
	    TEST(who_waits_for_a_place_too_long_is_told),
	    TEST(no_verdict_is_said_at_once_with_its_reason),
	    TEST(without_a_section_nothing_is_asked),
	    TEST(who_is_forgotten_is_not_answered_and_what_runs_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
