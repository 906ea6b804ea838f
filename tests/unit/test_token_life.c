/* authserver-token: how long a token has still to live. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "tools/authserver-token/life.h"

enum { NOW = 1700000000 };

static int
read_claims(struct life *l, const char *claims)
{
	static const char header[] = "{\"alg\":\"RS512\"}";
	struct error e;
	struct buffer b;
	int rc;

	buffer_init(&b, LIMIT_TOKEN);
	assert_int_equal(base64url_append(&b, header, strlen(header)), 0);
	assert_int_equal(buffer_append(&b, ".", 1), 0);
	assert_int_equal(base64url_append(&b, claims, strlen(claims)), 0);
	assert_int_equal(buffer_append(&b, ".c2ln", 5), 0);
	rc = life_read(l, b.data, b.length, &e);
	buffer_free(&b);
	if (rc == -1)
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
	return rc;
}

static void
what_a_token_says_of_its_times_is_read(void **state)
{
	char name[LIMIT_PRINCIPAL], claims[LIMIT_PRINCIPAL + 32];
	struct life l;

	(void)state;
	assert_int_equal(read_claims(&l, "{\"sub\":\"alice\",\"iat\":5,\"exp\":9}"), 0);
	assert_true(l.ends && l.dated);
	assert_int_equal(l.expires, 9);
	assert_int_equal(l.issued, 5);
	assert_string_equal(l.subject, "alice");
	memset(name, 'a', sizeof(name));
	(void)snprintf(claims, sizeof(claims), "{\"sub\":\"%.*s\"}", LIMIT_PRINCIPAL, name);
	assert_int_equal(read_claims(&l, claims), 0);
	assert_string_equal(l.subject, "");
	assert_int_equal(read_claims(&l, "{\"sub\":7}"), 0);
	assert_false(l.ends || l.dated);
	assert_string_equal(l.subject, "");
}

static void
what_is_no_token_is_refused(void **state)
{
	static const char *const texts[] = {"", "eyJ", "a.b", "a.b.c",
	    "eyJhbGciOiJSUzUxMiJ9.e30.", "eyJhbGciOiJSUzUxMiJ9.e30.a\nb",
	    "eyJhbGciOiJSUzUxMiJ9.e30.a b", "eyJhbGciOiJSUzUxMiJ9.e30.c2ln\n",
	    "eyJhbGciOiJSUzUxMiJ9.W10.c2ln", "eyJhbGciOiJSUzUxMiJ9.e30.a.b",
	    "/tmp/tokens/alice.1668177993995201518.token"};
	static const char *const claims[] = {"[]", "{\"exp\":\"9\"}", "{\"exp\":9.5}",
	    "{\"exp\":-1}", "{\"iat\":null}", "{\"exp\":1,\"exp\":2}"};
	struct life l;
	struct error e;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(life_read(&l, texts[i], strlen(texts[i]), &e), -1);
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		assert_int_equal(read_claims(&l, claims[i]), -1);
}

static void
token_has_ended_from_its_exp_on(void **state)
{
	struct life l = {.ends = true, .expires = NOW};

	(void)state;
	assert_false(life_ended(&l, NOW - 1));
	assert_true(life_ended(&l, NOW));
	l.ends = false;
	assert_false(life_ended(&l, NOW));
}

static void
kept_token_needs_enough_life(void **state)
{
	static const struct {
		int64_t issued, expires; /* from now on; issued 1: not dated */
		int64_t min_life;
		bool enough;
	} rows[] = {
	    {-3600, 61, 0, true},
	    {-3600, 60, 0, true},
	    {-3600, 59, 0, false},
	    /* A tenth of 100 seconds. */
	    {-90, 10, 0, true},
	    {-91, 9, 0, false},
	    {1, 59, 0, false},
	    {1, 60, 0, true},
	    {-10, 3600, 3600, true},
	    {-10, 3599, 3600, false},
	    {-10, 0, 1, false},
	    {-10, -5, 1, false},
	    /* As short as can be. */
	    {-1, 1, 0, true},
	    {-1, 0, 0, false},
	    /* Of a time to come: our clock was set back. */
	    {600, 7200, 0, true},
	    {601, 7200, 0, false},
	    /* One that ends before it begins. */
	    {300, 100, 0, true},
	    {300, 59, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct life l = {.ends = true,
		    .expires = NOW + rows[i].expires,
		    .dated = rows[i].issued != 1,
		    .issued = NOW + rows[i].issued};

		if (life_enough(&l, NOW, rows[i].min_life) != rows[i].enough)
			fail_msg("row %zu", i);
	}
}

static void
token_that_does_not_say_when_it_ends_is_not_kept(void **state)
{
	const struct life l = {.dated = true, .issued = NOW};

	(void)state;
	assert_false(life_enough(&l, NOW, 0));
	assert_false(life_enough(&l, NOW, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_token_says_of_its_times_is_read),
	    cmocka_unit_test(what_is_no_token_is_refused),
	    cmocka_unit_test(token_has_ended_from_its_exp_on),
	    cmocka_unit_test(kept_token_needs_enough_life),
	    cmocka_unit_test(token_that_does_not_say_when_it_ends_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
