/* store: each system call fails in turn, while families of refresh tokens are used, tokens are
 * revoked and tries of passwords are counted. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "store/revocations.h"
#include "store/tries.h"
#include "tests/unit/faults.h"
#include "tests/unit/states.h"

static void
open_state(void *context)
{
	const struct states_fixture *f = context;
	struct state *s;
	struct error e = {0};
	int rc;

	faults_on();
	rc = state_open(&s, f->path, &e);
	faults_check(rc, &e);
	assert_int_equal(s == NULL, rc == -1);
	if (rc == 0) {
		faults_on();
		rc = state_bound(s, 10, &clock_system, &e);
		faults_check(rc, &e);
	}
	state_close(s);
}

static void
a_state_is_opened_whole_or_not_at_all(void **state)
{
	faults_sweep(open_state, *state);
}

/* --- families --------------------------------------------------------------------------- */

static void
begin(void *context)
{
	struct states_fixture *f = context;
	char token[REFRESH_TOKEN];
	struct error e = {0};
	int rc;

	faults_on();
	rc = refresh_begin(
	    f->state, &states_family, &states_limits, STATES_NOW, &entropy_system, token, &e);
	faults_check(rc, &e);
	assert_int_equal(*token == '\0', rc == -1);
	assert_true(rc == -1 || states_is_good(f->state, token));
	if (rc == 0)
		stores_check(refresh_end(f->state, token, &e), &e);
}

static void
a_family_begins_with_a_good_token_or_none(void **state)
{
	const struct states_fixture *f = *state;

	faults_sweep(begin, *state);
	/* But for names that could not be removed, of one call that failed each. */
	assert_in_range(states_count(f, "refresh"), 0, 11);
}

static void
use(void *context)
{
	struct states_fixture *f = context;
	char old[REFRESH_TOKEN], next[REFRESH_TOKEN] = "";
	enum states_verdict verdict;
	struct error e = {0};

	states_begin(f, old);
	faults_on();
	verdict = states_use(f->state, old, STATES_NOW, next, &e);
	faults_off();
	if (verdict == STATES_TAKEN) {
		assert_true(states_is_good(f->state, next));
	} else {
		/* The way on that is left. */
		faults_check(-1, &e);
		assert_true(states_is_good(f->state, old));
	}
	stores_check(refresh_end(f->state, old, &e), &e);
}

static void
a_family_is_never_lost(void **state)
{
	faults_sweep(use, *state);
	/* Of a file system that cannot exchange files. */
	faults_sweep_by(ENOSYS, use, *state);
}

/* A successor that nobody is known to have got. */
static void
use_again(void *context)
{
	struct states_fixture *f = context;
	char old[REFRESH_TOKEN], lost[REFRESH_TOKEN], next[REFRESH_TOKEN];
	struct refresh_lease *lease;
	enum states_verdict verdict;
	struct error e = {0};

	states_begin(f, old);
	stores_check(refresh_take(&lease, f->state, old, NULL, STATES_NOW, &e), &e);
	stores_check(refresh_rotate(lease, STATES_NOW, &entropy_system, lost, &e), &e);
	refresh_release(lease);
	faults_on();
	verdict = states_use(f->state, old, STATES_NOW, next, &e);
	faults_off();
	if (verdict == STATES_TAKEN)
		assert_true(states_is_good(f->state, next));
	else
		faults_check(-1, &e);
	stores_check(refresh_end(f->state, old, &e), &e);
}

static void
an_answer_that_was_lost_may_be_asked_for_again(void **state)
{
	faults_sweep(use_again, *state);
}

static void
use_twice(void *context)
{
	struct states_fixture *f = context;
	char old[REFRESH_TOKEN], next[REFRESH_TOKEN];
	struct refresh_lease *lease;
	struct error e = {0};
	int rc;

	states_begin(f, old);
	assert_int_equal(states_use(f->state, old, STATES_NOW, next, &e), STATES_TAKEN);
	faults_on();
	rc = refresh_take(&lease, f->state, old, NULL, STATES_NOW, &e);
	faults_off();
	assert_int_equal(rc, -1);
	assert_true(faults_hit() || !states_is_good(f->state, next));
	stores_check(refresh_end(f->state, old, &e), &e);
}

static void
a_copy_is_never_taken(void **state)
{
	faults_sweep(use_twice, *state);
}

static void
end(void *context)
{
	struct states_fixture *f = context;
	char token[REFRESH_TOKEN];
	struct error e = {0};
	int rc;

	states_begin(f, token);
	faults_on();
	rc = refresh_end(f->state, token, &e);
	faults_check(rc, &e);
	assert_true(rc == -1 || faults_number() == ENOENT || !states_is_good(f->state, token));
	stores_check(refresh_end(f->state, token, &e), &e);
}

static void
a_family_that_was_ended_is_good_for_nothing(void **state)
{
	faults_sweep(end, *state);
}

/* --- revocations ------------------------------------------------------------------------ */

static const struct revocation_subject theirs = {.party = "party",
    .issuer = "https://issuer.example",
    .jti = "id",
    .subject = "jane",
    .issued = STATES_NOW,
    .signed_part = "e30.e30",
    .signed_length = 7};

static void
add_revocations(void *context)
{
	const struct states_fixture *f = context;
	struct error e = {0};
	int rc;

	faults_on();
	rc = revocation_add_token(f->state, &theirs, STATES_NOW + 60, &e);
	faults_check(rc, &e);
	assert_true(rc == -1 || revocation_check(f->state, &theirs, &e) == -1);
	/* Again, and later: in place of the one that is there. */
	stores_check(revocation_add_token(f->state, &theirs, STATES_NOW + 120, &e), &e);
	faults_on();
	rc = revocation_add_token(f->state, &theirs, STATES_NOW + 180, &e);
	faults_check(rc, &e);
	assert_int_equal(revocation_check(f->state, &theirs, &e), -1);
	faults_on();
	rc = revocation_add_subject(
	    f->state, "https://issuer.example", "jane", STATES_NOW, STATES_NOW + 60, &e);
	faults_check(rc, &e);
}

static void
what_was_revoked_is_revoked(void **state)
{
	faults_sweep(add_revocations, *state);
}

/* Where a name is said to be missing there is no revocation. */
static void
ask(void *context)
{
	const struct states_fixture *f = context;
	struct error e = {0};
	int rc;

	faults_on();
	rc = revocation_check(f->state, &theirs, &e);
	faults_off();
	assert_true(rc == -1 || faults_number() == ENOENT);
	assert_true(rc == 0 || e.code == ERROR_UNAUTHENTICATED || faults_hit());
}

static void
a_revocation_that_cannot_be_read_is_one(void **state)
{
	const struct states_fixture *f = *state;
	struct error e;

	stores_check(revocation_add_token(f->state, &theirs, STATES_NOW + 60, &e), &e);
	faults_sweep(ask, *state);
}

static void
sweep(void *context)
{
	const struct states_fixture *f = context;
	struct state_sweep sweep = {.now = STATES_NOW + STATES_LIFETIME + 2 * STATE_GRACE};
	char token[REFRESH_TOKEN];
	struct error e = {0};
	int rc;

	states_begin(f, token);
	stores_check(revocation_add_token(f->state, &theirs, STATES_NOW + 60, &e), &e);
	faults_on();
	rc = state_sweep(f->state, &sweep, &e);
	faults_check(rc, &e);
	assert_true(faults_hit() || (sweep.families >= 1 && sweep.revocations == 1));
}

static void
what_cannot_be_swept_is_said(void **state)
{
	const struct states_fixture *f = *state;
	struct state_sweep rest = {.now = STATES_NOW + STATES_LIFETIME + 2 * STATE_GRACE};
	struct error e;

	faults_sweep(sweep, *state);
	stores_check(state_sweep(f->state, &rest, &e), &e);
	assert_int_equal(states_count(f, "revoked"), 0);
	assert_int_equal(states_count(f, "refresh"), 0);
}

/* --- tries ------------------------------------------------------------------------------ */

static void
count_tries(void *context)
{
	static const struct tries_limits limits = {.most = 3, .window = 60};
	const struct states_fixture *f = context;
	struct tries *t;
	struct error e = {0};
	int64_t wait;
	int rc;

	(void)unlinkat(state_directory(f->state)->fd, "tries", 0);
	faults_on();
	rc = tries_open(&t, f->state, &entropy_system, &e);
	faults_check(rc, &e);
	assert_int_equal(t == NULL, rc == -1);
	if (rc == -1)
		return;
	faults_on();
	rc = tries_admit(t, "jane", &limits, STATES_NOW, &wait, &e);
	faults_check(rc, &e);
	assert_int_equal(wait, 0);
	faults_on();
	tries_return(t, "jane", &limits);
	tries_forgive(t, "jane");
	faults_off();
	/* Whatever it was, it locks nobody out who tries again. */
	stores_check(tries_admit(t, "jane", &limits, STATES_NOW, &wait, &e), &e);
	tries_close(t);
}

static void
a_try_that_cannot_be_counted_is_not_admitted(void **state)
{
	faults_sweep(count_tries, *state);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, states_enter, states_leave)
	static const struct CMUnitTest tests[] = {
	    TEST(a_state_is_opened_whole_or_not_at_all),
	    TEST(a_family_begins_with_a_good_token_or_none),
	    TEST(a_family_is_never_lost),
	    TEST(an_answer_that_was_lost_may_be_asked_for_again),
	    TEST(a_copy_is_never_taken),
	    TEST(a_family_that_was_ended_is_good_for_nothing),
	    TEST(what_was_revoked_is_revoked),
	    TEST(a_revocation_that_cannot_be_read_is_one),
	    TEST(what_cannot_be_swept_is_said),
	    TEST(a_try_that_cannot_be_counted_is_not_admitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
