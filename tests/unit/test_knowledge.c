/* identity: groups of which a subject must be in one; service: when a token needs to know its
 * subject, and what is made of what is known. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "identity/required.h"
#include "service/internal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char sources[] = "groups { resolvers = {\"unix\"} }\n";
static const char bound[] =
    "groups { required = {\"staff\", \"etl\"} exempt = {\"printer\", \"scanner\"} }\n";
static const char profiles[] =
    "profile plain { lifetime = 1h }\n"
    "profile crew { groups = true }\n"
    "profile mail { claims = \"{\\\"m\\\": \\\"${email}\\\"}\" }\n"
    "profile space { claims = \"{\\\"n\\\": \\\"${namespace}\\\"}\" }\n"
    "profile host { claims = \"{\\\"h\\\": \\\"${host}\\\"}\" }\n";

static void
configure(struct config *c, const char *text, const char *more)
{
	struct error e = {0};

	assert_int_equal(config_init(c, &e), 0);
	if (config_parse(c, text, strlen(text), "t.conf", &e) == -1 ||
	    config_parse(c, more, strlen(more), "more.conf", &e) == -1)
		fail_msg("%s", e.text);
}

static const struct profile *
find(const struct config *c, const char *name)
{
	const struct profile *p = *name == '\0' ? NULL : config_profile(&c->profiles, name);

	assert_true(p != NULL || *name == '\0');
	return p;
}

/* --- groups that are required --- */

static void
subject_is_to_be_in_one_of_the_groups(void **state)
{
	static const struct {
		const char *groups;
		bool ok;
	} rows[] = {
	    {"staff\n", true},
	    {"etl\n", true},
	    {"users\netl\nx\n", true},
	    {"staff\netl\n", true},
	    {"", false},
	    {NULL, false},
	    {"users\n", false},
	    {"Staff\n", false},
	    {"staff2\nxetl\net\n", false},
	};
	struct config c;

	(void)state;
	configure(&c, bound, "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error e = {0};

		assert_int_equal(
		    required_check(&c.groups, "jane", rows[i].groups, &e), rows[i].ok ? 0 : -1);
		assert_int_equal(e.code, rows[i].ok ? ERROR_NONE : ERROR_DENIED);
		assert_string_equal(e.text,
		    rows[i].ok ? "" : "jane is in none of the groups that are required");
	}
	config_free(&c);
}

static void
subject_that_is_exempt_need_not_be(void **state)
{
	struct config c;
	struct error e;

	(void)state;
	configure(&c, bound, "");
	assert_int_equal(required_check(&c.groups, "scanner", NULL, &e), 0);
	assert_int_equal(required_check(&c.groups, "printer", "users\n", &e), 0);
	assert_int_equal(required_check(&c.groups, "Printer", NULL, &e), -1);
	assert_int_equal(required_check(&c.groups, "printer2", NULL, &e), -1);
	config_free(&c);
}

static void
nobody_needs_a_group_where_none_is_required(void **state)
{
	struct config c;
	struct error e;

	(void)state;
	configure(&c, "groups { exempt = {\"printer\"} }\n", "");
	assert_false(required_asks(&c.groups, "jane"));
	assert_int_equal(required_check(&c.groups, "jane", NULL, &e), 0);
	config_free(&c);
}

static void
groups_are_asked_for_of_who_needs_them(void **state)
{
	struct config c;

	(void)state;
	configure(&c, bound, "");
	assert_true(required_asks(&c.groups, "jane"));
	assert_false(required_asks(&c.groups, "printer"));
	config_free(&c);
}

/* --- when a token needs to know its subject --- */

static void
subject_is_looked_up_when_its_token_needs_it(void **state)
{
	static const struct {
		const char *configuration;
		const char *profile;
		const char *subject;
		bool needed;
	} rows[] = {
	    {"", "", "jane", false},
	    {"", "plain", "jane", false},
	    {"", "crew", "jane", true},
	    /* The host's accounts have no attributes. */
	    {"", "mail", "jane", false},
	    {sources, "", "jane", false},
	    {sources, "plain", "jane", false},
	    {sources, "crew", "jane", true},
	    {sources, "mail", "jane", true},
	    {sources, "space", "jane", true},
	    {sources, "host", "jane", false},
	    /* Those of a token without a profile. */
	    {"groups { claim = true }\n", "", "jane", true},
	    {"groups { claim = true }\n", "plain", "jane", false},
	    {bound, "", "jane", true},
	    {bound, "plain", "jane", true},
	    {bound, "", "printer", false},
	    {bound, "crew", "printer", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config c;

		configure(&c, profiles, rows[i].configuration);
		if (knowledge_needed(&c, find(&c, rows[i].profile), rows[i].subject) !=
		    rows[i].needed)
			fail_msg("row %zu", i);
		config_free(&c);
	}
}

static void
service_needs_resolver_when_anything_may_need_it(void **state)
{
	static const struct {
		const char *configuration;
		const char *rules;
		bool needed;
	} rows[] = {
	    {"", "permit any as self", false},
	    {sources, "permit any as self", false},
	    {"", "permit :etl as self", true},
	    {"verify \"a\" { keys = \"/j\" }\n", "permit any as self", false},
	    {"verify \"a\" { keys-url = \"https://a/\" }\n", "permit any as self", true},
	    {"", "permit svc groups-of *", true},
	    {"", "deny any groups-of *", false},
	    {bound, "permit any as self", true},
	    {"groups { claim = true }\n", "", true},
	    {"profile a { lifetime = 1h }\nprofile b { groups = true }\n", "", true},
	    {"profile a { claims = \"{\\\"m\\\": \\\"${email}\\\"}\" }\n", "", false},
	    {"groups { resolvers = {\"unix\"} }\n"
	     "profile a { claims = \"{\\\"m\\\": \\\"${email}\\\"}\" }\n",
		"", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config c;
		struct policy *p;
		struct error e;

		configure(&c, rows[i].configuration, "");
		assert_int_equal(
		    policy_parse(&p, rows[i].rules, strlen(rows[i].rules), "rules", &e), 0);
		if (service_needs_resolver(&c, p) != rows[i].needed)
			fail_msg("row %zu", i);
		policy_free(p);
		config_free(&c);
	}
}

/* --- what is made of it --- */

static struct query
about(const char *subject)
{
	struct query q = {.subject = ""};

	(void)snprintf(q.subject, sizeof(q.subject), "%s", subject);
	return q;
}

static void
query_leads_to_what_is_known(void **state)
{
	const struct membership m = {
	    .known = true, .email = "a@b.c", .space = "ns", .groups = "etl\n"};
	struct query q = about("jane");
	struct config c;
	struct error e;

	(void)state;
	configure(&c, profiles, sources);
	assert_int_equal(knowledge_use(&q, &m, &c, find(&c, "crew"), &e), 0);
	assert_ptr_equal(q.subject_groups, m.groups);
	assert_ptr_equal(q.email, m.email);
	assert_ptr_equal(q.space, m.space);
	config_free(&c);
}

static void
subject_whom_nobody_knows_has_no_token_with_groups(void **state)
{
	const struct membership nobody = {0};
	struct query q = about("ghost");
	struct config c;
	struct error e = {0};

	(void)state;
	configure(&c, profiles, sources);
	assert_int_equal(knowledge_use(&q, &nobody, &c, find(&c, "crew"), &e), -1);
	assert_int_equal(e.code, ERROR_DENIED);
	assert_string_equal(e.text, "no source of groups knows ghost");
	assert_null(q.subject_groups);
	/* Another one tells nothing of groups. */
	assert_int_equal(knowledge_use(&q, &nobody, &c, find(&c, "mail"), &e), 0);
	assert_null(q.subject_groups);
	assert_string_equal(q.email, "");
	config_free(&c);
}

/* To be known and in no group is something to tell. */
static void
subject_without_groups_has_a_token_that_says_so(void **state)
{
	const struct membership m = {.known = true};
	struct query q = about("jane");
	struct config c;
	struct error e;

	(void)state;
	configure(&c, profiles, sources);
	assert_int_equal(knowledge_use(&q, &m, &c, find(&c, "crew"), &e), 0);
	assert_non_null(q.subject_groups);
	assert_string_equal(q.subject_groups, "");
	config_free(&c);
}

static void
subject_that_is_exempt_need_not_be_known(void **state)
{
	const struct membership nobody = {0};
	struct query q = about("printer");
	struct config c;
	struct error e;

	(void)state;
	configure(&c, profiles, bound);
	assert_int_equal(knowledge_use(&q, &nobody, &c, find(&c, "crew"), &e), 0);
	assert_non_null(q.subject_groups);
	assert_string_equal(q.subject_groups, "");
	config_free(&c);
}

static void
subject_without_a_required_group_is_refused(void **state)
{
	const struct membership in = {.known = true, .groups = "users\netl\n"};
	const struct membership out = {.known = true, .groups = "users\n"};
	const struct membership nobody = {0};
	struct query q = about("jane");
	struct config c;
	struct error e = {0};

	(void)state;
	configure(&c, profiles, bound);
	assert_int_equal(knowledge_use(&q, &in, &c, NULL, &e), 0);
	assert_int_equal(knowledge_use(&q, &out, &c, NULL, &e), -1);
	assert_int_equal(e.code, ERROR_DENIED);
	assert_string_equal(e.text, "jane is in none of the groups that are required");
	assert_int_equal(knowledge_use(&q, &nobody, &c, NULL, &e), -1);
	assert_int_equal(e.code, ERROR_DENIED);
	config_free(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(subject_is_to_be_in_one_of_the_groups),
	    cmocka_unit_test(subject_that_is_exempt_need_not_be),
	    cmocka_unit_test(nobody_needs_a_group_where_none_is_required),
	    cmocka_unit_test(groups_are_asked_for_of_who_needs_them),
	    cmocka_unit_test(subject_is_looked_up_when_its_token_needs_it),
	    cmocka_unit_test(service_needs_resolver_when_anything_may_need_it),
	    cmocka_unit_test(query_leads_to_what_is_known),
	    cmocka_unit_test(subject_whom_nobody_knows_has_no_token_with_groups),
	    cmocka_unit_test(subject_without_groups_has_a_token_that_says_so),
	    cmocka_unit_test(subject_that_is_exempt_need_not_be_known),
	    cmocka_unit_test(subject_without_a_required_group_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
