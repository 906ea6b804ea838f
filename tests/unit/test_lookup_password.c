/* identity: passwords that another process checks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/lookups.h"

enum { PASSWORDS = 128 }; /* that one process may wait for */

struct verdicts {
	int calls;
	bool failed;
	enum password_verdict verdict;
	struct error e;
};

static void
keep_verdict(void *context, enum password_verdict verdict, const struct error *e)
{
	struct verdicts *v = context;

	v->calls++;
	v->verdict = verdict;
	v->failed = e != NULL;
	if (e != NULL)
		v->e = *e;
}

static int
submit(struct lookups_fixture *f, const char *user, const char *password, struct verdicts *v,
    struct error *e)
{
	const struct password_question q = {user, password};

	return password_submit(lookup_remote_passwords(f->remote), &q, keep_verdict, v, e);
}

static void
ask(struct lookups_fixture *f, const char *user, const char *password, struct verdicts *v)
{
	struct error e = {0};

	*v = (struct verdicts){0};
	if (submit(f, user, password, v, &e) == -1)
		fail_msg("%s", e.text);
}

/* The next request, which is this question. Returns its id. */
static uint64_t
take(const struct lookups_fixture *f, const char *user, const char *password)
{
	struct lookup_request r;
	struct password_question q;
	ssize_t size = recv(f->theirs, &r, sizeof(r), MSG_DONTWAIT);

	assert_int_not_equal(size, -1);
	assert_int_equal(lookup_request_check(&r, (size_t)size), 0);
	assert_int_equal(r.head.kind, LOOKUP_PASSWORD);
	assert_int_equal(password_unpack(&q, r.question,
			     (size_t)size - offsetof(struct lookup_request, question)),
	    0);
	assert_string_equal(q.user, user);
	if (password == NULL)
		assert_null(q.password);
	else
		assert_string_equal(q.password, password);
	return r.head.id;
}

static void
answer(struct lookups_fixture *f, uint64_t id, enum password_verdict verdict,
    const struct error *e)
{
	static struct lookup_answer a;

	lookup_answer_init_verdict(&a, id, verdict, e);
	assert_int_equal(courier_answer(f->theirs, &a, lookup_answer_size(&a), 0), 0);
	assert_int_equal(lookup_remote_receive(f->remote), 0);
}

static void
verdict_is_passed_on(void **state)
{
	struct lookups_fixture *f = *state;
	struct verdicts right, wrong, unsure, account;
	struct error e;

	ask(f, "alice", "secret", &right);
	ask(f, "alice", "guess", &wrong);
	ask(f, "alice", "secret", &unsure);
	ask(f, "alice", NULL, &account);
	answer(f, take(f, "alice", "secret"), PASSWORD_RIGHT, NULL);
	answer(f, take(f, "alice", "guess"), PASSWORD_WRONG, NULL);
	error_set(&e, ERROR_UNAVAILABLE, "down");
	answer(f, take(f, "alice", "secret"), PASSWORD_RIGHT, &e);
	answer(f, take(f, "alice", NULL), PASSWORD_RIGHT, NULL);
	assert_int_equal(right.calls, 1);
	assert_false(right.failed);
	assert_int_equal(right.verdict, PASSWORD_RIGHT);
	assert_false(wrong.failed);
	assert_int_equal(wrong.verdict, PASSWORD_WRONG);
	assert_true(unsure.failed);
	assert_int_equal(unsure.verdict, PASSWORD_WRONG);
	assert_int_equal(unsure.e.code, ERROR_UNAVAILABLE);
	assert_string_equal(unsure.e.text, "down");
	assert_int_equal(account.verdict, PASSWORD_RIGHT);
}

static void
verdict_is_not_kept_or_shared(void **state)
{
	struct lookups_fixture *f = *state;
	struct verdicts first, second;

	ask(f, "alice", "secret", &first);
	ask(f, "alice", "secret", &second);
	answer(f, take(f, "alice", "secret"), PASSWORD_RIGHT, NULL);
	assert_int_equal(second.calls, 0);
	answer(f, take(f, "alice", "secret"), PASSWORD_WRONG, NULL);
	ask(f, "alice", "secret", &first);
	(void)take(f, "alice", "secret");
	assert_int_equal(first.calls, 0);
}

static void
what_cannot_be_right_is_wrong_without_being_asked(void **state)
{
	struct lookups_fixture *f = *state;
	char password[LIMIT_PASSWORD + 1];
	struct verdicts v;

	memset(password, 'p', LIMIT_PASSWORD);
	password[LIMIT_PASSWORD] = '\0';
	ask(f, "alice", "", &v);
	assert_int_equal(v.calls, 1);
	assert_false(v.failed);
	assert_int_equal(v.verdict, PASSWORD_WRONG);
	ask(f, "alice", password, &v);
	assert_int_equal(v.verdict, PASSWORD_WRONG);
	ask(f, "../alice", "secret", &v);
	assert_int_equal(v.verdict, PASSWORD_WRONG);
	lookups_assert_nothing_asked(f);
}

static void
restart_of_the_resolver_is_no_verdict_and_asks_nothing_again(void **state)
{
	struct lookups_fixture *f = *state;
	struct verdicts v;

	lookups_ask(f, "alice", 0);
	ask(f, "alice", "secret", &v);
	courier_hello(f->theirs, LOOKUP_ANSWER_MAGIC); /* drops what is queued */
	assert_int_equal(lookup_remote_receive(f->remote), 0);
	assert_int_equal(v.calls, 1);
	assert_true(v.failed);
	assert_int_equal(v.e.code, ERROR_UNAVAILABLE);
	(void)lookups_take(f, "alice"); /* groups are */
	lookups_assert_nothing_asked(f);
}

static void
resolver_that_says_nothing_or_is_gone_is_no_verdict(void **state)
{
	struct lookups_fixture *f = *state;
	struct verdicts v;
	uint64_t id;

	ask(f, "alice", "secret", &v);
	id = take(f, "alice", "secret");
	f->now += (LOOKUPS_DEADLINE + 1) * NANOSECONDS;
	lookup_remote_expire(f->remote);
	assert_int_equal(v.calls, 1);
	assert_true(v.failed);
	answer(f, id, PASSWORD_RIGHT, NULL); /* too late */
	assert_int_equal(v.calls, 1);
	ask(f, "alice", "secret", &v);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(lookup_remote_receive(f->remote), -1);
	assert_true(v.failed);
	assert_int_equal(v.verdict, PASSWORD_WRONG);
}

static void
answer_to_something_else_is_no_verdict(void **state)
{
	struct lookups_fixture *f = *state;
	struct verdicts v;

	ask(f, "alice", "secret", &v);
	lookups_answer_group(f, take(f, "alice", "secret"), "staff", 1);
	assert_int_equal(v.calls, 1);
	assert_true(v.failed);
}

static void
passwords_leave_room_for_groups(void **state)
{
	struct lookups_fixture *f = *state;
	static struct verdicts v[PASSWORDS + 1];
	struct error e = {0};

	for (size_t i = 0; i < PASSWORDS; i++)
		ask(f, "alice", "guess", &v[i]);
	assert_int_equal(submit(f, "alice", "guess", &v[PASSWORDS], &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	lookups_ask(f, "bob", 0);
	answer(f, take(f, "alice", "guess"), PASSWORD_WRONG, NULL);
	ask(f, "alice", "guess", &v[PASSWORDS]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		verdict_is_passed_on, lookups_setup, lookups_teardown),
	    cmocka_unit_test_setup_teardown(
		verdict_is_not_kept_or_shared, lookups_setup, lookups_teardown),
	    cmocka_unit_test_setup_teardown(what_cannot_be_right_is_wrong_without_being_asked,
		lookups_setup, lookups_teardown),
	    cmocka_unit_test_setup_teardown(
		restart_of_the_resolver_is_no_verdict_and_asks_nothing_again, lookups_setup,
		lookups_teardown),
	    cmocka_unit_test_setup_teardown(resolver_that_says_nothing_or_is_gone_is_no_verdict,
		lookups_setup, lookups_teardown),
	    cmocka_unit_test_setup_teardown(
		answer_to_something_else_is_no_verdict, lookups_setup, lookups_teardown),
	    cmocka_unit_test_setup_teardown(
		passwords_leave_room_for_groups, lookups_setup, lookups_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
