/* fcgi: what a worker takes for an answer about an account. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi/accounts_message.h"
#include "fcgi/accounts_remote.h"

struct fixture {
	struct accounts_remote remote;
	struct accounts_answer answer; /* a good one to the next question */
	int other;
	int64_t time;
	struct clock clock;
};

/* Each look costs a second, so that ten are too many. */
static int64_t
pass(void *state)
{
	struct fixture *f = state;

	return f->time += NANOSECONDS;
}

static int
make(void **state)
{
	static struct fixture f;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	f = (struct fixture){.other = pair[1]};
	f.clock = (struct clock){.monotonic = pass, .state = &f};
	accounts_remote_init(&f.remote, pair[0], &f.clock);
	f.answer.number = f.remote.number + 1;
	f.answer.uid = 7;
	memcpy(f.answer.name, "alice", 6);
	*state = &f;
	return 0;
}

static int
clean(void **state)
{
	struct fixture *f = *state;

	close(f->remote.fd);
	if (f->other != -1)
		close(f->other);
	return 0;
}

static void
give(const struct fixture *f, const void *packet, size_t size)
{
	assert_int_equal(send(f->other, packet, size, 0), size);
}

static int
ask_user(struct fixture *f, const char *name, uid_t *uid, struct error *e)
{
	const struct accounts *a = &f->remote.accounts;

	return a->user(a->context, name, uid, e);
}

static void
answer_to_another_question_is_passed_over(void **state)
{
	struct fixture *f = *state;
	const struct accounts *a = &f->remote.accounts;
	struct accounts_answer late = f->answer;
	struct accounts_question q;
	char name[8];
	struct error e;
	uid_t uid;

	late.number--;
	late.uid = 0;
	give(f, &late, sizeof(late));
	give(f, &f->answer, sizeof(f->answer));
	assert_int_equal(ask_user(f, "alice", &uid, &e), 0);
	assert_int_equal(uid, 7);
	assert_int_equal(recv(f->other, &q, sizeof(q), 0), sizeof(q));
	assert_int_equal(q.kind, ACCOUNTS_USER);
	assert_string_equal(q.name, "alice");
	f->answer.number++;
	give(f, &f->answer, sizeof(f->answer));
	assert_int_equal(a->name(a->context, 7, name, sizeof(name), &e), 0);
	assert_string_equal(name, "alice");
	/* One byte too long for who asks. */
	f->answer.number++;
	give(f, &f->answer, sizeof(f->answer));
	assert_int_equal(a->name(a->context, 7, name, 5, &e), -1);
	assert_int_equal(e.code, ERROR_DENIED);
}

static void
what_is_no_answer_is_none(void **state)
{
	struct fixture *f = *state;
	struct accounts_answer name = f->answer, text = f->answer;
	struct error e;
	uid_t uid = 9;

	memset(name.name, 'x', sizeof(name.name));
	memset(text.e.text, 'x', sizeof(text.e.text));
	/* As many as make the time pass. */
	for (int i = 0; i < 4; i++) {
		give(f, &name, sizeof(name));
		give(f, &text, sizeof(text));
		give(f, &f->answer, sizeof(f->answer) - 1);
	}
	assert_int_equal(ask_user(f, "alice", &uid, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_int_equal(uid, 9);
	close(f->other);
	f->other = -1;
	assert_int_equal(ask_user(f, "alice", &uid, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
}

static void
why_there_is_none_is_told(void **state)
{
	struct fixture *f = *state;
	static char name[LIMIT_PRINCIPAL + 1];
	struct error e;
	uid_t uid;

	f->answer.rc = -1;
	error_set(&f->answer.e, ERROR_CONFIG, "user 'alice' does not exist");
	give(f, &f->answer, sizeof(f->answer));
	assert_int_equal(ask_user(f, "alice", &uid, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(e.text, "user 'alice' does not exist");
	/* Nobody is asked about a name that no question holds. */
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(ask_user(f, name, &uid, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		answer_to_another_question_is_passed_over, make, clean),
	    cmocka_unit_test_setup_teardown(what_is_no_answer_is_none, make, clean),
	    cmocka_unit_test_setup_teardown(why_there_is_none_is_told, make, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
