/* identity: rules that let callers read the groups of users. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "identity/policy.h"
#include "tests/unit/policies.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- the grammar --- */

static void
rules_that_are_right_are_read(void **state)
{
	static const char *const rules[] = {
	    "permit svc groups-of *",
	    "permit svc groups-of alice bob etl-*",
	    "permit authenticated groups-of self",
	    "permit authenticated groups-of bob self carol",
	    "permit :etl via Basic groups-of \"John *\"",
	    "permit anonymous groups-of guest",
	    "permit any groups-of \"groups-of\" \"self\"",
	    "deny any groups-of okera root   # nobody reads these",
	    "deny svc via negotiate groups-of self",
	    "permit \"groups-of\" groups-of x",
	    "permit svc as \"groups-of\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++)
		policy_free(policies_parse(rules[i]));
}

static void
each_mistake_is_told(void **state)
{
	static const struct {
		const char *rule;
		const char *reason;
	} rows[] = {
	    {"permit svc groups-of", "'groups-of' without a value"},
	    {"permit svc groups-of as x", "'groups-of' without a value"},
	    {"permit svc groups-of groups-of", "'groups-of' without a value"},
	    {"permit svc as groups-of", "'as' without a value"},
	    {"permit svc via groups-of x", "'via' without an authentication scheme"},
	    {"permit groups-of x", "who? a name, :GROUP, authenticated, anonymous or any"},
	    {"groups-of x", "'groups-of': a rule starts with permit or deny"},
	    {"permit svc \"groups-of\" x", "as whom? 'as self' or 'as PATTERN' is missing"},
	    {"permit svc groups-of \"\"", "an empty name"},
	    {"permit anonymous groups-of self", "an anonymous caller has no self"},
	    {"permit anonymous groups-of x self", "an anonymous caller has no self"},
	    /* Nothing is issued that could have limits. */
	    {"permit svc groups-of * ttl 1h", "'ttl': a groups-of rule has no options"},
	    {"permit svc groups-of * live 1", "'live': a groups-of rule has no options"},
	    {"permit svc groups-of * audience x",
		"'audience': a groups-of rule has no options"},
	    {"permit svc groups-of * profile x", "'profile': a groups-of rule has no options"},
	    {"deny svc groups-of * ttl 1h", "'ttl': a deny rule has no options"},
	    /* A rule is about one thing. */
	    {"permit svc groups-of a groups-of b",
		"'groups-of': a groups-of rule has no options"},
	    {"permit svc groups-of a as b", "'as': a groups-of rule has no options"},
	    {"permit svc as a groups-of b",
		"'groups-of': ttl, audience, profile and live are the options"},
	    {"deny svc groups-of a groups-of b", "'groups-of': a deny rule has no options"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char reason[256];
		struct policy *p;
		struct error e = {0};

		(void)snprintf(reason, sizeof(reason), "rules:1: %s", rows[i].reason);
		if (policy_parse(&p, rows[i].rule, strlen(rows[i].rule), "rules", &e) != -1)
			fail_msg("accepted: %s", rows[i].rule);
		assert_null(p);
		assert_int_equal(e.code, ERROR_CONFIG);
		assert_string_equal(e.text, reason);
	}
}

/* --- what the rules decide --- */

static const char mixed[] = "permit authenticated as self\n" /* 1 */
			    "permit authenticated groups-of self\n"
			    "permit svc           groups-of *\n"
			    "permit admin         as *\n"
			    "permit :etl          groups-of etl-? self\n" /* 5 */
			    "permit anonymous     groups-of guest\n"
			    "permit any via other groups-of *\n"
			    "deny   any           groups-of root\n"
			    "deny   any           as svc\n"
			    "permit audit         groups-of root\n"; /* 10 */

static void
last_rule_about_groups_that_matches_decides(void **state)
{
	static const struct {
		const char *caller;
		const char *groups;
		const char *user;
		int code;
		const char *where;
	} rows[] = {
	    {"svc", "", "bob", ERROR_NONE, "rules:3"},
	    {"svc", "", "root", ERROR_DENIED, "rules:8"},
	    {"audit", "", "root", ERROR_NONE, "rules:10"},
	    {"audit", "", "bob", ERROR_DENIED, "no rule of rules"},
	    {"alice", "", "alice", ERROR_NONE, "rules:2"},
	    {"alice", "", "bob", ERROR_DENIED, "no rule of rules"},
	    {"root", "", "root", ERROR_DENIED, "rules:8"},
	    {"svc", "", "svc", ERROR_NONE, "rules:3"},
	    {"alice", "etl\n", "etl-a", ERROR_NONE, "rules:5"},
	    {"alice", "etl\n", "alice", ERROR_NONE, "rules:5"},
	    {"alice", "etl\n", "etl-ab", ERROR_DENIED, "no rule of rules"},
	    {"alice", NULL, "etl-a", ERROR_DENIED, "no rule of rules"},
	    {NULL, "", "guest", ERROR_NONE, "rules:6"},
	    {NULL, "", "bob", ERROR_UNAUTHENTICATED, "no rule of rules"},
	    {NULL, "etl\n", "etl-a", ERROR_UNAUTHENTICATED, "no rule of rules"},
	    {NULL, "", "root", ERROR_UNAUTHENTICATED, "rules:8"},
	    /* Who may have tokens for all may not read all. */
	    {"admin", "", "bob", ERROR_DENIED, "no rule of rules"},
	};
	struct policy *p = policies_parse(mixed);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct query q = policies_ask(rows[i].caller, rows[i].groups, rows[i].user);
		const char *where = NULL;
		struct error e = {0};
		int rc = policy_permit_groups(p, &q, &where, &e);

		if (rc != (rows[i].code == ERROR_NONE ? 0 : -1) || (int)e.code != rows[i].code)
			fail_msg("row %zu: code %d, %s, %s", i, (int)e.code, where, e.text);
		assert_string_equal(where, rows[i].where);
		/* What a client is told holds no place in a file. */
		assert_null(strstr(e.text, "rules"));
	}
	policy_free(p);
}

static void
rule_about_groups_gives_no_token(void **state)
{
	static const struct {
		const char *caller;
		const char *subject;
		bool ok;
		const char *where;
	} rows[] = {
	    {"svc", "bob", false, "no rule of rules"},
	    {"svc", "svc", false, "rules:9"},
	    {"alice", "alice", true, "rules:1"},
	    {"audit", "root", false, "no rule of rules"},
	    {"admin", "root", true, "rules:4"},
	    {NULL, "guest", false, "no rule of rules"},
	};
	struct policy *p = policies_parse(mixed);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct query q = policies_ask(rows[i].caller, "", rows[i].subject);
		struct grant g;
		struct error e = {0};

		if (policy_permit(p, &q, &g, &e) != (rows[i].ok ? 0 : -1))
			fail_msg("row %zu: %s, %s", i, g.where, e.text);
		assert_string_equal(g.where, rows[i].where);
	}
	policy_free(p);
}

static void
refusal_says_what_may_not_be_read(void **state)
{
	struct policy *p = policies_parse("");
	struct query q = policies_ask("alice", "", "bob");
	const char *where;
	struct error e = {0};

	(void)state;
	assert_int_equal(policy_permit_groups(p, &q, &where, &e), -1);
	assert_string_equal(e.text, "alice may not read the groups of bob");
	policy_free(p);
}

/* What permit-anonymous gives are tokens. */
static void
anonymous_callers_with_tokens_read_no_groups(void **state)
{
	struct policy *p = policies_parse("permit any as self");
	struct query q = policies_ask(NULL, "", "bob");
	const char *where;
	struct error e = {0};

	(void)state;
	assert_int_equal(policy_permit_anonymous(p, &e), 0);
	assert_int_equal(policy_permit_groups(p, &q, &where, &e), -1);
	assert_int_equal(e.code, ERROR_UNAUTHENTICATED);
	policy_free(p);
}

static void
groups_are_served_where_a_rule_lets_somebody_read_them(void **state)
{
	static const struct {
		const char *rules;
		bool served;
	} rows[] = {
	    {"", false},
	    {"permit any as *", false},
	    {"permit :etl as self", false},
	    {"permit any as \"groups-of\"", false},
	    {"deny any groups-of *", false},
	    {"permit svc groups-of bob", true},
	    {"permit svc groups-of bob\ndeny any groups-of *\n", true},
	    {"permit a as b\npermit svc groups-of self\npermit c as d\n", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = policies_parse(rows[i].rules);

		if (policy_serves_groups(p) != rows[i].served)
			fail_msg("%s", rows[i].rules);
		policy_free(p);
	}
}

static void
group_of_a_rule_about_groups_must_be_known_for_that_alone(void **state)
{
	struct policy *p = policies_parse("permit :etl groups-of *");

	(void)state;
	assert_true(policy_needs_groups(p, VERB_GROUPS_OF));
	assert_false(policy_needs_groups(p, VERB_AS));
	policy_free(p);
	p = policies_parse("permit svc groups-of *");
	assert_false(policy_needs_groups(p, VERB_GROUPS_OF));
	policy_free(p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rules_that_are_right_are_read),
	    cmocka_unit_test(each_mistake_is_told),
	    cmocka_unit_test(last_rule_about_groups_that_matches_decides),
	    cmocka_unit_test(rule_about_groups_gives_no_token),
	    cmocka_unit_test(refusal_says_what_may_not_be_read),
	    cmocka_unit_test(anonymous_callers_with_tokens_read_no_groups),
	    cmocka_unit_test(groups_are_served_where_a_rule_lets_somebody_read_them),
	    cmocka_unit_test(group_of_a_rule_about_groups_must_be_known_for_that_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
