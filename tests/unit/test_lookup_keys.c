/* identity: keys that a resolver in another process has. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "identity/lookup_message.h"
#include "tests/unit/lookups.h"

/* What became of one who asked. */
struct outcome {
	int calls;
	bool found;
	char json[64];
	int64_t trusted, keep;
	char text[LIMIT_ERROR_TEXT];
};

static void
note(void *context, const struct key_set *keys, int64_t keep, const struct error *e)
{
	struct outcome *o = context;

	o->calls++;
	o->found = keys != NULL;
	o->keep = keep;
	if (keys != NULL) {
		o->trusted = keys->trusted;
		(void)snprintf(o->json, sizeof(o->json), "%.63s", keys->json);
	} else {
		assert_int_equal(e->code, ERROR_UNAVAILABLE);
		memcpy(o->text, e->text, sizeof(o->text));
	}
}

static void
ask(struct lookups_fixture *f, const char *section, bool anew, struct outcome *o)
{
	const struct lookup_keys which = {.section = section, .anew = anew};
	struct error e;

	*o = (struct outcome){0};
	assert_int_equal(
	    lookup_submit_keys(lookup_remote_lookup(f->remote), &which, note, o, &e), 0);
}

/* The id of the request that is there, which is for this. */
static uint64_t
take(const struct lookups_fixture *f, enum lookup_what what, const char *section)
{
	struct lookup_request q;
	ssize_t size = recv(f->theirs, &q, sizeof(q), MSG_DONTWAIT);

	assert_int_not_equal(size, -1);
	assert_int_equal(lookup_request_check(&q, (size_t)size), 0);
	assert_int_equal(q.head.kind, what);
	assert_string_equal(q.name, section);
	return q.head.id;
}

static void
send_answer(struct lookups_fixture *f, const struct lookup_answer *a)
{
	assert_int_equal(courier_answer(f->theirs, a, lookup_answer_size(a), MSG_DONTWAIT), 0);
	assert_int_equal(lookup_remote_receive(f->remote), 0);
}

static void
answer(struct lookups_fixture *f, uint64_t id, const char *json)
{
	static const struct error none;
	static struct lookup_answer a;
	static struct key_set k = {.trusted = 20};

	(void)snprintf(k.json, sizeof(k.json), "%s", json);
	lookup_answer_init_keys(&a, id, &k, 10, &none);
	send_answer(f, &a);
}

static void
keys_are_asked_for_and_told(void **state)
{
	struct lookups_fixture *f = *state;
	struct outcome o;

	ask(f, "idp", false, &o);
	assert_int_equal(o.calls, 0);
	answer(f, take(f, LOOKUP_KEYS, "idp"), "{\"keys\":[]}");
	assert_int_equal(o.calls, 1);
	assert_true(o.found);
	assert_string_equal(o.json, "{\"keys\":[]}");
	assert_int_equal(o.keep, 10);
	assert_int_equal(o.trusted, 20);
}

static void
keys_are_asked_for_anew(void **state)
{
	struct lookups_fixture *f = *state;
	struct outcome o;

	ask(f, "idp", true, &o);
	answer(f, take(f, LOOKUP_KEYS_ANEW, "idp"), "{}");
	assert_string_equal(o.json, "{}");
}

/* Whoever asks has the keys: here none are kept. */
static void
each_who_asks_is_answered_for_itself(void **state)
{
	struct lookups_fixture *f = *state;
	struct outcome o, other;
	uint64_t first;

	ask(f, "idp", false, &o);
	ask(f, "idp", false, &other);
	first = take(f, LOOKUP_KEYS, "idp");
	answer(f, take(f, LOOKUP_KEYS, "idp"), "\"second\"");
	assert_int_equal(o.calls, 0);
	assert_string_equal(other.json, "\"second\"");
	answer(f, first, "\"first\"");
	assert_string_equal(o.json, "\"first\"");
	ask(f, "idp", false, &o);
	(void)take(f, LOOKUP_KEYS, "idp");
}

static void
section_and_user_of_one_name_are_two(void **state)
{
	struct lookups_fixture *f = *state;
	struct outcome o;
	uint64_t id;

	ask(f, "idp", false, &o);
	id = take(f, LOOKUP_KEYS, "idp");
	lookups_ask(f, "idp", 0);
	lookups_answer_group(f, take(f, LOOKUP_USER, "idp"), "etl", 60 * NANOSECONDS);
	lookups_assert_groups(f, 0, "etl\n");
	assert_int_equal(o.calls, 0);
	answer(f, id, "{}");
	assert_int_equal(o.calls, 1);
}

static void
why_there_are_none_is_told(void **state)
{
	static struct lookup_answer a;
	struct lookups_fixture *f = *state;
	struct outcome o;
	struct error e;

	ask(f, "idp", false, &o);
	error_set(&e, ERROR_UNAVAILABLE, "connection refused");
	lookup_answer_init_keys(&a, take(f, LOOKUP_KEYS, "idp"), NULL, 0, &e);
	send_answer(f, &a);
	assert_int_equal(o.calls, 1);
	assert_false(o.found);
	assert_string_equal(o.text, "connection refused");
}

static void
membership_is_not_taken_for_keys_nor_keys_for_a_membership(void **state)
{
	static const struct membership m = {.known = true, .groups = "etl\n"};
	struct lookups_fixture *f = *state;
	struct outcome o;

	ask(f, "idp", false, &o);
	lookups_answer(f, take(f, LOOKUP_KEYS, "idp"), &m, 60 * NANOSECONDS);
	assert_int_equal(o.calls, 1);
	assert_false(o.found);
	assert_string_equal(o.text, "the resolver answered something else");
	lookups_ask(f, "jane", 0);
	answer(f, take(f, LOOKUP_USER, "jane"), "{}");
	lookups_assert_failed(f, 0, "the resolver answered something else");
	lookups_ask(f, "jane", 1); /* nothing is kept of it */
	(void)take(f, LOOKUP_USER, "jane");
}

static void
keys_that_do_not_come_in_time_are_a_failure(void **state)
{
	struct lookups_fixture *f = *state;
	struct outcome o;

	ask(f, "idp", false, &o);
	f->now += (LOOKUPS_DEADLINE + 1) * NANOSECONDS;
	lookup_remote_expire(f->remote);
	assert_int_equal(o.calls, 1);
	assert_false(o.found);
	assert_string_equal(o.text, "the resolver did not answer in time");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		keys_are_asked_for_and_told, lookups_setup, lookups_teardown),
	    cmocka_unit_test_setup_teardown(
		keys_are_asked_for_anew, lookups_setup, lookups_teardown),
	    cmocka_unit_test_setup_teardown(
		each_who_asks_is_answered_for_itself, lookups_setup, lookups_teardown),
	    cmocka_unit_test_setup_teardown(
		section_and_user_of_one_name_are_two, lookups_setup, lookups_teardown),
	    cmocka_unit_test_setup_teardown(
		why_there_are_none_is_told, lookups_setup, lookups_teardown),
	    cmocka_unit_test_setup_teardown(
		membership_is_not_taken_for_keys_nor_keys_for_a_membership, lookups_setup,
		lookups_teardown),
	    cmocka_unit_test_setup_teardown(
		keys_that_do_not_come_in_time_are_a_failure, lookups_setup, lookups_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
