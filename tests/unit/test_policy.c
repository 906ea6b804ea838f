/* identity: the policy file, its grammar and what its rules decide. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "identity/policy.h"
#include "tests/unit/policies.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- the grammar --- */

static void
assert_refused(const char *text, size_t length, const char *reason)
{
	struct policy *p = (struct policy *)(uintptr_t)1;
	struct error e = {0};

	if (policy_parse(&p, text, length, "/etc/rules", &e) != -1)
		fail_msg("accepted: %s", text);
	assert_null(p);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(e.text, reason);
}

static void
rules_that_are_right_are_read(void **state)
{
	static const char *const rules[] = {
	    "",
	    "\n",
	    " \t \n\n",
	    "# nothing but a comment",
	    "   # indented \x80 and not UTF-8",
	    "permit authenticated as self",
	    "permit authenticated as self\n",
	    "permit foo as * ttl 1h",
	    "permit :etl as etl-* svc-* ttl 15m audience okera",
	    "permit any via negotiate as self ttl 8h",
	    "deny any as okera root",
	    "permit anonymous as *",
	    "permit\tfoo\t as\tbar   # why",
	    "permit foo as bar#not-a-comment",
	    "permit foo as a b self c",
	    "permit foo as self live 3 audience a b ttl 1d",
	    "permit foo as self live 1000000",
	    "permit \"John Doe\" as \"John *\"",
	    "permit \"a # b\" as self",
	    "permit :\xc3\xa9quipe as \xc3\xa9*",
	    "deny foo via Basic as self",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++)
		policy_free(policies_parse(rules[i]));
}

#define WHO "who? a name, :GROUP, authenticated, anonymous or any"
#define TTL "'ttl' wants a duration such as 90s, 15m or 24h"
#define LIVE "'live' wants a number from 1 to 1000000"

static void
each_mistake_is_told_with_its_line(void **state)
{
	static const struct {
		const char *rule;
		const char *reason;
	} rows[] = {
	    {"allow foo as self", "'allow': a rule starts with permit or deny"},
	    {"Permit foo as self", "'Permit': a rule starts with permit or deny"},
	    {"\"permit\" foo as self", "'permit': a rule starts with permit or deny"},
	    {"as self", "'as': a rule starts with permit or deny"},
	    {"permit", WHO},
	    {"permit as self", WHO},
	    {"permit via basic as self", WHO},
	    {"deny # any", WHO},
	    {"permit foo", "as whom? 'as self' or 'as PATTERN' is missing"},
	    {"permit foo bar as self", "as whom? 'as self' or 'as PATTERN' is missing"},
	    {"permit foo ttl 1h", "as whom? 'as self' or 'as PATTERN' is missing"},
	    {"permit foo via basic", "as whom? 'as self' or 'as PATTERN' is missing"},
	    {"permit foo \"as\" self", "as whom? 'as self' or 'as PATTERN' is missing"},
	    {"permit foo as", "'as' without a value"},
	    {"permit foo as ttl 1h", "'as' without a value"},
	    {"permit foo via", "'via' without an authentication scheme"},
	    {"permit foo via as self", "'via' without an authentication scheme"},
	    {"permit foo as self as bar",
		"'as': ttl, audience, profile and live are the options"},
	    {"permit foo as self via basic",
		"'via': ttl, audience, profile and live are the options"},
	    {"permit foo as self ttl 1h max 3",
		"'max': ttl, audience, profile and live are the options"},
	    {"permit foo as self live 3 x",
		"'x': ttl, audience, profile and live are the options"},
	    {"deny foo as self ttl 1h", "'ttl': a deny rule has no options"},
	    {"deny foo as * audience okera", "'audience': a deny rule has no options"},
	    {"deny foo as * live 1", "'live': a deny rule has no options"},
	    {"permit foo as self ttl", TTL},
	    {"permit foo as self ttl 0", TTL},
	    {"permit foo as self ttl -1h", TTL},
	    {"permit foo as self ttl 1w", TTL},
	    {"permit foo as self ttl live 3", TTL},
	    {"permit foo as self ttl 99999999999999999999", TTL},
	    {"permit foo as self ttl 1h ttl 1h", "'ttl' twice"},
	    {"permit foo as self live", LIVE},
	    {"permit foo as self live 0", LIVE},
	    {"permit foo as self live 1000001", LIVE},
	    {"permit foo as self live many", LIVE},
	    {"permit foo as self live 1 live 1", "'live' twice"},
	    {"permit foo as self audience", "'audience' without a value"},
	    {"permit foo as self audience ttl 1h", "'audience' without a value"},
	    {"permit foo as self audience a audience b", "'audience' twice"},
	    {"permit \"foo as self", "a quote that is not paired"},
	    {"permit foo as self\"", "a quote that is not paired"},
	    {"permit fo\"o as self", "a quote that is not paired"},
	    {"permit \"foo\"bar as self", "a blank is missing after a quote"},
	    {"permit \"foo\"\"bar\" as self", "a blank is missing after a quote"},
	    {"permit \"foo\"# as self", "a blank is missing after a quote"},
	    {"permit foo as self\r", "control character in a rule"},
	    {"# comment \x1b[2J", "control character in a rule"},
	    {"permit f\x7foo as self", "control character in a rule"},
	    {"permit anonymous as self", "an anonymous caller has no self"},
	    {"permit anonymous as foo self", "an anonymous caller has no self"},
	    {"permit anonymous via basic as *", "nobody is anonymous via a scheme"},
	    {"permit \"\" as self", "an empty name"},
	    {"permit : as self", "an empty name"},
	    {"permit foo as \"\"", "an empty name"},
	    {"permit any via \"\" as *", "an empty name"},
	    {"permit foo as self audience \"\"", "an empty name"},
	    {"permit f\xff as self", "a word that is not UTF-8 or holds a tab"},
	    {"permit \"f\to\" as self", "a word that is not UTF-8 or holds a tab"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[256], reason[256];

		/* What stands before and behind it does not change what is said. */
		(void)snprintf(text, sizeof(text), "# one\n\npermit a as b\n%s\nwrong too\n",
		    rows[i].rule);
		(void)snprintf(reason, sizeof(reason), "/etc/rules:4: %s", rows[i].reason);
		assert_refused(text, strlen(text), reason);
		(void)snprintf(reason, sizeof(reason), "/etc/rules:1: %s", rows[i].reason);
		assert_refused(rows[i].rule, strlen(rows[i].rule), reason);
	}
	assert_refused("permit a as b\0\n", 15, "/etc/rules:1: control character in a rule");
}

static void
bounds_are_told_with_their_line(void **state)
{
	struct buffer text;
	struct policy *p;
	struct error e = {0};

	(void)state;
	buffer_init(&text, LIMIT_POLICY_FILE);
	assert_int_equal(buffer_append(&text, "permit foo as", 13), 0);
	for (int i = 3; i < LIMIT_RULE_WORDS; i++)
		assert_int_equal(buffer_append(&text, " a", 2), 0);
	policy_free(policies_parse(text.data));
	assert_int_equal(buffer_append(&text, " a", 2), 0);
	assert_refused(text.data, text.length, "/etc/rules:1: more than 256 words");

	text.length = 0;
	assert_int_equal(buffer_append(&text, "permit foo as a audience ", 25), 0);
	for (int i = 1; i < LIMIT_AUDIENCE; i++)
		assert_int_equal(buffer_append(&text, "x", 1), 0);
	policy_free(policies_parse(text.data));
	assert_int_equal(buffer_append(&text, "x", 1), 0);
	assert_refused(
	    text.data, text.length, "/etc/rules:1: 'audience' with more than 255 bytes");

	text.length = 0;
	for (int i = 0; i < LIMIT_RULES; i++)
		assert_int_equal(buffer_append(&text, "permit foo as a\n", 16), 0);
	p = policies_parse(text.data);
	assert_int_equal(policy_permit_anonymous(p, &e), -1);
	policy_free(p);
	assert_int_equal(buffer_append(&text, "permit foo as a\n", 16), 0);
	assert_refused(text.data, text.length, "/etc/rules:10001: more than 10000 rules");
	buffer_free(&text);
}

/* --- what the rules decide --- */

static const char by_the_book[] =
    "# action  who             as subject        options\n" /* 1 */
    "permit    authenticated   as self\n"
    "permit    foo             as *              ttl 1h\n"
    "\n"
    "permit    :etl            as etl-* svc-?    ttl 15m audience okera\n"
    "permit    any via negotiate as self         ttl 8h\n" /* 6 */
    "permit    anonymous       as guest\n"
    "permit    \"anonymous\"     as printer\n"
    "permit    \"any\"           as \"self\"\n"
    "permit    \":odd\"          as odder\n"
    "deny      any             as okera root\n"; /* 11 */

static void
last_rule_that_matches_decides(void **state)
{
	static const struct {
		const char *caller;
		const char *groups;
		const char *subject;
		int code;
		const char *where;
	} rows[] = {
	    {"alice", "", "alice", ERROR_NONE, "rules:2"},
	    {"alice", "", "bob", ERROR_DENIED, "no rule of rules"},
	    {"foo", "", "bar", ERROR_NONE, "rules:3"},
	    {"foo", "", "foo", ERROR_NONE, "rules:3"},
	    {"foo", "", "root", ERROR_DENIED, "rules:11"},
	    {"root", "", "root", ERROR_DENIED, "rules:11"},
	    {NULL, "", "root", ERROR_UNAUTHENTICATED, "rules:11"},
	    /* Names are compared to the letter. */
	    {"Foo", "", "bar", ERROR_DENIED, "no rule of rules"},
	    {"fo", "", "bar", ERROR_DENIED, "no rule of rules"},
	    {"foo2", "", "bar", ERROR_DENIED, "no rule of rules"},
	    {"alice", "", "ALICE", ERROR_DENIED, "no rule of rules"},
	    {"foo", "", "Root", ERROR_NONE, "rules:3"},
	    /* Groups too, as a whole and wherever they stand. */
	    {"alice", "etl\n", "etl-a", ERROR_NONE, "rules:5"},
	    {"alice", "users\netl\n", "etl-a", ERROR_NONE, "rules:5"},
	    {"alice", "etl\nusers\n", "svc-1", ERROR_NONE, "rules:5"},
	    {"alice", "etl\n", "svc-12", ERROR_DENIED, "no rule of rules"},
	    {"alice", "etl\n", "alice", ERROR_NONE, "rules:2"},
	    {"alice", "ETL\n", "etl-a", ERROR_DENIED, "no rule of rules"},
	    {"alice", "etl2\nxetl\net\n", "etl-a", ERROR_DENIED, "no rule of rules"},
	    {"etl", "", "etl-a", ERROR_DENIED, "no rule of rules"},
	    {":etl", "", "etl-a", ERROR_DENIED, "no rule of rules"},
	    {NULL, "etl\n", "etl-a", ERROR_UNAUTHENTICATED, "no rule of rules"},
	    /* Schemes have no case. */
	    {"alice/Negotiate", "", "alice", ERROR_NONE, "rules:6"},
	    {"alice/NEGOTIATE", "", "alice", ERROR_NONE, "rules:6"},
	    {"alice/negotiate", "", "bob", ERROR_DENIED, "no rule of rules"},
	    {"alice/negotiate2", "", "alice", ERROR_NONE, "rules:2"},
	    /* A keyword in quotes is a name, and a name is never the absence of one. */
	    {NULL, "", "guest", ERROR_NONE, "rules:7"},
	    {NULL, "", "printer", ERROR_UNAUTHENTICATED, "no rule of rules"},
	    {"anonymous", "", "printer", ERROR_NONE, "rules:8"},
	    {"anonymous", "", "guest", ERROR_DENIED, "no rule of rules"},
	    {NULL, "", "anonymous", ERROR_UNAUTHENTICATED, "no rule of rules"},
	    {"any", "", "self", ERROR_NONE, "rules:9"},
	    {"bob", "", "self", ERROR_DENIED, "no rule of rules"},
	    {":odd", "", "odder", ERROR_NONE, "rules:10"},
	    {"alice", "odd\n", "odder", ERROR_DENIED, "no rule of rules"},
	};
	struct policy *p = policies_parse(by_the_book);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct query q = policies_ask(rows[i].caller, rows[i].groups, rows[i].subject);
		struct grant g;
		struct error e = {0};
		int rc = policy_permit(p, &q, &g, &e);

		if (rc != (rows[i].code == ERROR_NONE ? 0 : -1) || (int)e.code != rows[i].code)
			fail_msg("%s as %s: code %d, %s, %s", q.caller.name, q.subject,
			    (int)e.code, g.where, e.text);
		assert_string_equal(g.where, rows[i].where);
		assert_string_equal(g.subject, rc == 0 ? rows[i].subject : "");
		/* What a client is told holds no place in a file. */
		assert_null(strstr(e.text, "rules"));
	}
	policy_free(p);
}

/* Nobody's name is no name, whatever stands in its place. */
static void
anonymous_caller_has_no_self(void **state)
{
	struct policy *p = policies_parse("permit any as self\n");
	struct query q = policies_ask(NULL, "", "anonymous");
	struct grant g;
	struct error e = {0};

	(void)state;
	assert_int_equal(policy_permit(p, &q, &g, &e), -1);
	assert_int_equal(e.code, ERROR_UNAUTHENTICATED);
	assert_string_equal(g.where, "no rule of rules");
	policy_free(p);
}

static void
options_are_ceilings(void **state)
{
	static const char rules[] = "permit a as self ttl 1h\n"
				    "permit b as self ttl 30d\n"
				    "permit c as self audience okera\n"
				    "permit d as self audience okera trino ttl 5m live 7\n"
				    "permit e as self\n";
	static const struct {
		const char *caller;
		const char *audience;
		int64_t ttl;
		int64_t granted; /* 0: refused */
		unsigned int live;
		const char *text; /* the audience that is granted, or the reason */
	} rows[] = {
	    {"a", "", 0, 3600, 0, ""},
	    {"a", "x", 3600, 3600, 0, "x"},
	    {"a", "", 1, 1, 0, ""},
	    {"a", "", 3601, 0, 0, "ttl is over the limit of 3600 seconds"},
	    /* A rule gives no more than the service does. */
	    {"b", "", 0, 86400, 0, ""},
	    {"b", "", 86401, 0, 0, "ttl is over the limit of 86400 seconds"},
	    {"c", "", 0, 86400, 0, "okera"},
	    {"c", "okera", 0, 86400, 0, "okera"},
	    {"c", "Okera", 0, 0, 0, "this audience is not allowed"},
	    {"c", "trino", 0, 0, 0, "this audience is not allowed"},
	    {"d", "", 0, 0, 0, "name an audience: ?audience=TEXT"},
	    {"d", "okera", 0, 300, 7, "okera"},
	    {"d", "trino", 299, 299, 7, "trino"},
	    {"d", "trino", 301, 0, 0, "ttl is over the limit of 300 seconds"},
	    {"d", "tr", 0, 0, 0, "this audience is not allowed"},
	    {"e", "anything", 0, 86400, 0, "anything"},
	};
	struct policy *p = policies_parse(rules);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct query q = policies_ask(rows[i].caller, "", rows[i].caller);
		struct grant g;
		struct error e = {0};
		int rc;

		q.lifetime = rows[i].ttl;
		(void)snprintf(q.audience, sizeof(q.audience), "%s", rows[i].audience);
		rc = policy_permit(p, &q, &g, &e);
		assert_int_equal(rc, rows[i].granted != 0 ? 0 : -1);
		assert_int_equal(g.lifetime, rows[i].granted);
		assert_int_equal(g.live, rows[i].live);
		assert_string_equal(rc == 0 ? g.audience : e.text, rows[i].text);
		assert_memory_equal(g.where, "rules:", 6);
		if (rc == 0)
			continue;
		assert_int_equal(e.code, ERROR_DENIED);
		assert_string_equal(g.subject, "");
		assert_string_equal(g.audience, "");
	}
	policy_free(p);
}

/* The rule that decides is the last one, also where an earlier one would give more. */
static void
a_narrow_rule_behind_a_wide_one_narrows(void **state)
{
	struct policy *p = policies_parse("permit a as *\npermit a as b ttl 1m\n");
	struct query q = policies_ask("a", "", "b");
	struct grant g;
	struct error e = {0};

	(void)state;
	assert_int_equal(policy_permit(p, &q, &g, &e), 0);
	assert_int_equal(g.lifetime, 60);
	assert_string_equal(g.actor, "a");
	q.lifetime = 61;
	assert_int_equal(policy_permit(p, &q, &g, &e), -1);
	assert_string_equal(g.where, "rules:2");
	policy_free(p);
}

static void
groups_are_needed_where_a_rule_asks_for_them(void **state)
{
	static const struct {
		const char *rules;
		bool needed;
	} rows[] = {
	    {"", false},
	    {"permit foo as self", false},
	    {"permit \":etl\" as self", false},
	    {"permit foo as :etl", false},
	    {"permit :etl as self", true},
	    {"deny :etl as *\npermit foo as self", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p = policies_parse(rows[i].rules);

		assert_int_equal(policy_needs_groups(p, VERB_AS), rows[i].needed);
		assert_false(policy_needs_groups(p, VERB_GROUPS_OF));
		policy_free(p);
	}
}

/* --- the file --- */

static void
file_that_others_may_write_is_refused(void **state)
{
	static const struct {
		mode_t mode;
		bool refused;
	} rows[] = {{0600, false}, {0644, false}, {0620, true}, {0602, true}, {0666, true}};
	static const char rules[] = "permit a as self\n";
	char path[] = "/tmp/test_policy.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, rules, sizeof(rules) - 1), sizeof(rules) - 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p;
		struct error e = {0};

		assert_int_equal(fchmod(fd, rows[i].mode), 0);
		assert_int_equal(policy_read(&p, path, &e), rows[i].refused ? -1 : 0);
		if (rows[i].refused) {
			assert_null(p);
			assert_int_equal(e.code, ERROR_CONFIG);
			assert_non_null(strstr(e.text, "others may write it"));
			assert_non_null(strstr(e.text, path));
		}
		policy_free(p);
	}
	close(fd);
	unlink(path);
}

static void
configuration_names_the_file_and_the_limit(void **state)
{
	static const char rules[] = "\npermit a as self ttl 2h\n";
	char path[] = "/tmp/test_policy.XXXXXX";
	char where[64];
	int fd = mkstemp(path);
	struct query q = policies_ask("a", "", "a");
	struct config c;
	struct policy *p;
	struct grant g;
	struct error e = {0};

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, rules, sizeof(rules) - 1), sizeof(rules) - 1);
	close(fd);
	assert_int_equal(config_init(&c, &e), 0);
	assert_int_equal(config_set(&c, "policy", path, "test", &e), 0);
	assert_int_equal(config_set(&c, "lifetime", "1h", "test", &e), 0);
	assert_int_equal(policy_open(&p, &c, &e), 0);
	assert_int_equal(policy_permit(p, &q, &g, &e), 0);
	assert_int_equal(g.lifetime, 3600);
	(void)snprintf(where, sizeof(where), "%s:2", path);
	assert_string_equal(g.where, where);
	/* The built-in rules are no part of a file's. */
	q = policies_ask("b", "", "b");
	assert_int_equal(policy_permit(p, &q, &g, &e), -1);
	policy_free(p);
	unlink(path);
	assert_int_equal(policy_open(&p, &c, &e), -1);
	assert_int_equal(e.code, ERROR_NO_INPUT);
	assert_null(p);
	assert_int_equal(config_set(&c, "policy", "relative", "test", &e), -1);
	config_free(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rules_that_are_right_are_read),
	    cmocka_unit_test(each_mistake_is_told_with_its_line),
	    cmocka_unit_test(bounds_are_told_with_their_line),
	    cmocka_unit_test(last_rule_that_matches_decides),
	    cmocka_unit_test(anonymous_caller_has_no_self),
	    cmocka_unit_test(options_are_ceilings),
	    cmocka_unit_test(a_narrow_rule_behind_a_wide_one_narrows),
	    cmocka_unit_test(groups_are_needed_where_a_rule_asks_for_them),
	    cmocka_unit_test(file_that_others_may_write_is_refused),
	    cmocka_unit_test(configuration_names_the_file_and_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
