/* store: what was revoked, what that means for a token, and how long it is remembered. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/revocations.h"
#include "tests/unit/states.h"

enum { EXPIRES = STATES_NOW + 3600 };

#define SIGNED(text) .signed_part = (text), .signed_length = sizeof(text) - 1

/* A token, as far as revocation knows it. */
static const struct revocation_subject token = {.issuer = "us",
    .jti = "id1",
    .subject = "jane",
    .issued = STATES_NOW,
    SIGNED("header.payload")};

static void
add_token(const struct states_fixture *f, const struct revocation_subject *t)
{
	struct error e;

	stores_check(revocation_add_token(f->state, t, EXPIRES, &e), &e);
}

static void
add_subject(
    const struct states_fixture *f, const char *issuer, const char *subject, int64_t before)
{
	struct error e;

	stores_check(
	    revocation_add_subject(f->state, issuer, subject, before, EXPIRES, &e), &e);
}

static bool
is_revoked(const struct states_fixture *f, const struct revocation_subject *t)
{
	struct error e = {0};

	if (revocation_check(f->state, t, &e) == 0)
		return false;
	assert_int_equal(e.code, ERROR_UNAUTHENTICATED);
	assert_string_equal(e.text, "the token is not valid");
	assert_non_null(strstr(e.detail, "revoked"));
	return true;
}

static void
a_token_is_revoked_by_its_identifier_and_issuer(void **state)
{
	static const struct {
		struct revocation_subject t;
		bool revoked;
	} cases[] = {
	    {{.issuer = "us", .jti = "id1"}, true},
	    {{.issuer = "us", .jti = "id1", .subject = "joe", SIGNED("other.parts")}, true},
	    {{.issuer = "us", .jti = "id2", .subject = "jane", SIGNED("header.payload")},
		false},
	    {{.issuer = "us", .jti = "ID1"}, false},
	    {{.issuer = "us", .jti = ""}, false},
	    {{.issuer = "usi", .jti = "d1"}, false},
	    {{.issuer = "", .jti = "usid1"}, false},
	    {{.issuer = "", .jti = "id1"}, false},
	    {{.issuer = "them", .jti = "id1"}, false},
	    {{.issuer = "us", SIGNED("header.payload")}, false},
	    {{.issuer = "us", .subject = "id1"}, false},
	    {{.issuer = "us"}, false},
	};
	struct states_fixture *f = *state;

	assert_false(is_revoked(f, &token));
	add_token(f, &token);
	assert_true(is_revoked(f, &token));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (is_revoked(f, &cases[i].t) != cases[i].revoked)
			fail_msg("case %zu", i);
}

static void
a_token_without_an_identifier_is_revoked_by_what_was_signed(void **state)
{
	static const struct revocation_subject bare = {
	    .issuer = "us", SIGNED("header.payload")};
	static const struct revocation_subject foreign = {
	    .issuer = "", SIGNED("header.payload")};
	static const struct revocation_subject other = {
	    .issuer = "us", SIGNED("header.payloaD")};
	struct revocation_subject nothing = {.issuer = "us", .subject = "jane"};
	struct states_fixture *f = *state;
	struct error e;

	add_token(f, &bare);
	assert_true(is_revoked(f, &bare));
	assert_true(is_revoked(f, &foreign));
	assert_false(is_revoked(f, &other));
	assert_int_equal(revocation_add_token(f->state, &nothing, EXPIRES, &e), -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
}

static void
what_another_party_signed_revokes_nothing_of_ours(void **state)
{
	static const struct revocation_subject theirs = {
	    .party = "idp", .issuer = "us", .jti = "id1", SIGNED("header.payload")};
	static const struct revocation_subject bare = {
	    .party = "idp", .issuer = "us", SIGNED("header.payload")};
	static const struct {
		struct revocation_subject t;
		bool revoked;
	} cases[] = {
	    {{.party = "idp", .issuer = "us", .jti = "id1", SIGNED("other.parts")}, true},
	    {{.party = "idp", .issuer = "us", SIGNED("header.payload")}, true},
	    {{.issuer = "us", .jti = "id1", SIGNED("header.payload")}, false},
	    {{.issuer = "us", SIGNED("header.payload")}, false},
	    {{.party = "", .issuer = "us", .jti = "id1", SIGNED("header.payload")}, false},
	    {{.party = "other", .issuer = "us", .jti = "id1", SIGNED("header.payload")}, false},
	    {{.party = "other", .issuer = "us", SIGNED("header.payload")}, false},
	    {{.party = "1idp", .issuer = "us", .jti = "id", SIGNED("x.y")}, false},
	};
	struct states_fixture *f = *state;

	add_token(f, &theirs);
	add_token(f, &bare);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (is_revoked(f, &cases[i].t) != cases[i].revoked)
			fail_msg("case %zu", i);
}

static void
what_is_revoked_without_a_party_is_whoever_signed_it(void **state)
{
	static const struct revocation_subject theirs = {
	    .party = "idp", .issuer = "us", .jti = "id1"};
	static const struct revocation_subject bare = {.issuer = "us", SIGNED("a.b")};
	static const struct revocation_subject their_bare = {
	    .party = "idp", .issuer = "them", SIGNED("a.b")};
	struct states_fixture *f = *state;

	add_token(f, &token);
	assert_true(is_revoked(f, &theirs));
	assert_false(is_revoked(f, &their_bare));
	add_token(f, &bare);
	assert_true(is_revoked(f, &their_bare));
}

/* Who knows more of a token than it says itself, such as the jti that its profile renames. */
static void
a_token_is_asked_for_by_all_that_is_known_of_it(void **state)
{
	static const struct revocation_subject bare = {
	    .issuer = "us", SIGNED("header.payload")};
	struct states_fixture *f = *state;

	add_token(f, &bare);
	assert_true(is_revoked(f, &token));
}

static void
the_last_second_that_there_is_can_be_said(void **state)
{
	struct states_fixture *f = *state;
	struct error e;
	size_t count;

	stores_check(revocation_add_token(f->state, &token, INT64_MAX, &e), &e);
	stores_check(
	    revocation_add_subject(f->state, "us", "jane", INT64_MAX, INT64_MAX, &e), &e);
	stores_check(revocation_sweep(f->state, EXPIRES, false, &count, &e), &e);
	assert_int_equal(count, 0);
	assert_true(is_revoked(f, &token));
	add_subject(f, "us", "jane", STATES_NOW);
	assert_int_equal(states_count(f, "revoked"), 2);
}

static void
requests_add_up_to_a_bound_and_others_beyond_it(void **state)
{
	char names[4][2] = {"a", "b", "c", "d"};
	struct states_fixture *f = *state;
	struct state *other;
	struct error e;
	size_t count;

	stores_check(state_open(&other, f->path, &e), &e);
	stores_check(state_bound(f->state, 3, &clock_system, &e), &e);
	for (size_t i = 0; i < 4; i++) {
		const struct revocation_subject t = {.issuer = "us", .jti = names[i]};

		if (i < 3)
			add_token(f, &t);
		else
			assert_int_equal(revocation_add_token(f->state, &t, EXPIRES, &e), -1);
	}
	assert_int_equal(e.code, ERROR_LIMITED);
	assert_int_equal(states_count(f, "revoked"), 3);
	/* What is there takes no more room. */
	stores_check(
	    revocation_add_token(f->state,
		&(struct revocation_subject){.issuer = "us", .jti = "a"}, EXPIRES + 9, &e),
	    &e);
	stores_check(revocation_add_token(other, &token, EXPIRES, &e), &e);
	stores_check(
	    revocation_sweep(f->state, EXPIRES + STATE_GRACE + 1, false, &count, &e), &e);
	assert_int_equal(count, 3);
	(void)nanosleep(&(struct timespec){.tv_nsec = 150 * 1000 * 1000}, NULL);
	add_token(f, &token);
	state_close(other);
}

static void
a_subject_loses_what_it_got_up_to_the_time_and_in_that_second(void **state)
{
	static const struct {
		const char *issuer, *subject;
		int64_t issued;
		bool revoked;
	} cases[] = {
	    {"us", "jane", STATES_NOW - 1, true},
	    {"us", "jane", STATES_NOW, true},
	    {"us", "jane", STATES_NOW + 1, false},
	    {"us", "jane", 0, true},
	    {"us", "Jane", STATES_NOW, false},
	    {"them", "jane", STATES_NOW, false},
	    {"", "usjane", STATES_NOW, false},
	    {"us", NULL, STATES_NOW, false},
	};
	struct states_fixture *f = *state;

	add_subject(f, "us", "jane", STATES_NOW);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct revocation_subject t = {.issuer = cases[i].issuer,
		    .jti = "id7",
		    .subject = cases[i].subject,
		    .issued = cases[i].issued};

		if (is_revoked(f, &t) != cases[i].revoked)
			fail_msg("case %zu", i);
	}
}

static void
of_two_revocations_the_later_times_hold(void **state)
{
	struct revocation_subject t = token;
	struct states_fixture *f = *state;
	struct error e;
	size_t count;

	add_subject(f, "us", "jane", STATES_NOW);
	add_subject(f, "us", "jane", STATES_NOW - 100);
	assert_true(is_revoked(f, &t));
	t.issued = STATES_NOW + 5;
	assert_false(is_revoked(f, &t));
	stores_check(
	    revocation_add_subject(f->state, "us", "jane", STATES_NOW + 5, EXPIRES - 500, &e),
	    &e);
	assert_true(is_revoked(f, &t));
	stores_check(revocation_sweep(f->state, EXPIRES + STATE_GRACE, false, &count, &e), &e);
	assert_int_equal(count, 0);
	assert_int_equal(states_count(f, "revoked"), 1);
}

static void
it_is_remembered_until_a_day_after_the_token_has_expired(void **state)
{
	struct states_fixture *f = *state;
	struct error e;
	size_t count;

	add_token(f, &token);
	add_subject(f, "us", "joe", STATES_NOW);
	stores_check(revocation_sweep(f->state, EXPIRES + STATE_GRACE, false, &count, &e), &e);
	assert_int_equal(count, 0);
	assert_true(is_revoked(f, &token));
	stores_check(
	    revocation_sweep(f->state, EXPIRES + STATE_GRACE + 1, true, &count, &e), &e);
	assert_int_equal(count, 2);
	assert_true(is_revoked(f, &token));
	stores_check(
	    revocation_sweep(f->state, EXPIRES + STATE_GRACE + 1, false, &count, &e), &e);
	assert_int_equal(count, 2);
	assert_false(is_revoked(f, &token));
	assert_int_equal(states_count(f, "revoked"), 0);
}

/* The only entry there is. */
static void
find_entry(const struct states_fixture *f, char path[LIMIT_PATH])
{
	char folder[LIMIT_PATH / 2];
	DIR *entries;

	(void)snprintf(folder, sizeof(folder), "%s/revoked", f->path);
	entries = opendir(folder);
	assert_non_null(entries);
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		if (*entry->d_name != '.')
			(void)snprintf(path, LIMIT_PATH, "%s/%s", folder, entry->d_name);
	closedir(entries);
}

static void
a_sweep_believes_what_an_entry_says(void **state)
{
	static const struct timespec long_ago[] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct states_fixture *f = *state;
	char path[LIMIT_PATH] = "";
	struct error e;
	size_t count;

	add_token(f, &token);
	find_entry(f, path);
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	stores_check(revocation_sweep(f->state, EXPIRES, false, &count, &e), &e);
	assert_true(is_revoked(f, &token));
	/* Damaged, it says still that something is revoked. */
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	stores_check(revocation_sweep(f->state, 2 * (int64_t)EXPIRES, false, &count, &e), &e);
	assert_int_equal(count, 0);
	assert_true(is_revoked(f, &token));
}

static void
cannot_be_said(const struct states_fixture *f, const struct revocation_subject *t)
{
	struct error e = {0};

	assert_int_equal(revocation_check(f->state, t, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
}

static void
what_cannot_be_read_lets_no_token_pass(void **state)
{
	static const char *const wrong[] = {"", "x",
	    "0000000001700003600 000000000170000000x\n",
	    "0000000001700003600 9999999999999999999\n",
	    "0000000001700003600 0000000001700000000\n\n"};
	struct states_fixture *f = *state;
	char path[LIMIT_PATH] = "";

	add_subject(f, "us", "jane", STATES_NOW - 1);
	assert_false(is_revoked(f, &token));
	find_entry(f, path);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		FILE *file = fopen(path, "w");

		(void)fputs(wrong[i], file);
		(void)fclose(file);
		cannot_be_said(f, &token);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	cannot_be_said(f, &token);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	cannot_be_said(f, &token);
}

static void
a_directory_that_is_gone_or_another_lets_no_token_pass(void **state)
{
	struct states_fixture *f = *state;
	char path[LIMIT_PATH], aside[LIMIT_PATH];
	struct error e;

	(void)snprintf(path, sizeof(path), "%s/revoked", f->path);
	(void)snprintf(aside, sizeof(aside), "%s/aside", f->path);
	assert_int_equal(rename(path, aside), 0);
	cannot_be_said(f, &token);
	assert_int_equal(mkdir(path, 0700), 0);
	cannot_be_said(f, &token);
	assert_int_equal(revocation_add_token(f->state, &token, EXPIRES, &e), -1);
}

static void
check_injected(struct stores_fixture *store, const void *argument)
{
	const struct states_fixture *f = argument;
	static const struct stores_injection cases[] = {
	    {"look", STORES_ON(newfstatat), EIO, ERROR_UNAVAILABLE},
	    {"open", STORES_ON(openat), EMFILE, ERROR_UNAVAILABLE},
	    {"permission", STORES_ON(openat), EACCES, ERROR_UNAVAILABLE},
	};
	struct error e = {0};

	(void)store;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pid_t child = i + 1 < sizeof(cases) / sizeof(cases[0]) ? fork() : 0;

		if (child != 0)
			continue;
		stores_inject(&cases[i]);
		CHILD_ASSERT(revocation_check(f->state, &token, &e) == -1);
		CHILD_ASSERT(e.code == cases[i].code);
		return;
	}
}

static void
what_the_system_does_not_say_lets_no_token_pass(void **state)
{
	struct states_fixture *f = *state;

	stores_in_child(check_injected, f->store, f);
}

static void
add_injected(struct stores_fixture *store, const void *argument)
{
	const struct stores_injection *i = argument;
	char path[600];
	struct state *s;
	struct error e;

	(void)snprintf(path, sizeof(path), "%s/state", store->folder);
	CHILD_ASSERT(state_open(&s, path, &e) == 0);
	stores_inject(i);
	CHILD_ASSERT(revocation_add_token(s, &token, EXPIRES, &e) == -1);
	CHILD_ASSERT(e.code == i->code);
}

static void
a_revocation_that_the_system_refuses_is_said(void **state)
{
	static const struct stores_injection cases[] = {
	    {"open", __NR_openat, 2, O_CREAT, O_CREAT, ENOSPC, ERROR_UNAVAILABLE},
	    {"write", STORES_ON(write), ENOSPC, ERROR_UNAVAILABLE},
	    {"disk", STORES_ON(fsync), EIO, ERROR_UNAVAILABLE},
	    {"name", STORES_ON(renameat2), EIO, ERROR_UNAVAILABLE},
	    {"name", STORES_ON(renameat2), EACCES, ERROR_NO_PERMISSION},
	};
	struct states_fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stores_in_child(add_injected, f->store, &cases[i]);
		assert_int_equal(states_count(f, "revoked"), 0);
	}
}

static void
without_a_state_nothing_is_revoked(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(revocation_check(NULL, &token, &e), 0);
	assert_int_equal(revocation_add_token(NULL, &token, EXPIRES, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_int_equal(revocation_add_subject(NULL, "us", "jane", 1, EXPIRES, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
}

/* Those who revoke one subject at once, each up to another time, while others sweep and look.
 */
struct crowd {
	const struct states_fixture *f;
	int64_t before;
	_Atomic bool *end;
	_Atomic int *failed;
};

enum { ADDERS = 8, TIMES = 40 };

/* What one has added holds from then on, whatever the others add. */
static void *
run_adder(void *context)
{
	const struct crowd *c = context;
	struct revocation_subject t = {.issuer = "us", .subject = "jane"};

	for (int i = 0; i < TIMES; i++) {
		struct error e = {0};

		t.issued = c->before + i * ADDERS;
		if (revocation_add_subject(c->f->state, "us", "jane", t.issued, t.issued, &e) ==
			-1 ||
		    revocation_check(c->f->state, &t, &e) == 0 ||
		    e.code != ERROR_UNAUTHENTICATED)
			++*c->failed;
	}
	return NULL;
}

/* What is past deletes nothing that somebody makes later; what was seen revoked stays so. */
static void *
run_sweeper(void *context)
{
	const struct crowd *c = context;
	struct revocation_subject t = {.issuer = "us", .subject = "jane", .issued = 1000};
	bool seen = false;

	while (!*c->end) {
		struct error e = {0};
		size_t count;
		int rc;

		if (revocation_sweep(c->f->state, STATE_GRACE + 1050, false, &count, &e) == -1)
			++*c->failed;
		rc = revocation_check(c->f->state, &t, &e);
		if (rc == -1 && e.code != ERROR_UNAUTHENTICATED)
			++*c->failed;
		seen = seen || rc == -1;
		if (seen && rc == 0)
			++*c->failed;
	}
	return NULL;
}

static void
of_many_at_once_the_latest_holds(void **state)
{
	_Atomic bool end = false;
	_Atomic int failed = 0;
	struct states_fixture *f = *state;
	struct crowd crowd[ADDERS + 1];
	pthread_t threads[ADDERS + 1];
	struct revocation_subject t = {.issuer = "us", .subject = "jane"};

	for (int i = 0; i <= ADDERS; i++) {
		crowd[i] =
		    (struct crowd){.f = f, .before = 1100 + i, .end = &end, .failed = &failed};
		assert_int_equal(pthread_create(&threads[i], NULL,
				     i < ADDERS ? run_adder : run_sweeper, &crowd[i]),
		    0);
	}
	for (int i = 0; i < ADDERS; i++)
		pthread_join(threads[i], NULL);
	end = true;
	pthread_join(threads[ADDERS], NULL);
	assert_int_equal(failed, 0);
	t.issued = 1100 + ADDERS * TIMES - 1;
	assert_true(is_revoked(f, &t));
	t.issued++;
	assert_false(is_revoked(f, &t));
	assert_int_equal(states_count(f, "revoked"), 1);
}

static void *
run_late_adder(void *context)
{
	const struct states_fixture *f = context;

	add_subject(f, "us", "jane", STATES_NOW + 5);
	return NULL;
}

/* As a sweep does: it has the entry locked, and deletes it while somebody is about to add to
 * it. */
static void
what_is_added_while_a_sweep_is_at_it_stays(void **state)
{
	static const struct timespec moment = {.tv_nsec = 30 * 1000 * 1000};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	struct states_fixture *f = *state;
	char path[LIMIT_PATH] = "";
	pthread_t thread;
	int fd;

	add_subject(f, "us", "jane", STATES_NOW - 5);
	find_entry(f, path);
	fd = open(path, O_RDWR);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(pthread_create(&thread, NULL, run_late_adder, f), 0);
	(void)nanosleep(&moment, NULL);
	assert_int_equal(unlink(path), 0);
	close(fd);
	pthread_join(thread, NULL);
	assert_true(is_revoked(f, &token));
}

#define IN_STATE(test) cmocka_unit_test_setup_teardown(test, states_enter, states_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_STATE(a_token_is_revoked_by_its_identifier_and_issuer),
	    IN_STATE(a_token_without_an_identifier_is_revoked_by_what_was_signed),
	    IN_STATE(what_another_party_signed_revokes_nothing_of_ours),
	    IN_STATE(what_is_revoked_without_a_party_is_whoever_signed_it),
	    IN_STATE(a_token_is_asked_for_by_all_that_is_known_of_it),
	    IN_STATE(the_last_second_that_there_is_can_be_said),
	    IN_STATE(requests_add_up_to_a_bound_and_others_beyond_it),
	    IN_STATE(a_subject_loses_what_it_got_up_to_the_time_and_in_that_second),
	    IN_STATE(of_two_revocations_the_later_times_hold),
	    IN_STATE(it_is_remembered_until_a_day_after_the_token_has_expired),
	    IN_STATE(a_sweep_believes_what_an_entry_says),
	    IN_STATE(what_cannot_be_read_lets_no_token_pass),
	    IN_STATE(a_directory_that_is_gone_or_another_lets_no_token_pass),
	    IN_STATE(what_the_system_does_not_say_lets_no_token_pass),
	    IN_STATE(a_revocation_that_the_system_refuses_is_said),
	    cmocka_unit_test(without_a_state_nothing_is_revoked),
	    IN_STATE(of_many_at_once_the_latest_holds),
	    IN_STATE(what_is_added_while_a_sweep_is_at_it_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
