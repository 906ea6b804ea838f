/* store: families of refresh tokens: what is taken, what is refused, what ends a family. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/states.h"

/* The token is refused, with the one text and this in the detail. */
static void
refused_at(const struct state *s, const char *token, int64_t now, const char *detail)
{
	static const char text[] =
	    "the refresh token is not valid: it has expired, was used or "
	    "was revoked: log in again";
	struct refresh_lease *lease = (void *)&now;
	struct error e = {0};

	assert_int_equal(refresh_take(&lease, s, token, NULL, now, &e), -1);
	assert_null(lease);
	assert_int_equal(e.code, ERROR_GRANT);
	assert_string_equal(e.text, text);
	if (strstr(e.detail, detail) == NULL)
		fail_msg("not '%s': %s", detail, e.detail);
}

static void
refused(const struct state *s, const char *token, const char *detail)
{
	refused_at(s, token, STATES_NOW, detail);
}

static struct refresh_lease *
taken(const struct state *s, const char *token)
{
	struct refresh_lease *lease;
	struct error e;

	stores_check(refresh_take(&lease, s, token, NULL, STATES_NOW, &e), &e);
	return lease;
}

static void
used(const struct states_fixture *f, const char *token, char next[REFRESH_TOKEN])
{
	struct error e = {0};

	if (states_use(f->state, token, STATES_NOW, next, &e) != STATES_TAKEN)
		fail_msg("%s (%s)", e.text, e.detail);
}

static void
a_family_is_kept_as_it_was_begun(void **state)
{
	struct states_fixture *f = *state;
	struct refresh_lease *lease;
	const struct refresh_family *got;
	char token[REFRESH_TOKEN];

	states_begin(f, token);
	assert_int_equal(strlen(token), REFRESH_TOKEN - 1);
	lease = taken(f->state, token);
	got = refresh_family(lease);
	assert_string_equal(got->caller, states_family.caller);
	assert_string_equal(got->scheme, states_family.scheme);
	assert_string_equal(got->subject, states_family.subject);
	assert_string_equal(got->profile, states_family.profile);
	assert_string_equal(got->audience, states_family.audience);
	assert_string_equal(got->client, states_family.client);
	assert_int_equal(got->lifetime, states_family.lifetime);
	assert_int_equal(got->created, STATES_NOW);
	refresh_release(lease);
}

static void
a_token_is_used_once_and_its_successor_goes_on(void **state)
{
	struct states_fixture *f = *state;
	char tokens[5][REFRESH_TOKEN];

	states_begin(f, tokens[0]);
	for (int i = 0; i < 4; i++) {
		used(f, tokens[i], tokens[i + 1]);
		assert_string_not_equal(tokens[i], tokens[i + 1]);
	}
	assert_int_equal(states_count(f, "refresh"), 1);
	refused(f->state, tokens[3], "an old one was used again: its family has ended");
	refused(f->state, tokens[4], "unknown");
	assert_int_equal(states_count(f, "refresh"), 0);
}

static void
what_is_no_token_of_ours_is_refused_and_ends_nothing(void **state)
{
	struct states_fixture *f = *state;
	char token[REFRESH_TOKEN], wrong[REFRESH_TOKEN + 1] = {0};
	static const struct {
		size_t at; /* which byte is another one */
		char byte;
		const char *detail;
	} cases[] = {
	    {0, '\0', "malformed"},
	    {REFRESH_TOKEN - 2, '\0', "malformed"},
	    {REFRESH_TOKEN - 1, 'A', "malformed"},
	    {5, '.', "malformed"},
	    {5, '/', "malformed"},
	    {87, '=', "malformed"},
	    {60, '\xff', "malformed"},
	    {3, 0, "unknown"},
	    {REFRESH_NAME, 0, "unknown, with the name"},
	    {REFRESH_NAME + REFRESH_PROOF - 1, 0, "unknown, with the name"},
	};

	states_begin(f, token);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char byte = cases[i].byte;

		memset(wrong, 0, sizeof(wrong));
		memcpy(wrong, token, REFRESH_TOKEN);
		if (byte == 0 && strcmp(cases[i].detail, "malformed") != 0)
			byte = token[cases[i].at] == 'A' ? 'B' : 'A';
		wrong[cases[i].at] = byte;
		refused(f->state, wrong, cases[i].detail);
		assert_true(states_is_good(f->state, token));
	}
	refused(NULL, token, "no state directory");
}

static void
a_secret_that_does_not_fit_beside_the_proof_ends_the_family(void **state)
{
	struct states_fixture *f = *state;
	char token[REFRESH_TOKEN], wrong[REFRESH_TOKEN];

	states_begin(f, token);
	memcpy(wrong, token, REFRESH_TOKEN);
	wrong[REFRESH_TOKEN - 2] = token[REFRESH_TOKEN - 2] == 'A' ? 'B' : 'A';
	refused(f->state, wrong, "its family has ended");
	refused(f->state, token, "unknown");
}

static void
a_family_ends_by_age_and_by_idleness(void **state)
{
	static const struct {
		int64_t later;      /* seconds after it began */
		const char *detail; /* NULL: it is taken */
	} cases[] = {
	    {0, NULL},
	    {STATES_IDLE - 1, NULL},
	    {STATES_IDLE, "not used for too long"},
	    {STATES_LIFETIME, "expired"},
	    /* The clock was set back. */
	    {-3600, NULL},
	    {-STATES_IDLE - 1, "not used for too long"},
	    {-STATES_LIFETIME - 1, "expired"},
	};
	struct states_fixture *f = *state;
	char token[REFRESH_TOKEN];
	struct error e;

	states_begin(f, token);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t now = STATES_NOW + cases[i].later;
		struct refresh_lease *lease;

		if (cases[i].detail != NULL) {
			refused_at(f->state, token, now, cases[i].detail);
			continue;
		}
		stores_check(refresh_take(&lease, f->state, token, NULL, now, &e), &e);
		refresh_release(lease);
	}
}

static void
use_puts_off_the_end_by_idleness_but_not_by_age(void **state)
{
	struct states_fixture *f = *state;
	char token[REFRESH_TOKEN], next[REFRESH_TOKEN];
	int64_t now = STATES_NOW;
	struct error e;

	states_begin(f, token);
	for (; now < STATES_NOW + STATES_LIFETIME; now += STATES_IDLE - 1) {
		assert_int_equal(states_use(f->state, token, now, next, &e), STATES_TAKEN);
		memcpy(token, next, sizeof(token));
	}
	refused_at(f->state, token, STATES_NOW + STATES_LIFETIME, "expired");
}

static void
the_shorter_limits_hold(void **state)
{
	static const struct refresh_limits cases[] = {
	    {.lifetime = 60, .idle = 3600}, {.lifetime = 3600, .idle = 60}};
	static const struct refresh_limits longer = {
	    .lifetime = 2 * STATES_LIFETIME, .idle = 2 * STATES_IDLE};
	struct states_fixture *f = *state;
	struct refresh_lease *lease;
	char token[REFRESH_TOKEN];
	struct error e;

	states_begin(f, token);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
		    refresh_take(&lease, f->state, token, &cases[i], STATES_NOW + 60, &e), -1);
		stores_check(
		    refresh_take(&lease, f->state, token, &cases[i], STATES_NOW + 59, &e), &e);
		refresh_release(lease);
	}
	assert_int_equal(
	    refresh_take(&lease, f->state, token, &longer, STATES_NOW + STATES_IDLE, &e), -1);
}

static void
a_family_in_use_is_refused_to_others_and_lives(void **state)
{
	struct states_fixture *f = *state;
	struct refresh_lease *lease;
	char token[REFRESH_TOKEN], next[REFRESH_TOKEN];
	struct error e;

	states_begin(f, token);
	lease = taken(f->state, token);
	refused(f->state, token, "in use at this moment");
	stores_check(refresh_rotate(lease, STATES_NOW, &entropy_system, next, &e), &e);
	refused(f->state, token, "in use at this moment");
	refresh_confirm(lease);
	refresh_release(lease);
	assert_true(states_is_good(f->state, next));
	refused(f->state, token, "its family has ended");
}

static void
a_lease_given_back_changes_nothing(void **state)
{
	struct states_fixture *f = *state;
	char token[REFRESH_TOKEN];

	states_begin(f, token);
	for (int i = 0; i < 3; i++)
		refresh_release(taken(f->state, token));
	assert_true(states_is_good(f->state, token));
}

/* A client may be quicker than the one who answered it. */
static void
the_successor_is_good_before_it_is_confirmed(void **state)
{
	struct states_fixture *f = *state;
	struct refresh_lease *first, *second;
	char tokens[4][REFRESH_TOKEN];
	struct error e;

	states_begin(f, tokens[0]);
	first = taken(f->state, tokens[0]);
	stores_check(refresh_rotate(first, STATES_NOW, &entropy_system, tokens[1], &e), &e);
	second = taken(f->state, tokens[1]);
	refused(f->state, tokens[0], "in use at this moment");
	stores_check(refresh_rotate(second, STATES_NOW, &entropy_system, tokens[2], &e), &e);
	refresh_confirm(first);
	refresh_release(first);
	refused(f->state, tokens[1], "in use at this moment");
	refresh_confirm(second);
	refresh_release(second);
	used(f, tokens[2], tokens[3]);
	refused(f->state, tokens[0], "its family has ended");
}

static void
an_answer_that_was_never_given_leaves_the_old_token_good(void **state)
{
	struct states_fixture *f = *state;
	struct refresh_lease *lease;
	char token[REFRESH_TOKEN], lost[3][REFRESH_TOKEN], next[REFRESH_TOKEN];
	struct error e;

	states_begin(f, token);
	for (int i = 0; i < 3; i++) {
		lease = taken(f->state, token);
		stores_check(
		    refresh_rotate(lease, STATES_NOW, &entropy_system, lost[i], &e), &e);
		refresh_release(lease);
	}
	assert_true(states_is_good(f->state, token));
	assert_true(states_is_good(f->state, lost[2]));
	used(f, token, next);
	assert_int_equal(states_count(f, "refresh"), 1);
	assert_true(states_is_good(f->state, next));
	/* The one that was replaced is as old as any. */
	refused(f->state, lost[2], "its family has ended");
	refused(f->state, next, "unknown");
}

static void
ending_a_family_ends_it_whoever_holds_it(void **state)
{
	struct states_fixture *f = *state;
	struct refresh_lease *lease;
	char token[REFRESH_TOKEN], next[REFRESH_TOKEN] = "x";
	struct error e;

	states_begin(f, token);
	lease = taken(f->state, token);
	stores_check(refresh_end(f->state, token, &e), &e);
	assert_int_equal(refresh_rotate(lease, STATES_NOW, &entropy_system, next, &e), -1);
	assert_int_equal(e.code, ERROR_GRANT);
	assert_non_null(strstr(e.detail, "ended meanwhile"));
	assert_string_equal(next, "");
	refresh_release(lease);
	assert_int_equal(states_count(f, "refresh"), 0);
	refused(f->state, token, "unknown");
}

static void
an_old_token_ends_its_family_too_and_others_nothing(void **state)
{
	struct states_fixture *f = *state;
	char token[REFRESH_TOKEN], next[REFRESH_TOKEN], other[REFRESH_TOKEN];
	struct error e;

	states_begin(f, token);
	states_begin(f, other);
	used(f, token, next);
	memcpy(token + REFRESH_NAME, other + REFRESH_NAME, REFRESH_PROOF);
	stores_check(refresh_end(f->state, token, &e), &e);
	stores_check(refresh_end(f->state, "junk", &e), &e);
	stores_check(refresh_end(NULL, next, &e), &e);
	assert_true(states_is_good(f->state, next));
	memcpy(token + REFRESH_NAME, next + REFRESH_NAME, REFRESH_PROOF);
	stores_check(refresh_end(f->state, token, &e), &e);
	stores_check(refresh_end(f->state, token, &e), &e);
	refused(f->state, next, "unknown");
	assert_true(states_is_good(f->state, other));
}

static void
a_text_that_is_not_utf_8_begins_nothing(void **state)
{
	struct states_fixture *f = *state;
	struct refresh_family family = states_family;
	char token[REFRESH_TOKEN] = "x";
	struct error e;

	(void)snprintf(family.caller, sizeof(family.caller), "caf\xe9");
	assert_int_equal(refresh_begin(f->state, &family, &states_limits, STATES_NOW,
			     &entropy_system, token, &e),
	    -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
	assert_string_equal(token, "");
	assert_int_equal(refresh_begin(NULL, &states_family, &states_limits, STATES_NOW,
			     &entropy_system, token, &e),
	    -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_int_equal(states_count(f, "refresh"), 0);
}

static void
the_file_is_ours_alone_and_holds_no_token(void **state)
{
	struct states_fixture *f = *state;
	char token[REFRESH_TOKEN], next[REFRESH_TOKEN], path[LIMIT_PATH], text[8192] = "";
	struct stat st;
	FILE *file;

	(void)umask(0);
	states_begin(f, token);
	used(f, token, next);
	states_file(f, next, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	file = fopen(path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	(void)fclose(file);
	for (size_t at = REFRESH_NAME; at < REFRESH_TOKEN - 1 - 16; at += 8) {
		char piece[17] = "";

		memcpy(piece, next + at, 16);
		assert_null(strstr(text, piece));
	}
}

#define IN_STATE(test) cmocka_unit_test_setup_teardown(test, states_enter, states_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_STATE(a_family_is_kept_as_it_was_begun),
	    IN_STATE(a_token_is_used_once_and_its_successor_goes_on),
	    IN_STATE(what_is_no_token_of_ours_is_refused_and_ends_nothing),
	    IN_STATE(a_secret_that_does_not_fit_beside_the_proof_ends_the_family),
	    IN_STATE(a_family_ends_by_age_and_by_idleness),
	    IN_STATE(use_puts_off_the_end_by_idleness_but_not_by_age),
	    IN_STATE(the_shorter_limits_hold),
	    IN_STATE(a_family_in_use_is_refused_to_others_and_lives),
	    IN_STATE(a_lease_given_back_changes_nothing),
	    IN_STATE(the_successor_is_good_before_it_is_confirmed),
	    IN_STATE(an_answer_that_was_never_given_leaves_the_old_token_good),
	    IN_STATE(ending_a_family_ends_it_whoever_holds_it),
	    IN_STATE(an_old_token_ends_its_family_too_and_others_nothing),
	    IN_STATE(a_text_that_is_not_utf_8_begins_nothing),
	    IN_STATE(the_file_is_ours_alone_and_holds_no_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
