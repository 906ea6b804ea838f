/* signer: tokens that are given again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "signer/signer_reuse.h"
#include "store/revocations.h"
#include "tests/unit/states.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int64_t now;

static int64_t
tell(void *state)
{
	(void)state;
	return now * NANOSECONDS;
}

static const struct clock clock_here = {.realtime = tell, .monotonic = tell};

/* Makes token-N.x, for 100 seconds, or fails. */
static int made;
static bool failing;

static int
make(struct signer *self, const struct query *q, signer_done *done, void *context,
    struct error *e)
{
	char token[32];
	struct signature s = {.token = token, .expires = now + 100, .jti = "j", .kid = "k"};
	const struct error failure = {.code = ERROR_DENIED};

	(void)self;
	(void)q;
	(void)e;
	s.length = (size_t)snprintf(token, sizeof(token), "token-%d.x", ++made);
	done(context, failing ? NULL : &s, failing ? &failure : &(struct error){0});
	return 0;
}

static struct signer maker = {.submit = make};

static void
took(void *context, const struct signature *s, const struct error *e)
{
	if (s == NULL) {
		(void)snprintf(context, 32, "error %d", (int)e->code);
		return;
	}
	assert_int_equal(strlen(s->token), s->length);
	assert_string_equal(s->jti, "j");
	(void)snprintf(context, 32, "%.*s", (int)s->length - 2, s->token);
}

static struct signer *
start_with(struct signer_reuse **r, unsigned int percent, const struct state *state)
{
	const struct signer_reuse_parts parts = {.state = state,
	    .clock = &clock_here,
	    .issuer = "https://first.example",
	    .percent = percent};

	now = 1000;
	made = 0;
	failing = false;
	*r = signer_reuse_new(&parts);
	assert_non_null(*r);
	return signer_reuse_signer(*r, &maker);
}

static struct signer *
start(struct signer_reuse **r, unsigned int percent)
{
	return start_with(r, percent, NULL);
}

static void
assert_gets(struct signer *s, const struct query *q, const char *wanted)
{
	char token[32] = "";
	struct error e = {0};

	assert_int_equal(signer_submit(s, q, took, token, &e), 0);
	assert_string_equal(token, wanted);
}

static const struct query alice = {
    .caller = {.name = "alice", .scheme = "Basic"}, .subject = "alice"};

static void
token_comes_again_while_enough_of_it_is_left(void **state)
{
	static const struct {
		unsigned int percent;
		int64_t last; /* second at which the first token still comes */
	} rows[] = {{50, 50}, {90, 10}, {1, 99}, {0, 99}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct signer_reuse *r;
		struct signer *s = start(&r, rows[i].percent);

		assert_gets(s, &alice, "token-1");
		now = 1000 + rows[i].last;
		assert_gets(s, &alice, "token-1");
		now++;
		assert_gets(s, &alice, "token-2");
		assert_gets(s, &alice, "token-2");
		signer_reuse_free(r);
	}
}

static void
clock_that_was_set_back_makes_no_token_young(void **state)
{
	struct signer_reuse *r;
	struct signer *s = start(&r, 50);

	(void)state;
	assert_gets(s, &alice, "token-1");
	now -= 1;
	assert_gets(s, &alice, "token-2");
	signer_reuse_free(r);
}

static void
all_of_it_means_a_new_one(void **state)
{
	struct signer_reuse *r;
	struct signer *s = start(&r, 100);

	(void)state;
	assert_gets(s, &alice, "token-1");
	assert_gets(s, &alice, "token-2");
	signer_reuse_free(r);
}

static void
another_query_is_another_token(void **state)
{
	const struct query others[] = {
	    {.caller = {.name = "bob", .scheme = "Basic"}, .subject = "alice"},
	    {.caller = {.name = "alice", .scheme = "peer"}, .subject = "alice"},
	    {.caller = alice.caller, .subject = "bob"},
	    {.caller = alice.caller, .subject = "alice", .audience = "a"},
	    {.caller = alice.caller, .subject = "alice", .profile = "a"},
	    {.caller = alice.caller, .subject = "alice", .lifetime = 1},
	    {.caller = alice.caller, .subject = "alice", .not_after = 1},
	    {.caller = alice.caller, .subject = "alice", .caller_groups = ""},
	    {.caller = alice.caller, .subject = "alice", .subject_groups = ""},
	    {.caller = alice.caller, .subject = "alice", .subject_groups = "a\n"},
	    {.caller = alice.caller, .subject = "alice", .email = "a"},
	    {.caller = alice.caller, .subject = "alice", .space = "a"},
	};
	struct signer_reuse *r;
	struct signer *s = start(&r, 50);

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		char wanted[32];

		assert_gets(s, &alice, "token-1");
		made = (int)i + 1;
		(void)snprintf(wanted, sizeof(wanted), "token-%d", made + 1);
		assert_gets(s, &others[i], wanted);
		assert_gets(s, &others[i], wanted);
	}
	signer_reuse_free(r);
}

static int
take_nothing(struct signer *self, const struct query *q, signer_done *done, void *context,
    struct error *e)
{
	(void)self;
	(void)q;
	(void)done;
	(void)context;
	return error_set(e, ERROR_UNAVAILABLE, "too many are asked");
}

static int
publish_nothing(struct signer *self, signer_done *done, void *context, struct error *e)
{
	return take_nothing(self, NULL, done, context, e);
}

static void
never(void *context, const struct signature *s, const struct error *e)
{
	(void)context;
	(void)s;
	fail_msg("called: %s", e->text);
}

static void
what_the_signer_does_not_take_is_not_answered(void **state)
{
	struct signer next = {.submit = take_nothing, .publish = publish_nothing};
	struct signer_reuse *r;
	struct signer *s;
	struct error e = {0};

	(void)state;
	(void)start(&r, 50);
	s = signer_reuse_signer(r, &next);
	assert_int_equal(signer_submit(s, &alice, never, NULL, &e), -1);
	assert_string_equal(e.text, "too many are asked");
	assert_int_equal(signer_publish(s, never, NULL, &e), -1);
	signer_reuse_free(r);
}

static void
failure_is_not_kept(void **state)
{
	struct signer_reuse *r;
	struct signer *s = start(&r, 50);
	char wanted[32];

	(void)state;
	failing = true;
	(void)snprintf(wanted, sizeof(wanted), "error %d", (int)ERROR_DENIED);
	assert_gets(s, &alice, wanted);
	failing = false;
	assert_gets(s, &alice, "token-2");
	failing = true;
	assert_gets(s, &alice, "token-2");
	signer_reuse_free(r);
}

/* By its jti, or as who shows it does where its profile calls that otherwise. */
static void
token_that_was_revoked_comes_no_more(void **state)
{
	static const struct revocation_subject rows[] = {
	    {.issuer = "https://first.example", .jti = "j"},
	    {.issuer = "https://first.example",
		.signed_part = "token-1.x",
		.signed_length = sizeof("token-1") - 1},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		void *fresh = NULL;
		struct states_fixture *f;
		struct signer_reuse *r;
		struct signer *s;
		struct error e;

		(void)state;
		assert_int_equal(states_enter(&fresh), 0);
		f = fresh;
		s = start_with(&r, 50, f->state);
		assert_gets(s, &alice, "token-1");
		assert_gets(s, &alice, "token-1");
		stores_check(revocation_add_token(f->state, &rows[i], 2000, &e), &e);
		assert_gets(s, &alice, "token-2");
		signer_reuse_free(r);
		assert_int_equal(states_leave(&fresh), 0);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(token_comes_again_while_enough_of_it_is_left),
	    cmocka_unit_test(clock_that_was_set_back_makes_no_token_young),
	    cmocka_unit_test(all_of_it_means_a_new_one),
	    cmocka_unit_test(another_query_is_another_token),
	    cmocka_unit_test(what_the_signer_does_not_take_is_not_answered),
	    cmocka_unit_test(failure_is_not_kept),
	    cmocka_unit_test(token_that_was_revoked_comes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
