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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_family_is_kept_as_it_was_begun, states_enter, states_leave),
	    cmocka_unit_test_setup_teardown(
		a_token_is_used_once_and_its_successor_goes_on, states_enter, states_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
