/* identity: callers whom no web server authenticated, but we. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "identity/principal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
a_web_server_may_not_name_a_scheme_of_ours(void **state)
{
	static const struct {
		const char *scheme;
		bool ours;
	} rows[] = {
	    {"peer", true},
	    {"PEER", true},
	    {"password", true},
	    {"Password", true},
	    {"keep", true},
	    {"token:", true},
	    {"Token:https://first.example", true},
	    {"token", false},
	    {"peers", false},
	    {"pass", false},
	    {"Basic", false},
	};
	const struct strings none = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct principal p;
		struct error e = {0};
		int rc = principal_read(&p, "alice", rows[i].scheme, &none, &e);

		if (rc != (rows[i].ours ? -1 : 0))
			fail_msg("%s: %s", rows[i].scheme, e.text);
		assert_int_equal(e.code, rows[i].ours ? ERROR_MALFORMED : ERROR_NONE);
		assert_int_equal(principal_authenticated(&p), !rows[i].ours);
	}
}

typedef int maker(struct principal *p, const char *name, struct error *e);

static int
of_token(struct principal *p, const char *name, struct error *e)
{
	return principal_token(p, name, "elsewhere", NULL, e);
}

static const struct {
	maker *make;
	const char *scheme;
} makers[] = {
    {principal_peer, "peer"},
    {principal_password, "password"},
    {principal_keep, "keep"},
    {of_token, "token:elsewhere"},
};

static void
names_of_ours_are_whole_and_have_a_scheme_of_ours(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(makers); i++) {
		struct principal p;
		struct error e = {0};

		/* No realm is cut of it: nobody says that it is one. */
		assert_int_equal(makers[i].make(&p, "alice@A.EXAMPLE", &e), 0);
		assert_string_equal(p.name, "alice@A.EXAMPLE");
		assert_string_equal(p.scheme, makers[i].scheme);
		assert_true(principal_authenticated(&p));
	}
}

static void
names_of_ours_that_could_not_stand_in_a_log_are_nobody(void **state)
{
	char longest[LIMIT_PRINCIPAL + 1];
	const char *const rows[] = {"", "a\nb", "a\xff", longest};

	(void)state;
	memset(longest, 'a', LIMIT_PRINCIPAL);
	longest[LIMIT_PRINCIPAL] = '\0';
	for (size_t i = 0; i < COUNT(makers) * COUNT(rows); i++) {
		struct principal p;
		struct error e = {0};

		assert_int_equal(
		    makers[i / COUNT(rows)].make(&p, rows[i % COUNT(rows)], &e), -1);
		assert_int_equal(e.code, ERROR_MALFORMED);
		assert_string_equal(p.name, "anonymous");
		assert_false(principal_authenticated(&p));
	}
	longest[LIMIT_PRINCIPAL - 1] = '\0';
	for (size_t i = 0; i < COUNT(makers); i++) {
		struct principal p;
		struct error e = {0};

		assert_int_equal(makers[i].make(&p, longest, &e), 0);
		assert_string_equal(p.name, longest);
	}
}

static void
a_party_with_a_realm_vouches_for_its_own_users_alone(void **state)
{
	static const struct {
		const char *user;
		enum error_code code;
		const char *name;
	} rows[] = {
	    {"alice@A.EXAMPLE", ERROR_NONE, "alice"},
	    {"alice@b@A.EXAMPLE", ERROR_NONE, "alice@b"},
	    {"alice", ERROR_DENIED, NULL},
	    {"alice@", ERROR_DENIED, NULL},
	    {"alice@a.example", ERROR_DENIED, NULL},
	    {"alice@B.EXAMPLE", ERROR_DENIED, NULL},
	    {"alice@A.EXAMPLE@B.EXAMPLE", ERROR_DENIED, NULL},
	    {"@A.EXAMPLE", ERROR_MALFORMED, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct principal p = {0};
		struct error e = {0};

		(void)principal_token(&p, rows[i].user, "elsewhere", "A.EXAMPLE", &e);
		if (e.code != rows[i].code)
			fail_msg("%s: %s", rows[i].user, e.text);
		assert_int_equal(principal_authenticated(&p), rows[i].name != NULL);
		if (rows[i].name != NULL)
			assert_string_equal(p.name, rows[i].name);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_web_server_may_not_name_a_scheme_of_ours),
	    cmocka_unit_test(names_of_ours_are_whole_and_have_a_scheme_of_ours),
	    cmocka_unit_test(names_of_ours_that_could_not_stand_in_a_log_are_nobody),
	    cmocka_unit_test(a_party_with_a_realm_vouches_for_its_own_users_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
