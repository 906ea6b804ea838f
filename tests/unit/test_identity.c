/* identity: who is asking, for which subjects, and what the built-in policy gives. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "identity/policy.h"
#include "identity/principal.h"
#include "identity/subject.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char realm_one[] = "EXAMPLE.COM";
static char realm_two[] = "other.example.com";
static char *realm_items[] = {realm_one, realm_two};
static const struct strings realms = {realm_items, 2};
static const struct strings no_realms = {NULL, 0};

/* --- principal --- */

static const struct principal_row {
	const char *user;
	const char *scheme;
	int code; /* ERROR_NONE: accepted */
	const char *name;
} principals[] = {
    /* REMOTE_USER counts only beside AUTH_TYPE */
    {NULL, NULL, ERROR_NONE, "anonymous"},
    {"", "", ERROR_NONE, "anonymous"},
    {"alice", NULL, ERROR_NONE, "anonymous"},
    {"alice", "", ERROR_NONE, "anonymous"},
    {"root", "", ERROR_NONE, "anonymous"},
    {"alice@EVIL.COM", "", ERROR_NONE, "anonymous"},
    {"alice", "Basic", ERROR_NONE, "alice"},
    {"alice", "Negotiate", ERROR_NONE, "alice"},
    {NULL, "Basic", ERROR_UNAUTHENTICATED, NULL},
    {"", "Basic", ERROR_UNAUTHENTICATED, NULL},
    /* nothing is folded or cut */
    {"Alice", "Basic", ERROR_NONE, "Alice"},
    {" alice ", "Basic", ERROR_NONE, " alice "},
    {"CN=alice,O=Example", "Basic", ERROR_NONE, "CN=alice,O=Example"},
    {"J\xc3\xb6rg", "Basic", ERROR_NONE, "J\xc3\xb6rg"},
    /* realms */
    {"alice@EXAMPLE.COM", "Negotiate", ERROR_NONE, "alice"},
    {"alice@other.example.com", "Negotiate", ERROR_NONE, "alice"},
    {"alice@EVIL.COM", "Negotiate", ERROR_DENIED, NULL},
    {"alice@example.com", "Negotiate", ERROR_DENIED, NULL},
    {"alice@EXAMPLE.COM.", "Negotiate", ERROR_DENIED, NULL},
    {"alice@EXAMPLE.CO", "Negotiate", ERROR_DENIED, NULL},
    {"alice@", "Negotiate", ERROR_DENIED, NULL},
    {"alice@EXAMPLE.COM@EVIL.COM", "Negotiate", ERROR_DENIED, NULL},
    {"alice@EVIL.COM@EXAMPLE.COM", "Negotiate", ERROR_NONE, "alice@EVIL.COM"},
    {"host/a.example.com@EXAMPLE.COM", "Negotiate", ERROR_NONE, "host/a.example.com"},
    {"@EXAMPLE.COM", "Negotiate", ERROR_UNAUTHENTICATED, NULL},
    /* control bytes */
    {"alice\n", "Basic", ERROR_MALFORMED, NULL},
    {"\talice", "Basic", ERROR_MALFORMED, NULL},
    {"al\x01ice", "Basic", ERROR_MALFORMED, NULL},
    {"alice\x7f", "Basic", ERROR_MALFORMED, NULL},
    {"alice", "Basic\n", ERROR_MALFORMED, NULL},
    {"alice\n@EXAMPLE.COM", "Basic", ERROR_MALFORMED, NULL},
};

static void
principals_are_read_by_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(principals); i++) {
		const struct principal_row *row = &principals[i];
		struct principal p;
		struct error e = {0};
		int rc = principal_read(&p, row->user, row->scheme, &realms, &e);
		bool known = row->name != NULL && strcmp(row->name, "anonymous") != 0;

		if (rc != (row->code == ERROR_NONE ? 0 : -1) || (int)e.code != row->code)
			fail_msg("row %zu: %d, code %d: %s", i, rc, (int)e.code, e.text);
		if (row->name != NULL)
			assert_string_equal(p.name, row->name);
		assert_int_equal(principal_authenticated(&p), known);
		assert_string_equal(p.scheme, known ? row->scheme : "");
	}
}

static void
every_realm_is_foreign_unless_one_is_listed(void **state)
{
	struct principal p;
	struct error e = {0};

	(void)state;
	assert_int_equal(
	    principal_read(&p, "alice@EXAMPLE.COM", "Negotiate", &no_realms, &e), -1);
	assert_int_equal(e.code, ERROR_DENIED);
	assert_string_equal(e.text, "users of the realm 'EXAMPLE.COM' are not served");
	assert_false(principal_authenticated(&p));
	assert_int_equal(principal_read(&p, "alice", "Negotiate", &no_realms, &e), 0);
	assert_string_equal(p.name, "alice");
}

static void
long_names_are_refused_and_never_cut(void **state)
{
	char user[LIMIT_PRINCIPAL + 1];
	char scheme[LIMIT_AUTH_TYPE + 1];
	struct principal p;
	struct error e = {0};

	(void)state;
	memset(user, 'a', sizeof(user));
	memset(scheme, 'b', sizeof(scheme));
	user[LIMIT_PRINCIPAL] = '\0';
	assert_int_equal(principal_read(&p, user, "Basic", &realms, &e), -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
	user[LIMIT_PRINCIPAL - 1] = '\0';
	assert_int_equal(principal_read(&p, user, "Basic", &realms, &e), 0);
	assert_string_equal(p.name, user);
	scheme[LIMIT_AUTH_TYPE] = '\0';
	assert_int_equal(principal_read(&p, "alice", scheme, &realms, &e), -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
	scheme[LIMIT_AUTH_TYPE - 1] = '\0';
	assert_int_equal(principal_read(&p, "alice", scheme, &realms, &e), 0);
	assert_string_equal(p.scheme, scheme);
}

/* --- subject --- */

static struct subject_grammar *
grammar(const char *pattern)
{
	struct subject_grammar *g;
	struct error e = {0};

	if (subject_grammar_new(&g, pattern, &e) == -1)
		fail_msg("%s", e.text);
	return g;
}

#define ANYTHING "(.|[^a])*"

static const struct {
	const char *subject;
	bool by_default;
	bool by_anything; /* with a pattern that any text matches */
} subjects[] = {
    {"alice", true, true},
    {"a", true, true},
    {"_", true, true},
    {"0", true, true},
    {"A-Z.a_z@0+9", true, true},
    {"alice@EXAMPLE.COM", true, true},
    {"a.1700000000000000000", true, true},
    {"a..", true, true},
    {"...", false, true},
    {".a", false, true},
    {"-a", false, true},
    {"@a", false, true},
    {"+a", false, true},
    {"John Doe", false, true},
    {" a", false, true},
    {"a ", false, true},
    {"a*", false, true},
    {"a%2f", false, true},
    {"a\\b", false, true},
    {"a:b", false, true},
    {"$(id)", false, true},
    {"*)(uid=*", false, true},
    {"J\xc3\xb6rg", false, true},
    {"\xf0\x9f\x94\x91", false, true},
    /* never, whatever the pattern says */
    {"", false, false},
    {".", false, false},
    {"..", false, false},
    {"/", false, false},
    {"a/b", false, false},
    {"../a", false, false},
    {"a\n", false, false},
    {"\ta", false, false},
    {"a\x01", false, false},
    {"a\x1b[2J", false, false},
    {"a\x7f", false, false},
    {"a\xff", false, false},
    {"\xc3", false, false},
    {"\xc0\xaf", false, false},     /* an overlong slash */
    {"\xed\xa0\x80", false, false}, /* a surrogate */
    {"\xf4\x90\x80\x80", false, false},
};

static void
subjects_are_judged_by_the_table(void **state)
{
	struct subject_grammar *narrow = grammar(NULL);
	struct subject_grammar *wide = grammar(ANYTHING);

	(void)state;
	for (size_t i = 0; i < COUNT(subjects); i++) {
		struct error e = {0};
		int rc = subject_check(narrow, subjects[i].subject, &e);

		if (rc != (subjects[i].by_default ? 0 : -1))
			fail_msg("row %zu: %d", i, rc);
		assert_int_equal(e.code, subjects[i].by_default ? ERROR_NONE : ERROR_MALFORMED);
		rc = subject_check(wide, subjects[i].subject, &e);
		if (rc != (subjects[i].by_anything ? 0 : -1))
			fail_msg("row %zu with a pattern: %d", i, rc);
	}
	subject_grammar_free(narrow);
	subject_grammar_free(wide);
}

static void
subject_has_at_most_128_bytes(void **state)
{
	struct subject_grammar *narrow = grammar(NULL);
	struct subject_grammar *wide = grammar(ANYTHING);
	char subject[130];
	struct error e = {0};

	(void)state;
	memset(subject, 'a', sizeof(subject));
	subject[129] = '\0';
	assert_int_equal(subject_check(narrow, subject, &e), -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
	assert_string_equal(e.text, "the subject is longer than 128 bytes");
	assert_int_equal(subject_check(wide, subject, &e), -1);
	subject[128] = '\0';
	assert_int_equal(subject_check(narrow, subject, &e), 0);
	assert_int_equal(subject_check(wide, subject, &e), 0);
	subject_grammar_free(narrow);
	subject_grammar_free(wide);
}

static void
pattern_widens_the_grammar_and_matches_the_whole_subject(void **state)
{
	static const struct {
		const char *pattern;
		const char *subject;
		bool allowed;
	} rows[] = {
	    {"[A-Z][a-z]+ [A-Z][a-z]+", "John Doe", true},
	    {"[A-Z][a-z]+ [A-Z][a-z]+", "John Doe II", false},
	    {"[A-Z][a-z]+ [A-Z][a-z]+", "my John Doe", false},
	    {"[A-Z][a-z]+ [A-Z][a-z]+", "alice", true}, /* the grammar still holds */
	    {"a b|c d", "a b", true},
	    {"a b|c d", "c d", true},
	    {"a b|c d", "a bx", false},
	    {"a b|c d", "xc d", false},
	    {"a|a b", "a b", true}, /* whichever alternative comes first */
	    {"^a b$", "a b", true},
	    {"a b", "a b\nx", false},
	    {"", "a b", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct subject_grammar *g = grammar(rows[i].pattern);
		struct error e = {0};

		if (subject_check(g, rows[i].subject, &e) != (rows[i].allowed ? 0 : -1))
			fail_msg("'%s' by '%s'", rows[i].subject, rows[i].pattern);
		subject_grammar_free(g);
	}
}

static void
pattern_that_is_wrong_is_told(void **state)
{
	static const char *const rows[] = {"(", "[a", "a{2,1}", "a)(b", "a)|(b"};
	struct subject_grammar *g = NULL;
	struct error e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		e = (struct error){0};
		if (subject_grammar_new(&g, rows[i], &e) != -1)
			fail_msg("'%s' was accepted", rows[i]);
		assert_null(g);
		assert_int_equal(e.code, ERROR_CONFIG);
		assert_memory_equal(e.text, "subject-pattern: ", 17);
	}
	subject_grammar_free(NULL);
}

/* --- the built-in policy --- */

static struct query
ask(const char *caller, const char *subject, int64_t lifetime)
{
	struct query q = {.lifetime = lifetime};

	(void)snprintf(
	    q.caller.name, sizeof(q.caller.name), "%s", caller != NULL ? caller : "anonymous");
	if (caller != NULL)
		(void)snprintf(q.caller.scheme, sizeof(q.caller.scheme), "Basic");
	(void)snprintf(q.subject, sizeof(q.subject), "%s", subject);
	(void)snprintf(q.audience, sizeof(q.audience), "okera");
	return q;
}

static struct policy *
builtin(bool permit_anonymous, int64_t lifetime)
{
	struct policy *p;
	struct error e = {0};

	if (policy_builtin(&p, &e) == -1 ||
	    (permit_anonymous && policy_permit_anonymous(p, &e) == -1))
		fail_msg("%s", e.text);
	policy_set_limits(p, lifetime, NULL);
	return p;
}

static struct policy *
parse(const char *text)
{
	struct policy *p;
	struct error e = {0};

	if (policy_parse(&p, text, strlen(text), "rules", &e) == -1)
		fail_msg("%s", e.text);
	policy_set_limits(p, 60, NULL);
	return p;
}

#define SELF "built-in policy:1"
#define ROOT "built-in policy:2"
#define NONE "no rule of built-in policy"
#define OPEN "permit-anonymous"

static const struct policy_row {
	const char *caller; /* NULL: anonymous */
	const char *subject;
	int closed; /* the code, ERROR_NONE for a grant, without permit-anonymous */
	int open;   /* and with it */
	const char *where;
	const char *where_open; /* NULL: the same */
} verdicts[] = {
    {"alice", "alice", ERROR_NONE, ERROR_NONE, SELF, NULL},
    {"alice", "bob", ERROR_DENIED, ERROR_DENIED, NONE, NULL},
    {"alice", "Alice", ERROR_DENIED, ERROR_DENIED, NONE, NULL},
    {"alice", "alice ", ERROR_DENIED, ERROR_DENIED, NONE, NULL},
    {"alice", "alic", ERROR_DENIED, ERROR_DENIED, NONE, NULL},
    {"alice", "", ERROR_DENIED, ERROR_DENIED, NONE, NULL},
    {"*", "alice", ERROR_DENIED, ERROR_DENIED, NONE, NULL},
    {"alice", "root", ERROR_DENIED, ERROR_DENIED, ROOT, NULL},
    {"root", "root", ERROR_DENIED, ERROR_DENIED, ROOT, NULL},
    {"okera", "okera", ERROR_DENIED, ERROR_DENIED, ROOT, NULL},
    {"root", "alice", ERROR_DENIED, ERROR_DENIED, NONE, NULL},
    {"rooty", "rooty", ERROR_NONE, ERROR_NONE, SELF, NULL},
    /* A user of that name is a user; who is anonymous has no AUTH_TYPE. */
    {"anonymous", "anonymous", ERROR_NONE, ERROR_NONE, SELF, NULL},
    {"anonymous", "alice", ERROR_DENIED, ERROR_DENIED, NONE, NULL},
    {NULL, "alice", ERROR_UNAUTHENTICATED, ERROR_NONE, NONE, OPEN},
    {NULL, "anonymous", ERROR_UNAUTHENTICATED, ERROR_NONE, NONE, OPEN},
    {NULL, "", ERROR_UNAUTHENTICATED, ERROR_NONE, NONE, OPEN},
    {NULL, "root", ERROR_UNAUTHENTICATED, ERROR_NONE, ROOT, OPEN},
};

static void
policy_decides_by_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(verdicts); i++) {
		const struct policy_row *row = &verdicts[i / 2];
		bool open = i % 2 != 0;
		struct policy *p = builtin(open, 86400);
		int code = open ? row->open : row->closed;
		struct query q = ask(row->caller, row->subject, 0);
		struct grant g;
		struct error e = {0};
		int rc = policy_permit(p, &q, &g, &e);

		if (rc != (code == ERROR_NONE ? 0 : -1) || (int)e.code != code)
			fail_msg("%s as %s: code %d, %s", q.caller.name, row->subject,
			    (int)e.code, e.text);
		assert_string_equal(
		    g.where, open && row->where_open != NULL ? row->where_open : row->where);
		assert_string_equal(g.subject, rc == 0 ? row->subject : "");
		assert_string_equal(g.audience, rc == 0 ? "okera" : "");
		assert_string_equal(g.actor, "");
		assert_int_equal(g.lifetime, rc == 0 ? 86400 : 0);
		policy_free(p);
	}
}

static void
lifetime_is_capped_by_the_policy(void **state)
{
	static const struct {
		int64_t asked;
		int64_t granted; /* 0: refused */
	} rows[] = {
	    {0, 3600},
	    {1, 1},
	    {3599, 3599},
	    {3600, 3600},
	    {3601, 0},
	    {INT64_MAX, 0},
	};
	struct policy *p = builtin(false, 3600);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct query q = ask("alice", "alice", rows[i].asked);
		struct grant g;
		struct error e = {0};

		assert_int_equal(policy_permit(p, &q, &g, &e), rows[i].granted != 0 ? 0 : -1);
		assert_int_equal(g.lifetime, rows[i].granted);
		if (rows[i].granted == 0) {
			assert_int_equal(e.code, ERROR_DENIED);
			assert_string_equal(e.text, "ttl is over the limit of 3600 seconds");
			assert_string_equal(g.subject, "");
			assert_string_equal(g.where, SELF);
		}
	}
	policy_free(p);
}

/* --- rules of one's own --- */

static void
last_rule_that_matches_decides(void **state)
{
	static const struct {
		const char *caller;
		const char *subject;
		bool permitted;
	} rows[] = {
	    {"alice", "etl-a", true},
	    {"alice", "etl-", true},
	    {"alice", "svc-1", true},
	    {"alice", "svc-12", false},
	    {"alice", "etl-secret", false},
	    {"alice", "alice", false},
	    {"etl-a", "etl-a", true},
	    {NULL, "etl-a", false},
	};
	struct policy *p = parse("deny any as *\n"
				 "permit authenticated as etl-* svc-?\n"
				 "deny authenticated as etl-secret\n");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct query q = ask(rows[i].caller, rows[i].subject, 0);
		struct grant g;
		struct error e = {0};

		if (policy_permit(p, &q, &g, &e) != (rows[i].permitted ? 0 : -1))
			fail_msg("%s as %s: %s", q.caller.name, rows[i].subject, e.text);
		if (rows[i].permitted)
			assert_string_equal(g.where, "rules:2");
	}
	policy_free(p);
}

static void
no_rule_is_a_refusal(void **state)
{
	struct policy *p = parse("");
	struct query q = ask("alice", "alice", 0);
	struct grant g;
	struct error e = {0};

	(void)state;
	assert_int_equal(policy_permit(p, &q, &g, &e), -1);
	assert_int_equal(e.code, ERROR_DENIED);
	assert_string_equal(g.where, "no rule of rules");
	policy_free(p);
}

static void
actor_is_the_caller_when_the_subject_is_another(void **state)
{
	static const struct {
		const char *caller;
		const char *subject;
		const char *actor;
	} rows[] = {
	    {"alice", "bob", "alice"},
	    {"alice", "alice", ""},
	    {"alice", "Alice", "alice"},
	    {NULL, "bob", ""},
	};
	struct policy *p = parse("permit any as *");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct query q = ask(rows[i].caller, rows[i].subject, 0);
		struct grant g;
		struct error e = {0};

		assert_int_equal(policy_permit(p, &q, &g, &e), 0);
		assert_string_equal(g.actor, rows[i].actor);
	}
	policy_free(p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(principals_are_read_by_the_table),
	    cmocka_unit_test(every_realm_is_foreign_unless_one_is_listed),
	    cmocka_unit_test(long_names_are_refused_and_never_cut),
	    cmocka_unit_test(subjects_are_judged_by_the_table),
	    cmocka_unit_test(subject_has_at_most_128_bytes),
	    cmocka_unit_test(pattern_widens_the_grammar_and_matches_the_whole_subject),
	    cmocka_unit_test(pattern_that_is_wrong_is_told),
	    cmocka_unit_test(policy_decides_by_the_table),
	    cmocka_unit_test(lifetime_is_capped_by_the_policy),
	    cmocka_unit_test(last_rule_that_matches_decides),
	    cmocka_unit_test(no_rule_is_a_refusal),
	    cmocka_unit_test(actor_is_the_caller_when_the_subject_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
