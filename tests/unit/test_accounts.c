/* fcgi: what a worker asks about accounts, and what it takes for an answer. */
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

/* What was told, and how often. */
struct told {
	unsigned int count;
	struct account_entry found; /* of no name: there was none */
	struct error e;
};

struct fixture {
	struct accounts_remote *remote;
	int fd, other;
	int64_t time;
	struct clock clock;
	struct told told;
};

static int64_t
read_time(void *state)
{
	return *(const int64_t *)state;
}

static void
tell(void *context, const struct account_entry *found, const struct error *e)
{
	struct told *told = context;

	told->count++;
	told->found = found != NULL ? *found : (struct account_entry){0};
	told->e = *e;
}

static int
make(void **state)
{
	static struct fixture f;
	struct error e;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	f = (struct fixture){.fd = pair[0], .other = pair[1], .time = 1000 * NANOSECONDS};
	f.clock = (struct clock){.monotonic = read_time, .state = &f.time};
	*state = &f;
	return accounts_remote_new(&f.remote, f.fd, &f.clock, &entropy_system, &e);
}

static int
clean(void **state)
{
	struct fixture *f = *state;

	accounts_remote_free(f->remote);
	close(f->fd);
	if (f->other != -1)
		close(f->other);
	return 0;
}

/* Asks, and what comes out at the other end. */
static struct accounts_question
ask(struct fixture *f, const struct account_question *asked)
{
	const struct accounts *a = accounts_remote_accounts(f->remote);
	struct accounts_question q;
	struct error e;

	assert_int_equal(a->submit(a, asked, tell, &f->told, &e), 0);
	assert_int_equal(recv(f->other, &q, sizeof(q), MSG_DONTWAIT), sizeof(q));
	assert_int_equal(q.head.magic, ACCOUNTS_QUESTION_MAGIC);
	return q;
}

static struct accounts_answer
answer_to(const struct accounts_question *q)
{
	return (struct accounts_answer){
	    .head = {.magic = ACCOUNTS_ANSWER_MAGIC, .kind = ACCOUNTS_FOUND, .id = q->head.id},
	    .found = {.uid = 7, .name = "alice"}};
}

static void
give(struct fixture *f, const void *packet, size_t size)
{
	assert_int_equal(send(f->other, packet, size, 0), size);
	assert_int_equal(accounts_remote_receive(f->remote), 0);
}

static const struct account_question alice = {.name = "alice"}, seven = {.uid = 7};

static void
answers_come_in_any_order_and_once(void **state)
{
	struct fixture *f = *state;
	struct accounts_question by_name = ask(f, &alice), by_uid = ask(f, &seven);
	struct accounts_answer a = answer_to(&by_uid);

	assert_int_equal(by_name.head.kind, ACCOUNTS_USER);
	assert_string_equal(by_name.name, "alice");
	assert_int_equal(by_name.until, 1010 * NANOSECONDS);
	assert_int_equal(by_uid.head.kind, ACCOUNTS_NAME);
	assert_int_equal(by_uid.uid, 7);
	give(f, &a, sizeof(a));
	assert_int_equal(f->told.count, 1);
	assert_string_equal(f->told.found.name, "alice");
	give(f, &a, sizeof(a));
	assert_int_equal(f->told.count, 1);
	a = answer_to(&by_name);
	give(f, &a, sizeof(a));
	assert_int_equal(f->told.count, 2);
	assert_int_equal(f->told.found.uid, 7);
}

static void
what_is_no_answer_is_none(void **state)
{
	struct fixture *f = *state;
	struct accounts_question q = ask(f, &alice);
	struct accounts_answer wrong[6];

	for (size_t i = 0; i < 6; i++)
		wrong[i] = answer_to(&q);
	memset(wrong[0].found.name, 'x', sizeof(wrong[0].found.name));
	memset(wrong[1].e.text, 'x', sizeof(wrong[1].e.text));
	memset(wrong[2].e.detail, 'x', sizeof(wrong[2].e.detail));
	wrong[3].head.kind = ACCOUNTS_FAILED + 1;
	wrong[4].head.kind = ACCOUNTS_FAILED; /* with no code of a look-up */
	wrong[5].head.id++;
	for (size_t i = 0; i < 6; i++)
		give(f, &wrong[i], sizeof(wrong[i]));
	wrong[0] = answer_to(&q);
	give(f, &wrong[0], sizeof(wrong[0]) - 1);
	assert_int_equal(f->told.count, 0);
	/* And then there is none in time, which counts as no account that there is not. */
	f->time += 10 * NANOSECONDS;
	accounts_remote_expire(f->remote);
	assert_int_equal(f->told.count, 0);
	f->time++;
	accounts_remote_expire(f->remote);
	assert_int_equal(f->told.count, 1);
	assert_string_equal(f->told.found.name, "");
	assert_int_equal(f->told.e.code, ERROR_UNAVAILABLE);
}

static void
why_there_is_none_is_told(void **state)
{
	struct fixture *f = *state;
	const struct accounts *all = accounts_remote_accounts(f->remote);
	struct accounts_question q = ask(f, &alice);
	struct accounts_answer a = answer_to(&q);
	static char name[LIMIT_PRINCIPAL + 1];
	struct error e;

	a.head.kind = ACCOUNTS_FAILED;
	error_set(&a.e, ERROR_CONFIG, "user 'alice' does not exist");
	give(f, &a, sizeof(a));
	assert_int_equal(f->told.e.code, ERROR_CONFIG);
	assert_string_equal(f->told.e.text, "user 'alice' does not exist");
	/* Nobody is asked about a name that no question holds. */
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(
	    all->submit(all, &(struct account_question){.name = name}, tell, NULL, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
}

static void
another_process_is_asked_again(void **state)
{
	struct fixture *f = *state;
	struct accounts_question q = ask(f, &alice), again;
	struct accounts_answer a = answer_to(&q);

	courier_hello(f->other, ACCOUNTS_ANSWER_MAGIC);
	assert_int_equal(accounts_remote_receive(f->remote), 0);
	assert_int_equal(recv(f->other, &again, sizeof(again), MSG_DONTWAIT), sizeof(again));
	assert_memory_equal(&again, &q, sizeof(q));
	give(f, &a, sizeof(a));
	assert_int_equal(f->told.count, 1);
	(void)ask(f, &seven);
	close(f->other);
	f->other = -1;
	assert_int_equal(accounts_remote_receive(f->remote), -1);
	assert_int_equal(f->told.count, 2);
	assert_int_equal(f->told.e.code, ERROR_UNAVAILABLE);
}

static void
this_process_answers_at_once(void **state)
{
	const struct account_question root = {.name = "root"}, zero = {.uid = 0},
				      nobody = {.name = "no.such.account.here"};
	static char name[LIMIT_PRINCIPAL + 1];
	const struct account_question endless = {.name = name};
	struct told told = {0};
	struct error e;

	(void)state;
	assert_int_equal(accounts_here.submit(&accounts_here, &zero, tell, &told, &e), 0);
	assert_string_equal(told.found.name, "root");
	assert_int_equal(accounts_here.submit(&accounts_here, &root, tell, &told, &e), 0);
	assert_int_equal(told.found.uid, 0);
	assert_int_equal(told.count, 2);
	assert_int_equal(accounts_here.submit(&accounts_here, &nobody, tell, &told, &e), 0);
	assert_int_equal(told.e.code, ERROR_CONFIG);
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(accounts_here.submit(&accounts_here, &endless, tell, &told, &e), 0);
	assert_int_equal(told.e.code, ERROR_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(answers_come_in_any_order_and_once, make, clean),
	    cmocka_unit_test_setup_teardown(what_is_no_answer_is_none, make, clean),
	    cmocka_unit_test_setup_teardown(why_there_is_none_is_told, make, clean),
	    cmocka_unit_test_setup_teardown(another_process_is_asked_again, make, clean),
	    cmocka_unit_test(this_process_answers_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
