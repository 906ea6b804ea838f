/* identity: look-ups by a resolver in another process, which the test plays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "identity/lookup_message.h"
#include "identity/lookup_remote.h"

enum { DEADLINE = 5 /* seconds */, WAITS = 300 };

struct fixture;

/* What one who asked was told. */
struct outcome {
	struct fixture *f;
	int calls;
	bool found; /* m was there */
	bool known;
	enum error_code code;
	char groups[64];
	char text[128];
	const char *again; /* asks about this user from its callback */
};

struct fixture {
	int ours;
	int theirs; /* -1: closed */
	int64_t now;
	struct clock clock;
	struct lookup_remote *remote;
	struct outcome outcomes[WAITS + 1]; /* the last is for those who ask anew */
};

static struct fixture fixture;

static int64_t
read_now(void *state)
{
	return ((const struct fixture *)state)->now;
}

static int
setup(void **state)
{
	struct fixture *f = &fixture;
	int ends[2];
	struct error e;

	*f = (struct fixture){.now = 1000 * NANOSECONDS};
	*state = f;
	f->clock = (struct clock){.realtime = read_now, .monotonic = read_now, .state = f};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1)
		return -1;
	f->ours = ends[0];
	f->theirs = ends[1];
	return lookup_remote_new(&f->remote, f->ours, DEADLINE, &f->clock, &entropy_system, &e);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	lookup_remote_free(f->remote);
	close(f->ours);
	if (f->theirs != -1)
		close(f->theirs);
	return 0;
}

static lookup_done keep_outcome;

static int
submit(struct fixture *f, const char *user, size_t i, struct error *e)
{
	f->outcomes[i].f = f;
	return lookup_submit(
	    lookup_remote_lookup(f->remote), user, keep_outcome, &f->outcomes[i], e);
}

static void
keep_outcome(void *context, const struct membership *m, const struct error *e)
{
	struct outcome *o = context;
	struct error ignored;

	o->calls++;
	o->found = m != NULL;
	o->known = m != NULL && m->known;
	o->code = e->code;
	(void)snprintf(o->groups, sizeof(o->groups), "%.63s", m != NULL ? m->groups : "");
	(void)snprintf(o->text, sizeof(o->text), "%.127s", m != NULL ? "" : e->text);
	if (o->again != NULL)
		assert_int_equal(submit(o->f, o->again, WAITS, &ignored), 0);
}

static void
ask(struct fixture *f, const char *user, size_t i)
{
	struct error e = {0};

	if (submit(f, user, i, &e) == -1)
		fail_msg("%s: %s", user, e.text);
}

/* The next request, which is about the user. Returns its id. */
static uint64_t
take(const struct fixture *f, const char *user)
{
	struct lookup_request q;
	ssize_t size = recv(f->theirs, &q, sizeof(q), MSG_DONTWAIT);

	assert_int_not_equal(size, -1);
	assert_int_equal(lookup_request_check(&q, (size_t)size), 0);
	assert_string_equal(q.user, user);
	return q.head.id;
}

static void
assert_nothing_asked(const struct fixture *f)
{
	char byte;

	assert_int_equal(recv(f->theirs, &byte, sizeof(byte), MSG_DONTWAIT), -1);
}

static void
answer(struct fixture *f, uint64_t id, const struct membership *m, int64_t keep)
{
	static struct lookup_answer a;
	struct error e;

	error_set(&e, ERROR_UNAVAILABLE, "the directory is away");
	lookup_answer_init(&a, id, m, keep, &e);
	assert_int_equal(
	    courier_answer(f->theirs, &a, lookup_answer_size(&a), MSG_DONTWAIT), 0);
	assert_int_equal(lookup_remote_receive(f->remote), 0);
}

static void
answer_group(struct fixture *f, uint64_t id, const char *group, int64_t keep)
{
	struct membership m = {.known = true};

	(void)snprintf(m.groups, sizeof(m.groups), "%s\n", group);
	answer(f, id, &m, keep);
}

static void
assert_pending(const struct fixture *f, size_t i)
{
	assert_int_equal(f->outcomes[i].calls, 0);
}

static void
assert_groups(const struct fixture *f, size_t i, const char *groups)
{
	assert_int_equal(f->outcomes[i].calls, 1);
	assert_true(f->outcomes[i].found);
	assert_true(f->outcomes[i].known);
	assert_int_equal(f->outcomes[i].code, ERROR_NONE);
	assert_string_equal(f->outcomes[i].groups, groups);
}

static void
assert_failed(const struct fixture *f, size_t i, const char *text)
{
	assert_int_equal(f->outcomes[i].calls, 1);
	assert_false(f->outcomes[i].found);
	assert_int_equal(f->outcomes[i].code, ERROR_UNAVAILABLE);
	assert_string_equal(f->outcomes[i].text, text);
}

/* --- what is answered --- */

static void
user_is_asked_about_and_the_answer_told(void **state)
{
	struct fixture *f = *state;

	assert_false(lookup_remote_busy(f->remote));
	ask(f, "jane", 0);
	assert_pending(f, 0);
	assert_true(lookup_remote_busy(f->remote));
	answer_group(f, take(f, "jane"), "etl", 0);
	assert_groups(f, 0, "etl\n");
	assert_false(lookup_remote_busy(f->remote));
}

static void
user_whom_nobody_knows_is_no_failure(void **state)
{
	const struct membership nobody = {0};
	struct fixture *f = *state;

	ask(f, "ghost", 0);
	answer(f, take(f, "ghost"), &nobody, 0);
	assert_int_equal(f->outcomes[0].calls, 1);
	assert_true(f->outcomes[0].found);
	assert_false(f->outcomes[0].known);
	assert_int_equal(f->outcomes[0].code, ERROR_NONE);
}

static void
user_whose_name_is_too_long_is_not_asked_about(void **state)
{
	char user[LIMIT_PRINCIPAL + 1];
	struct fixture *f = *state;
	struct error e = {0};

	memset(user, 'u', sizeof(user) - 1);
	user[LIMIT_PRINCIPAL] = '\0';
	assert_int_equal(submit(f, user, 0, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_nothing_asked(f);
	assert_pending(f, 0);
}

/* --- what is kept --- */

static void
answer_is_kept_for_as_long_as_it_says(void **state)
{
	struct fixture *f = *state;

	ask(f, "jane", 0);
	answer_group(f, take(f, "jane"), "etl", 60 * NANOSECONDS);
	f->now += 60 * NANOSECONDS - 1;
	ask(f, "jane", 1);
	assert_groups(f, 1, "etl\n");
	assert_nothing_asked(f);
}

static void
answer_is_kept_no_longer_than_it_says(void **state)
{
	struct fixture *f = *state;

	ask(f, "jane", 0);
	answer_group(f, take(f, "jane"), "old", 60 * NANOSECONDS);
	f->now += 60 * NANOSECONDS;
	ask(f, "jane", 1);
	assert_pending(f, 1);
	answer_group(f, take(f, "jane"), "new", 60 * NANOSECONDS);
	assert_groups(f, 1, "new\n");
	ask(f, "jane", 2);
	assert_groups(f, 2, "new\n");
}

/* Time passes from the answer on, not from the question. */
static void
answer_is_kept_from_when_it_came(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	ask(f, "jane", 0);
	id = take(f, "jane");
	f->now += 4 * NANOSECONDS;
	answer_group(f, id, "etl", 2 * NANOSECONDS);
	f->now += NANOSECONDS;
	ask(f, "jane", 1);
	assert_groups(f, 1, "etl\n");
}

static void
answer_to_keep_for_no_time_is_not_kept(void **state)
{
	struct fixture *f = *state;

	ask(f, "jane", 0);
	answer_group(f, take(f, "jane"), "etl", 0);
	ask(f, "jane", 1);
	answer_group(f, take(f, "jane"), "etl", -1);
	ask(f, "jane", 2);
	(void)take(f, "jane");
	assert_pending(f, 2);
}

static void
answer_is_kept_for_its_user_alone(void **state)
{
	struct fixture *f = *state;

	ask(f, "jane", 0);
	answer_group(f, take(f, "jane"), "etl", 60 * NANOSECONDS);
	ask(f, "janet", 1);
	assert_pending(f, 1);
	(void)take(f, "janet");
}

static void
that_nobody_knows_a_user_is_kept_too(void **state)
{
	const struct membership nobody = {0};
	struct fixture *f = *state;

	ask(f, "ghost", 0);
	answer(f, take(f, "ghost"), &nobody, 60 * NANOSECONDS);
	ask(f, "ghost", 1);
	assert_int_equal(f->outcomes[1].calls, 1);
	assert_false(f->outcomes[1].known);
	assert_nothing_asked(f);
}

/* --- who waits together --- */

static void
many_who_ask_about_one_user_are_one_request(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	for (size_t i = 0; i < WAITS; i++)
		ask(f, "jane", i);
	id = take(f, "jane");
	assert_nothing_asked(f);
	answer_group(f, id, "etl", 0);
	for (size_t i = 0; i < WAITS; i++)
		assert_groups(f, i, "etl\n");
}

static void
different_users_are_different_requests(void **state)
{
	struct fixture *f = *state;
	uint64_t jane, joe;

	ask(f, "jane", 0);
	ask(f, "joe", 1);
	jane = take(f, "jane");
	joe = take(f, "joe");
	answer_group(f, joe, "joes", 0);
	assert_groups(f, 1, "joes\n");
	assert_pending(f, 0);
	answer_group(f, jane, "janes", 0);
	assert_groups(f, 0, "janes\n");
}

/* The one in the middle of those who are under way ends first. */
static void
answers_may_come_in_any_order(void **state)
{
	static const char *const users[] = {"a", "b", "c", "d"};
	static const size_t order[] = {1, 3, 0, 2};
	struct fixture *f = *state;
	uint64_t ids[4];

	for (size_t i = 0; i < 4; i++)
		ask(f, users[i], i);
	for (size_t i = 0; i < 4; i++)
		ids[i] = take(f, users[i]);
	for (size_t i = 0; i < 4; i++) {
		answer_group(f, ids[order[i]], users[order[i]], 0);
		assert_int_equal(f->outcomes[order[i]].calls, 1);
		assert_int_equal(*f->outcomes[order[i]].groups, *users[order[i]]);
	}
	assert_false(lookup_remote_busy(f->remote));
}

static void
failure_reaches_all_and_is_not_kept(void **state)
{
	struct fixture *f = *state;

	ask(f, "jane", 0);
	ask(f, "jane", 1);
	answer(f, take(f, "jane"), NULL, 60 * NANOSECONDS);
	assert_failed(f, 0, "the directory is away");
	assert_failed(f, 1, "the directory is away");
	ask(f, "jane", 2);
	answer_group(f, take(f, "jane"), "etl", 0);
	assert_groups(f, 2, "etl\n");
}

static void
who_was_told_may_ask_about_the_same_user_anew(void **state)
{
	struct fixture *f = *state;

	f->outcomes[0].again = "jane";
	ask(f, "jane", 0);
	ask(f, "jane", 1);
	answer_group(f, take(f, "jane"), "old", 0);
	assert_groups(f, 0, "old\n");
	assert_groups(f, 1, "old\n");
	assert_pending(f, WAITS);
	answer_group(f, take(f, "jane"), "new", 0);
	assert_groups(f, WAITS, "new\n");
	assert_nothing_asked(f);
}

static void
who_asks_anew_is_told_what_was_just_kept(void **state)
{
	struct fixture *f = *state;

	f->outcomes[0].again = "jane";
	ask(f, "jane", 0);
	answer_group(f, take(f, "jane"), "etl", NANOSECONDS);
	assert_groups(f, WAITS, "etl\n");
	assert_nothing_asked(f);
}

static void
who_was_told_of_a_failure_may_ask_anew(void **state)
{
	struct fixture *f = *state;

	f->outcomes[0].again = "jane";
	ask(f, "jane", 0);
	answer(f, take(f, "jane"), NULL, 0);
	assert_failed(f, 0, "the directory is away");
	answer_group(f, take(f, "jane"), "etl", 0);
	assert_groups(f, WAITS, "etl\n");
}

/* --- the resolver --- */

static void
new_resolver_is_asked_again_once_a_user(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	ask(f, "jane", 0);
	ask(f, "jane", 1);
	id = take(f, "jane");
	courier_hello(f->theirs, LOOKUP_ANSWER_MAGIC);
	assert_int_equal(lookup_remote_receive(f->remote), 0);
	assert_int_equal(take(f, "jane"), id);
	assert_nothing_asked(f);
	answer_group(f, id, "etl", 0);
	assert_groups(f, 0, "etl\n");
	assert_groups(f, 1, "etl\n");
}

static void
look_up_without_an_answer_ends_at_its_deadline(void **state)
{
	struct fixture *f = *state;
	uint64_t id;

	ask(f, "jane", 0);
	id = take(f, "jane");
	f->now += DEADLINE * NANOSECONDS;
	lookup_remote_expire(f->remote);
	assert_pending(f, 0);
	f->now += 1;
	lookup_remote_expire(f->remote);
	assert_failed(f, 0, "the resolver of groups did not answer in time");
	answer_group(f, id, "late", NANOSECONDS);
	assert_int_equal(f->outcomes[0].calls, 1);
	ask(f, "jane", 1); /* nor is what came too late kept */
	(void)take(f, "jane");
}

static void
end_of_the_resolver_fails_all_that_wait(void **state)
{
	struct fixture *f = *state;
	struct error e = {0};

	ask(f, "jane", 0);
	ask(f, "jane", 1);
	ask(f, "joe", 2);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(lookup_remote_receive(f->remote), -1);
	for (size_t i = 0; i < 3; i++)
		assert_failed(f, i, "the resolver of groups is gone");
	assert_false(lookup_remote_busy(f->remote));
	assert_int_equal(submit(f, "joe", 3, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_pending(f, 3);
}

static void
what_is_kept_outlives_the_resolver(void **state)
{
	struct fixture *f = *state;

	ask(f, "jane", 0);
	answer_group(f, take(f, "jane"), "etl", NANOSECONDS);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(lookup_remote_receive(f->remote), -1);
	ask(f, "jane", 1);
	assert_groups(f, 1, "etl\n");
}

/* One more user is refused; one more who asks about a user on the way is not. */
static void
users_on_their_way_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct error e = {0};
	char user[16];

	for (size_t i = 0; i < 256; i++) {
		(void)snprintf(user, sizeof(user), "user%zu", i);
		ask(f, user, i);
		(void)take(f, user);
	}
	assert_int_equal(submit(f, "jane", 256, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "256 requests to the resolver of groups are under way");
	ask(f, "user77", 257);
	assert_nothing_asked(f);
	assert_pending(f, 256);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(user_is_asked_about_and_the_answer_told),
	    TEST(user_whom_nobody_knows_is_no_failure),
	    TEST(user_whose_name_is_too_long_is_not_asked_about),
	    TEST(answer_is_kept_for_as_long_as_it_says),
	    TEST(answer_is_kept_no_longer_than_it_says),
	    TEST(answer_is_kept_from_when_it_came),
	    TEST(answer_to_keep_for_no_time_is_not_kept),
	    TEST(answer_is_kept_for_its_user_alone),
	    TEST(that_nobody_knows_a_user_is_kept_too),
	    TEST(many_who_ask_about_one_user_are_one_request),
	    TEST(different_users_are_different_requests),
	    TEST(answers_may_come_in_any_order),
	    TEST(failure_reaches_all_and_is_not_kept),
	    TEST(who_was_told_may_ask_about_the_same_user_anew),
	    TEST(who_asks_anew_is_told_what_was_just_kept),
	    TEST(who_was_told_of_a_failure_may_ask_anew),
	    TEST(new_resolver_is_asked_again_once_a_user),
	    TEST(look_up_without_an_answer_ends_at_its_deadline),
	    TEST(end_of_the_resolver_fails_all_that_wait),
	    TEST(what_is_kept_outlives_the_resolver),
	    TEST(users_on_their_way_are_bounded),
	};

	alarm(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
