/* signer: a worker and the signer in another process, which the test plays. */
#define _GNU_SOURCE /* O_ASYNC */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "signer/message.h"
#include "signer/signer_serve.h"
#include "tests/unit/patience.h"
#include "tests/unit/signers.h"

enum { DEADLINE = 5 /* seconds */ };

static void
submit_all(struct signers_fixture *f, size_t count)
{
	struct error e = {0};

	for (size_t i = 0; i < count; i++)
		if (signers_submit(f, i, &e) == -1)
			fail_msg("%zu: %s", i, e.text);
}

/* The next request, as the signer sees it. */
static struct message_request
take(const struct signers_fixture *f)
{
	struct message_request m;
	struct query q;
	ssize_t size;

	memset(&m, 0, sizeof(m));
	size = recv(f->signer, &m, sizeof(m), MSG_DONTWAIT);
	assert_int_not_equal(size, -1);
	assert_int_equal(message_request_read(&m, (size_t)size, &q), 0);
	return m;
}

static void
assert_nothing_asked(const struct signers_fixture *f)
{
	struct message_request m;

	assert_int_equal(recv(f->signer, &m, sizeof(m), MSG_DONTWAIT), -1);
}

/* Answers id with the token "token ID-OF-SUBJECT", and lets the worker take it. */
static void
answer(struct signers_fixture *f, uint64_t id, const char *token)
{
	static struct message_answer m;
	struct signature s = {.token = token, .length = strlen(token), .expires = 4711};
	struct error e = {0};
	size_t size;

	message_answer_init(&m, id, &s, &e);
	size = message_answer_size(&m);
	assert_int_equal(send(f->signer, &m, size, 0), size);
	signer_remote_receive(f->remote);
}

static void
hello(struct signers_fixture *f)
{
	signer_hello(f->signer);
	signer_remote_receive(f->remote);
}

static void
assert_pending(const struct signers_fixture *f, size_t i)
{
	assert_int_equal(f->outcomes[i].calls, 0);
}

static void
assert_token(const struct signers_fixture *f, size_t i, const char *text)
{
	assert_int_equal(f->outcomes[i].calls, 1);
	assert_true(f->outcomes[i].ok);
	assert_string_equal(f->outcomes[i].text, text);
	assert_int_equal(f->outcomes[i].expires, 4711);
}

static void
assert_failure(const struct signers_fixture *f, size_t i, const char *text)
{
	assert_int_equal(f->outcomes[i].calls, 1);
	assert_false(f->outcomes[i].ok);
	assert_int_equal(f->outcomes[i].code, ERROR_UNAVAILABLE);
	assert_string_equal(f->outcomes[i].text, text);
}

static void
answers_may_come_out_of_order(void **state)
{
	struct signers_fixture *f = *state;
	struct message_request m[3];

	assert_false(signer_remote_busy(f->remote));
	submit_all(f, 3);
	assert_true(signer_remote_busy(f->remote));
	for (size_t i = 0; i < 3; i++) {
		char subject[2] = {(char)('0' + i), '\0'};

		m[i] = take(f);
		assert_string_equal(m[i].query.subject, subject);
	}
	answer(f, m[2].head.id, "two");
	assert_token(f, 2, "two");
	assert_pending(f, 0);
	answer(f, m[0].head.id, "zero");
	answer(f, m[1].head.id, "one");
	assert_token(f, 0, "zero");
	assert_token(f, 1, "one");
	assert_false(signer_remote_busy(f->remote));
}

static void
refusal_of_the_signer_reaches_the_caller(void **state)
{
	static struct message_answer m;
	struct signers_fixture *f = *state;
	struct error e = {0};
	size_t size;

	submit_all(f, 1);
	error_set(&e, ERROR_DENIED, "not you");
	message_answer_init(&m, take(f).head.id, NULL, &e);
	size = message_answer_size(&m);
	assert_int_equal(send(f->signer, &m, size, 0), size);
	signer_remote_receive(f->remote);
	assert_int_equal(f->outcomes[0].calls, 1);
	assert_false(f->outcomes[0].ok);
	assert_int_equal(f->outcomes[0].code, ERROR_DENIED);
	assert_string_equal(f->outcomes[0].text, "not you");
}

/* What the signer that died had read is asked again of its successor, once. */
static void
new_signer_is_asked_again(void **state)
{
	struct signers_fixture *f = *state;
	struct message_request first, again;

	submit_all(f, 1);
	first = take(f);
	hello(f);
	assert_pending(f, 0);
	again = take(f);
	assert_memory_equal(&again, &first, sizeof(first));
	answer(f, again.head.id, "again");
	assert_token(f, 0, "again");
	/* The second signature of one request finds nobody waiting. */
	answer(f, again.head.id, "once more");
	assert_token(f, 0, "again");
	hello(f);
	assert_nothing_asked(f);
}

/* It drops what it was asked before it says hello, so that nothing is signed twice. */
static void
new_signer_drops_what_is_queued(void **state)
{
	struct signers_fixture *f = *state;

	submit_all(f, 20);
	signer_hello(f->signer);
	assert_nothing_asked(f);
	signer_remote_receive(f->remote);
	for (size_t i = 0; i < 20; i++)
		(void)take(f);
	assert_nothing_asked(f);
}

static struct signer_remote *signalled;

static void
receive_at_once(int number)
{
	int before = errno;

	(void)number;
	signer_remote_receive(signalled);
	errno = before;
}

/* The worker asks again the moment the hello is there: a signal stops the signer, which is
 * this thread, before it does anything else. */
static void
new_signer_drops_nothing_after_its_hello(void **state)
{
	struct signers_fixture *f = *state;

	submit_all(f, 20);
	signalled = f->remote;
	(void)signal(SIGIO, receive_at_once);
	assert_int_equal(fcntl(f->worker, F_SETOWN, getpid()), 0);
	assert_int_equal(fcntl(f->worker, F_SETFL, O_ASYNC), 0);
	signer_hello(f->signer);
	(void)signal(SIGIO, SIG_IGN);
	for (size_t i = 0; i < 20; i++)
		(void)take(f);
	assert_nothing_asked(f);
}

static void
request_that_five_signers_died_over_fails(void **state)
{
	struct signers_fixture *f = *state;

	submit_all(f, 1);
	for (int i = 0; i < 4; i++) {
		(void)take(f);
		hello(f);
		assert_pending(f, 0);
	}
	(void)take(f);
	hello(f);
	assert_failure(f, 0, "the signer ended again and again over this request");
	assert_nothing_asked(f);
	assert_false(signer_remote_busy(f->remote));
}

static void
answer_with_an_id_that_is_not_awaited_is_ignored(void **state)
{
	struct signers_fixture *f = *state;
	uint64_t id, next;

	submit_all(f, 1);
	id = take(f).head.id;
	answer(f, id ^ (uint64_t)1 << 8, "another sequence");
	answer(f, id ^ (uint64_t)1 << 32, "another worker");
	answer(f, id ^ 1, "another slot");
	answer(f, id | 0xff, "no slot");
	answer(f, 0, "nothing");
	assert_pending(f, 0);
	answer(f, id, "this");
	assert_token(f, 0, "this");
	/* The slot is free for another request, which the old id does not answer. */
	f->outcomes[0].calls = 0;
	submit_all(f, 1);
	next = take(f).head.id;
	assert_int_not_equal(next, id);
	answer(f, id, "late");
	assert_pending(f, 0);
	answer(f, next, "in time");
	assert_token(f, 0, "in time");
}

static void
message_that_is_no_answer_is_ignored(void **state)
{
	static struct message_answer m;
	struct signers_fixture *f = *state;
	struct signature s = {.token = "token", .length = 5, .expires = 4711};
	struct error e = {0};
	uint64_t id;
	size_t size;

	submit_all(f, 1);
	id = take(f).head.id;
	message_answer_init(&m, id, &s, &e);
	size = message_answer_size(&m);
	assert_int_equal(send(f->signer, &m, size - 1, 0), size - 1);
	assert_int_equal(send(f->signer, &m, 1, 0), 1);
	m.head.magic++;
	assert_int_equal(send(f->signer, &m, size, 0), size);
	signer_remote_receive(f->remote);
	assert_pending(f, 0);
	answer(f, id, "good");
	assert_token(f, 0, "good");
}

static void
request_without_an_answer_ends_at_its_deadline(void **state)
{
	struct signers_fixture *f = *state;
	struct error e = {0};
	uint64_t first;

	submit_all(f, 1);
	first = take(f).head.id;
	f->now += NANOSECONDS;
	assert_int_equal(signers_submit(f, 1, &e), 0);
	f->now += (DEADLINE - 1) * NANOSECONDS;
	signer_remote_expire(f->remote);
	assert_pending(f, 0);
	f->now += 1;
	signer_remote_expire(f->remote);
	assert_failure(f, 0, "the signer did not answer in time");
	assert_pending(f, 1);
	answer(f, first, "too late");
	assert_int_equal(f->outcomes[0].calls, 1);
	f->now += NANOSECONDS;
	signer_remote_expire(f->remote);
	assert_failure(f, 1, "the signer did not answer in time");
	assert_false(signer_remote_busy(f->remote));
}

static void
callback_may_ask_anew(void **state)
{
	struct signers_fixture *f = *state;

	f->outcomes[0].again = f;
	submit_all(f, 1);
	answer(f, take(f).head.id, "first");
	assert_token(f, 0, "first");
	answer(f, take(f).head.id, "second");
	assert_token(f, SIGNERS_TABLE, "second");
	assert_false(signer_remote_busy(f->remote));
}

static void
table_that_is_full_takes_no_more(void **state)
{
	static uint64_t ids[SIGNERS_TABLE];
	struct signers_fixture *f = *state;
	struct error e = {0};

	for (size_t i = 0; i < SIGNERS_TABLE; i++) {
		assert_int_equal(signers_submit(f, i, &e), 0);
		ids[i] = take(f).head.id;
	}
	assert_int_equal(signers_submit(f, SIGNERS_TABLE, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "128 requests to the signer are under way");
	assert_int_equal(f->outcomes[SIGNERS_TABLE].calls, 0);
	assert_nothing_asked(f);
	answer(f, ids[77], "77");
	assert_token(f, 77, "77");
	assert_int_equal(signers_submit(f, SIGNERS_TABLE, &e), 0);
	answer(f, take(f).head.id, "the last");
	assert_token(f, SIGNERS_TABLE, "the last");
}

static void
signer_that_is_gone_is_told_at_once(void **state)
{
	struct signers_fixture *f = *state;
	struct error e = {0};

	close(f->signer);
	f->signer = -1;
	assert_int_equal(signers_submit(f, 0, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_int_equal(f->outcomes[0].calls, 0);
	assert_false(signer_remote_busy(f->remote));
	signer_remote_receive(f->remote); /* returns */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, signers_enter, signers_leave)

/* As many queries, one after the other, as it takes to know how long one takes. */
static void
answer_slowly(struct signers_fixture *f, int64_t each)
{
	for (int i = 0; i < 32; i++) {
		f->outcomes[0].calls = 0;
		submit_all(f, 1);
		f->now += each;
		answer(f, take(f).head.id, "slow");
	}
}

static void
no_more_are_taken_than_are_answered_soon(void **state)
{
	struct signers_fixture *f = *state;
	struct error e = {0};

	answer_slowly(f, NANOSECONDS / 200);
	submit_all(f, 40); /* in a fifth of a second */
	assert_int_equal(signers_submit(f, 40, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "40 requests to the signer are under way");
	answer(f, take(f).head.id, "room");
	assert_int_equal(signers_submit(f, 40, &e), 0);
}

static void
time_of_a_new_signer_to_start_does_not_count(void **state)
{
	struct signers_fixture *f = *state;
	uint64_t ids[16];

	answer_slowly(f, NANOSECONDS / 200);
	for (int turn = 0; turn < 3; turn++) {
		submit_all(f, 16);
		for (size_t i = 0; i < 16; i++)
			(void)take(f);
		f->now += NANOSECONDS;
		hello(f);
		for (size_t i = 0; i < 16; i++)
			ids[i] = take(f).head.id;
		for (size_t i = 0; i < 16; i++)
			answer(f, ids[i], "slow");
	}
	submit_all(f, 40);
}

static void
a_few_are_taken_however_slow_it_is(void **state)
{
	struct signers_fixture *f = *state;
	struct error e = {0};

	answer_slowly(f, NANOSECONDS);
	submit_all(f, 8);
	assert_int_equal(signers_submit(f, 8, &e), -1);
}

static void
note_keys(void *context, const struct signature *s, const struct error *e)
{
	(void)e;
	*(bool *)context = s != NULL;
}

static void
keys_are_told_however_many_wait_and_are_no_measure(void **state)
{
	struct signers_fixture *f = *state;
	struct signer *signer = signer_remote_signer(f->remote);
	struct error e = {0};
	bool told;

	answer_slowly(f, NANOSECONDS);
	submit_all(f, 8);
	for (int i = 0; i < 8; i++)
		(void)take(f);
	for (int i = 0; i < 64; i++) {
		told = false;
		assert_int_equal(signer_publish(signer, note_keys, &told, &e), 0);
		f->now += NANOSECONDS / 100;
		answer(f, take(f).head.id, "keys");
		assert_true(told);
	}
	/* However quick that was. */
	assert_int_equal(signers_submit(f, 8, &e), -1);
}

static void
as_many_as_are_signed_at_once_are_taken_however_slow(void **state)
{
	struct signers_fixture *f = *state;
	struct error e = {0};

	signer_remote_free(f->remote);
	assert_int_equal(
	    signer_remote_new(&f->remote, f->worker, 20, &f->clock, &entropy_system, &e), 0);
	answer_slowly(f, NANOSECONDS);
	submit_all(f, 20);
	assert_int_equal(signers_submit(f, 20, &e), -1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(answers_may_come_out_of_order),
	    TEST(refusal_of_the_signer_reaches_the_caller),
	    TEST(new_signer_is_asked_again),
	    TEST(new_signer_drops_what_is_queued),
	    TEST(new_signer_drops_nothing_after_its_hello),
	    TEST(request_that_five_signers_died_over_fails),
	    TEST(answer_with_an_id_that_is_not_awaited_is_ignored),
	    TEST(message_that_is_no_answer_is_ignored),
	    TEST(request_without_an_answer_ends_at_its_deadline),
	    TEST(callback_may_ask_anew),
	    TEST(table_that_is_full_takes_no_more),
	    TEST(signer_that_is_gone_is_told_at_once),
	    TEST(no_more_are_taken_than_are_answered_soon),
	    TEST(time_of_a_new_signer_to_start_does_not_count),
	    TEST(a_few_are_taken_however_slow_it_is),
	    TEST(keys_are_told_however_many_wait_and_are_no_measure),
	    TEST(as_many_as_are_signed_at_once_are_taken_however_slow),
	};

	patience_end(120); /* ends a test that waits for an answer in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
