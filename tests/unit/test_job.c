/* resolver: users who are being looked up, and who waits for the answer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolver/job.h"
#include "tests/unit/patience.h"

struct fixture {
	struct jobs jobs;
	int epoll;
	struct outbox boxes[2];
	int ours[2]; /* the ends of two processes that ask */
	int theirs[2];
};

static struct fixture fixture;

static int
setup(void **state)
{
	struct fixture *f = &fixture;
	int ends[2];

	*f = (struct fixture){0};
	*state = f;
	f->epoll = epoll_create1(0);
	for (size_t i = 0; i < 2; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1)
			return -1;
		f->ours[i] = ends[0];
		f->theirs[i] = ends[1];
		if (outbox_open(&f->boxes[i], f->epoll, f->theirs[i]) == -1)
			return -1;
	}
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	while (jobs_oldest(&f->jobs) != NULL)
		jobs_remove(&f->jobs, jobs_oldest(&f->jobs));
	for (size_t i = 0; i < 2; i++) {
		outbox_close(&f->boxes[i]);
		close(f->ours[i]);
		close(f->theirs[i]);
	}
	close(f->epoll);
	return f->jobs.late == NULL ? 0 : -1;
}

static struct job *
add(struct fixture *f, const char *user)
{
	struct job *j = jobs_add(&f->jobs, user, 0);

	assert_non_null(j);
	return j;
}

static void
wait_with(struct fixture *f, struct job *j, size_t who, uint64_t id)
{
	const struct waiter w = {.box = &f->boxes[who], .id = id};

	assert_int_equal(job_wait(j, &w), 0);
}

/* The next answer that who got. */
static const struct lookup_answer *
take(const struct fixture *f, size_t who)
{
	static struct lookup_answer a;
	ssize_t size;

	memset(&a, 0, sizeof(a));
	size = recv(f->ours[who], &a, sizeof(a), MSG_DONTWAIT);
	assert_int_not_equal(size, -1);
	assert_int_equal(a.head.magic, LOOKUP_ANSWER_MAGIC);
	assert_int_equal(lookup_answer_check(&a, (size_t)size), 0);
	return &a;
}

static void
assert_no_answer(const struct fixture *f, size_t who)
{
	char byte;

	assert_int_equal(recv(f->ours[who], &byte, sizeof(byte), MSG_DONTWAIT), -1);
}

/* --- the list --- */

static void
user_is_found_once_added(void **state)
{
	struct fixture *f = *state;
	struct job *jane, *joe;

	assert_null(jobs_find(&f->jobs, "jane"));
	jane = jobs_add(&f->jobs, "jane", 4711);
	joe = add(f, "joe");
	assert_string_equal(jane->user, "jane");
	assert_int_equal(jane->since, 4711);
	assert_ptr_equal(jobs_find(&f->jobs, "jane"), jane);
	assert_ptr_equal(jobs_find(&f->jobs, "joe"), joe);
	assert_null(jobs_find(&f->jobs, "Jane"));
	assert_int_equal(f->jobs.queued, 2);
}

static void
longest_name_has_a_job(void **state)
{
	char user[LIMIT_PRINCIPAL];
	struct fixture *f = *state;

	memset(user, 'u', sizeof(user) - 1);
	user[sizeof(user) - 1] = '\0';
	assert_string_equal(add(f, user)->user, user);
}

static void
jobs_are_taken_in_the_order_in_which_they_came(void **state)
{
	struct fixture *f = *state;
	struct job *a = add(f, "a"), *b = add(f, "b"), *c = add(f, "c");

	assert_ptr_equal(jobs_take(&f->jobs), a);
	assert_ptr_equal(jobs_take(&f->jobs), b);
	assert_ptr_equal(jobs_take(&f->jobs), c);
	assert_null(jobs_take(&f->jobs));
}

static void
job_that_a_thread_has_is_not_queued_but_still_found(void **state)
{
	struct fixture *f = *state;
	struct job *a = add(f, "a");

	assert_false(a->taken);
	assert_ptr_equal(jobs_take(&f->jobs), a);
	assert_true(a->taken);
	assert_int_equal(f->jobs.queued, 0);
	assert_ptr_equal(jobs_find(&f->jobs, "a"), a);
	assert_ptr_equal(jobs_oldest(&f->jobs), a);
}

static void
job_that_is_removed_is_gone(void **state)
{
	struct fixture *f = *state;
	struct job *a = add(f, "a"), *b = add(f, "b"), *c = add(f, "c");

	(void)jobs_take(&f->jobs);
	(void)jobs_take(&f->jobs);
	jobs_remove(&f->jobs, b); /* the second thread is done before the first */
	assert_null(jobs_find(&f->jobs, "b"));
	assert_ptr_equal(jobs_oldest(&f->jobs), a);
	jobs_remove(&f->jobs, a);
	assert_ptr_equal(jobs_oldest(&f->jobs), c);
	assert_ptr_equal(jobs_take(&f->jobs), c);
	jobs_remove(&f->jobs, c);
	assert_null(jobs_oldest(&f->jobs));
}

/* --- those that nobody waits for any more --- */

static void
job_that_no_thread_has_is_gone_when_it_is_abandoned(void **state)
{
	struct fixture *f = *state;
	struct job *a = add(f, "a");

	wait_with(f, a, 0, 1);
	add(f, "b");
	jobs_abandon(&f->jobs, a);
	assert_null(jobs_find(&f->jobs, "a"));
	assert_null(f->jobs.late);
	assert_int_equal(f->jobs.queued, 1);
	assert_string_equal(jobs_take(&f->jobs)->user, "b");
}

/* A hanging source is not to hold up those who ask later. */
static void
job_that_a_thread_has_cannot_be_joined_when_it_is_abandoned(void **state)
{
	struct fixture *f = *state;
	struct job *late = add(f, "a");
	struct job *fresh;

	assert_ptr_equal(jobs_take(&f->jobs), late);
	jobs_abandon(&f->jobs, late);
	assert_null(jobs_find(&f->jobs, "a"));
	assert_null(jobs_oldest(&f->jobs));
	assert_int_equal(f->jobs.queued, 0);
	fresh = add(f, "a");
	assert_ptr_equal(jobs_take(&f->jobs), fresh);
	jobs_remove(&f->jobs, late);
	assert_null(f->jobs.late);
	assert_ptr_equal(jobs_find(&f->jobs, "a"), fresh);
}

static void
late_jobs_end_in_any_order(void **state)
{
	struct fixture *f = *state;
	struct job *jobs[3] = {add(f, "a"), add(f, "b"), add(f, "c")};

	for (size_t i = 0; i < 3; i++) {
		assert_ptr_equal(jobs_take(&f->jobs), jobs[i]);
		jobs_abandon(&f->jobs, jobs[i]);
	}
	jobs_remove(&f->jobs, jobs[1]);
	jobs_remove(&f->jobs, jobs[2]);
	assert_ptr_equal(f->jobs.late, jobs[0]);
	assert_null(jobs[0]->next);
	jobs_remove(&f->jobs, jobs[0]);
	assert_null(f->jobs.late);
}

/* --- answers --- */

static void
all_who_wait_are_answered_with_their_own_ids(void **state)
{
	const struct membership m = {.known = true, .email = "a@b.c", .groups = "etl\n"};
	struct fixture *f = *state;
	struct job *j = add(f, "a");

	wait_with(f, j, 0, 11);
	wait_with(f, j, 1, 22);
	wait_with(f, j, 0, 33);
	job_answer(j, &m, 4711, NULL);
	assert_int_equal(take(f, 0)->head.id, 11);
	assert_int_equal(take(f, 0)->head.id, 33);
	assert_no_answer(f, 0);
	assert_int_equal(take(f, 1)->head.id, 22);
	assert_no_answer(f, 1);
}

static void
answer_has_what_was_found(void **state)
{
	const struct membership m = {.known = true, .email = "a@b.c", .groups = "etl\n"};
	struct fixture *f = *state;
	struct job *j = add(f, "a");
	const struct lookup_answer *a;

	wait_with(f, j, 0, 11);
	job_answer(j, &m, 4711, NULL);
	a = take(f, 0);
	assert_int_equal(a->head.kind, LOOKUP_FOUND);
	assert_int_equal(a->keep, 4711);
	assert_true(a->m.known);
	assert_string_equal(a->m.email, "a@b.c");
	assert_string_equal(a->m.groups, "etl\n");
}

static void
failure_has_its_reason(void **state)
{
	struct fixture *f = *state;
	struct job *j = add(f, "a");
	const struct lookup_answer *a;
	struct error e;

	error_set(&e, ERROR_UNAVAILABLE, "the directory is away");
	wait_with(f, j, 0, 11);
	job_answer(j, NULL, 0, &e);
	a = take(f, 0);
	assert_int_equal(a->head.kind, LOOKUP_FAILED);
	assert_string_equal(a->reason, "the directory is away");
}

static void
who_was_answered_does_not_wait_any_more(void **state)
{
	const struct membership m = {0};
	struct fixture *f = *state;
	struct job *j = add(f, "a");

	wait_with(f, j, 0, 11);
	job_answer(j, &m, 0, NULL);
	(void)take(f, 0);
	assert_int_equal(j->count, 0);
	job_answer(j, &m, 0, NULL);
	assert_no_answer(f, 0);
	wait_with(f, j, 0, 22);
	job_answer(j, &m, 0, NULL);
	assert_int_equal(take(f, 0)->head.id, 22);
}

/* Neither a signal nor a wait; the others get theirs. */
static void
who_is_gone_or_takes_nothing_holds_up_nobody(void **state)
{
	const struct membership m = {0};
	struct fixture *f = *state;
	struct job *j = add(f, "a");
	struct outbox box;
	int gone[2];

	while (send(f->theirs[0], "x", 1, MSG_DONTWAIT) == 1)
		continue;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, gone), 0);
	assert_int_equal(outbox_open(&box, f->epoll, gone[1]), 0);
	close(gone[0]);
	assert_int_equal(job_wait(j, &(struct waiter){.box = &box, .id = 1}), 0);
	wait_with(f, j, 0, 2);
	wait_with(f, j, 1, 3);
	job_answer(j, &m, 0, NULL);
	assert_int_equal(take(f, 1)->head.id, 3);
	outbox_close(&box);
	close(gone[1]);
}

static void
who_is_forgotten_is_not_answered(void **state)
{
	const struct membership m = {0};
	struct fixture *f = *state;
	struct job *j = add(f, "a");

	wait_with(f, j, 0, 1);
	jobs_forget(&f->jobs);
	job_answer(j, &m, 0, NULL);
	assert_no_answer(f, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(user_is_found_once_added),
	    TEST(longest_name_has_a_job),
	    TEST(jobs_are_taken_in_the_order_in_which_they_came),
	    TEST(job_that_a_thread_has_is_not_queued_but_still_found),
	    TEST(job_that_is_removed_is_gone),
	    TEST(job_that_no_thread_has_is_gone_when_it_is_abandoned),
	    TEST(job_that_a_thread_has_cannot_be_joined_when_it_is_abandoned),
	    TEST(late_jobs_end_in_any_order),
	    TEST(all_who_wait_are_answered_with_their_own_ids),
	    TEST(answer_has_what_was_found),
	    TEST(failure_has_its_reason),
	    TEST(who_was_answered_does_not_wait_any_more),
	    TEST(who_is_gone_or_takes_nothing_holds_up_nobody),
	    TEST(who_is_forgotten_is_not_answered),
	};

	patience_end(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
