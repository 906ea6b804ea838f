/* identity: how rules, profiles and the configuration limit one another. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity/policy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Profiles that differ in what they limit. */
static const char text[] = "lifetime = 2h\n"
			   "profile \"plain\" {}\n"
			   "profile \"short\" { lifetime = 10m }\n"
			   "profile \"long\" { lifetime = 7d }\n"
			   "profile \"aws\" { audience = { \"sts.amazonaws.com\" } }\n"
			   "profile \"two\" { audience = { \"okera\", \"trino\" } }\n";

static int
setup(void **state)
{
	static struct config c;
	struct error e = {0};

	*state = &c;
	if (config_init(&c, &e) == -1)
		return -1;
	return config_parse(&c, text, strlen(text), "t.conf", &e);
}

static int
teardown(void **state)
{
	config_free(*state);
	return 0;
}

static struct policy *
parse(const struct config *c, const char *rules)
{
	struct policy *p;
	struct error e = {0};

	if (policy_parse(&p, rules, strlen(rules), "rules", &e) == -1)
		fail_msg("%s", e.text);
	policy_set_limits(p, c->lifetime, &c->profiles);
	if (policy_check_profiles(p, &e) == -1)
		fail_msg("%s", e.text);
	return p;
}

/* What alice asks for herself; a lifetime of 0 is none. */
struct wish {
	const char *profile;
	const char *audience;
	int64_t lifetime;
};

static int
ask(const struct policy *p, const struct wish *w, struct grant *g, struct error *e)
{
	struct query q = {
	    .caller = {.name = "alice", .scheme = "Basic"}, .lifetime = w->lifetime};

	(void)snprintf(q.subject, sizeof(q.subject), "alice");
	(void)snprintf(q.profile, sizeof(q.profile), "%s", w->profile);
	(void)snprintf(q.audience, sizeof(q.audience), "%s", w->audience);
	return policy_permit(p, &q, g, e);
}

static const char *
name_of(const struct profile *profile)
{
	return profile == NULL ? "" : profile->name;
}

/* A rule, a wish, and what comes of it. */
struct row {
	const char *rule;
	struct wish wish;
	enum error_code code;
	const char *profile; /* that is granted, "" for none; or the reason */
	const char *audience;
	int64_t lifetime;
};

static void
assert_rows(const struct config *c, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct policy *p = parse(c, rows[i].rule);
		struct grant g;
		struct error e = {0};
		int rc = ask(p, &rows[i].wish, &g, &e);

		if (e.code != rows[i].code || rc != (rows[i].code == ERROR_NONE ? 0 : -1))
			fail_msg("row %zu: %d, %s", i, (int)e.code, e.text);
		assert_string_equal(rc == 0 ? name_of(g.profile) : e.text, rows[i].profile);
		if (rc == -1) {
			assert_null(g.profile);
			assert_string_equal(g.subject, "");
		} else {
			assert_string_equal(g.audience, rows[i].audience);
			assert_int_equal(g.lifetime, rows[i].lifetime);
		}
		policy_free(p);
	}
}

#define SELF "permit alice as self"
#define GRANTED(rule, profile, audience, ttl, got, aud, life)              \
	{                                                                  \
		rule, {profile, audience, ttl}, ERROR_NONE, got, aud, life \
	}
#define REFUSED(rule, profile, audience, ttl, code, reason)           \
	{                                                             \
		rule, {profile, audience, ttl}, code, reason, NULL, 0 \
	}

/* --- which profile --- */

static void
rule_without_profiles_allows_them_all(void **state)
{
	static const struct row rows[] = {
	    GRANTED(SELF, "", "", 0, "", "", 7200),
	    GRANTED(SELF, "default", "", 0, "", "", 7200),
	    GRANTED(SELF, "plain", "", 0, "plain", "", 7200),
	    GRANTED(SELF, "aws", "", 0, "aws", "", 7200),
	};

	assert_rows(*state, rows, COUNT(rows));
}

static void
rule_allows_the_profiles_that_it_lists(void **state)
{
	static const struct row rows[] = {
	    GRANTED(SELF " profile plain short", "plain", "", 0, "plain", "", 7200),
	    GRANTED(SELF " profile plain short", "short", "", 0, "short", "", 600),
	    REFUSED(SELF " profile plain short", "long", "", 0, ERROR_DENIED,
		"this profile is not allowed"),
	    REFUSED(SELF " profile plain short", "default", "", 0, ERROR_DENIED,
		"this profile is not allowed"),
	    REFUSED(SELF " profile plain short", "", "", 0, ERROR_DENIED,
		"name a profile: ?profile=NAME"),
	    GRANTED(SELF " profile default short", "", "", 0, "", "", 7200),
	    GRANTED(SELF " profile default short", "default", "", 0, "", "", 7200),
	};

	assert_rows(*state, rows, COUNT(rows));
}

static void
only_profile_of_a_rule_is_meant_where_none_is_named(void **state)
{
	static const struct row rows[] = {
	    GRANTED(SELF " profile short", "", "", 0, "short", "", 600),
	    GRANTED(SELF " profile short", "short", "", 0, "short", "", 600),
	    GRANTED(SELF " profile default", "", "", 0, "", "", 7200),
	    REFUSED(SELF " profile short", "plain", "", 0, ERROR_DENIED,
		"this profile is not allowed"),
	    REFUSED(SELF " profile default", "short", "", 0, ERROR_DENIED,
		"this profile is not allowed"),
	};

	assert_rows(*state, rows, COUNT(rows));
}

/* A slip of the client's, whatever the rules are; but not told to whom no rule permits. */
static void
profile_that_does_not_exist_is_malformed(void **state)
{
	static const struct row rows[] = {
	    REFUSED(SELF, "bogus", "", 0, ERROR_MALFORMED, "there is no such profile"),
	    REFUSED(SELF, "Plain", "", 0, ERROR_MALFORMED, "there is no such profile"),
	    REFUSED(SELF, "plain ", "", 0, ERROR_MALFORMED, "there is no such profile"),
	    REFUSED(SELF " profile plain", "bogus", "", 0, ERROR_MALFORMED,
		"there is no such profile"),
	    REFUSED("deny alice as *", "bogus", "", 0, ERROR_DENIED,
		"alice may not have a token for alice"),
	    REFUSED("permit bob as self", "bogus", "", 0, ERROR_DENIED,
		"alice may not have a token for alice"),
	};

	assert_rows(*state, rows, COUNT(rows));
}

/* Administrators may give a shape to tokens of clients that name none. */
static void
profile_called_default_is_that_of_requests_without_one(void **state)
{
	static const char more[] = "profile \"default\" { lifetime = 5m }\n";
	static const struct row rows[] = {
	    GRANTED(SELF, "", "", 0, "default", "", 300),
	    GRANTED(SELF, "default", "", 0, "default", "", 300),
	    GRANTED(SELF " profile default plain", "", "", 0, "default", "", 300),
	    GRANTED(SELF " profile short", "", "", 0, "short", "", 600),
	    REFUSED(SELF " profile short plain", "default", "", 0, ERROR_DENIED,
		"this profile is not allowed"),
	};
	struct error e = {0};

	assert_int_equal(config_parse(*state, more, sizeof(more) - 1, "more.conf", &e), 0);
	assert_rows(*state, rows, COUNT(rows));
}

static void
without_profiles_none_but_the_default_exists(void **state)
{
	struct config none = {.lifetime = 7200};
	static const struct row rows[] = {
	    GRANTED(SELF, "", "", 0, "", "", 7200),
	    GRANTED(SELF, "default", "", 0, "", "", 7200),
	    REFUSED(SELF, "plain", "", 0, ERROR_MALFORMED, "there is no such profile"),
	};

	(void)state;
	assert_rows(&none, rows, COUNT(rows));
}

/* --- audiences --- */

static void
audience_must_be_one_of_the_profiles(void **state)
{
	static const struct row rows[] = {
	    GRANTED(SELF, "two", "okera", 0, "two", "okera", 7200),
	    GRANTED(SELF, "two", "trino", 0, "two", "trino", 7200),
	    REFUSED(SELF, "two", "other", 0, ERROR_DENIED, "this audience is not allowed"),
	    REFUSED(SELF, "two", "Okera", 0, ERROR_DENIED, "this audience is not allowed"),
	    REFUSED(SELF, "aws", "okera", 0, ERROR_DENIED, "this audience is not allowed"),
	    /* A profile without a list has any. */
	    GRANTED(SELF, "plain", "other", 0, "plain", "other", 7200),
	};

	assert_rows(*state, rows, COUNT(rows));
}

/* An empty audience in a grant: all that the profile has. */
static void
all_of_a_profiles_audiences_are_meant_where_none_is_named(void **state)
{
	static const struct row rows[] = {
	    GRANTED(SELF, "two", "", 0, "two", "", 7200),
	    GRANTED(SELF " audience okera trino more", "two", "", 0, "two", "", 7200),
	    GRANTED(SELF " audience sts.amazonaws.com", "aws", "", 0, "aws", "", 7200),
	    REFUSED(SELF " audience okera", "two", "", 0, ERROR_DENIED,
		"name an audience: ?audience=TEXT"),
	    REFUSED(SELF " audience other more", "aws", "", 0, ERROR_DENIED,
		"name an audience: ?audience=TEXT"),
	};

	assert_rows(*state, rows, COUNT(rows));
}

static void
audience_must_be_one_of_the_rules_too(void **state)
{
	static const struct row rows[] = {
	    GRANTED(SELF " audience okera", "two", "okera", 0, "two", "okera", 7200),
	    REFUSED(SELF " audience okera", "two", "trino", 0, ERROR_DENIED,
		"this audience is not allowed"),
	    REFUSED(SELF " audience other", "two", "other", 0, ERROR_DENIED,
		"this audience is not allowed"),
	    REFUSED(SELF " audience other", "two", "okera", 0, ERROR_DENIED,
		"this audience is not allowed"),
	};

	assert_rows(*state, rows, COUNT(rows));
}

static void
only_audience_of_a_rule_is_meant_by_a_profile_without_any(void **state)
{
	static const struct row rows[] = {
	    GRANTED(SELF " audience okera", "plain", "", 0, "plain", "okera", 7200),
	    GRANTED(SELF " audience okera", "", "", 0, "", "okera", 7200),
	    REFUSED(SELF " audience okera trino", "plain", "", 0, ERROR_DENIED,
		"name an audience: ?audience=TEXT"),
	};

	assert_rows(*state, rows, COUNT(rows));
}

/* --- lifetimes --- */

static void
lifetime_is_the_least_of_what_limits_it(void **state)
{
	static const struct row rows[] = {
	    /* the configuration's, 2 hours */
	    GRANTED(SELF, "plain", "", 0, "plain", "", 7200),
	    GRANTED(SELF, "long", "", 0, "long", "", 7200),
	    GRANTED(SELF " ttl 30d", "long", "", 0, "long", "", 7200),
	    GRANTED(SELF " ttl 30d", "plain", "", 7200, "plain", "", 7200),
	    /* the profile's, 10 minutes */
	    GRANTED(SELF, "short", "", 0, "short", "", 600),
	    GRANTED(SELF " ttl 1h", "short", "", 0, "short", "", 600),
	    GRANTED(SELF " ttl 1h", "short", "", 600, "short", "", 600),
	    /* the rule's */
	    GRANTED(SELF " ttl 1m", "short", "", 0, "short", "", 60),
	    GRANTED(SELF " ttl 1m", "plain", "", 60, "plain", "", 60),
	    /* the request's */
	    GRANTED(SELF " ttl 1m", "short", "", 1, "short", "", 1),
	    GRANTED(SELF, "short", "", 599, "short", "", 599),
	};

	assert_rows(*state, rows, COUNT(rows));
}

static void
lifetime_over_any_limit_is_refused_and_the_limit_told(void **state)
{
	static const struct row rows[] = {
	    REFUSED(
		SELF, "plain", "", 7201, ERROR_DENIED, "ttl is over the limit of 7200 seconds"),
	    REFUSED(
		SELF, "long", "", 7201, ERROR_DENIED, "ttl is over the limit of 7200 seconds"),
	    REFUSED(
		SELF, "short", "", 601, ERROR_DENIED, "ttl is over the limit of 600 seconds"),
	    REFUSED(SELF " ttl 1m", "short", "", 61, ERROR_DENIED,
		"ttl is over the limit of 60 seconds"),
	    REFUSED(SELF " ttl 1h profile short", "", "", 3600, ERROR_DENIED,
		"ttl is over the limit of 600 seconds"),
	};

	assert_rows(*state, rows, COUNT(rows));
}

/* --- rules and the configuration --- */

static void
rule_that_names_a_profile_that_does_not_exist_is_told_with_its_line(void **state)
{
	static const struct {
		const char *rules;
		const char *reason; /* NULL: it is right */
	} rows[] = {
	    {"permit a as self profile plain default two", NULL},
	    {"permit a as self profile bogus",
		"rules:1: profile 'bogus' is not in the configuration"},
	    {"# why\npermit a as self profile plain\n\npermit b as * profile short Plain "
	     "long\n",
		"rules:4: profile 'Plain' is not in the configuration"},
	    {"permit a as self profile \"plain \"",
		"rules:1: profile 'plain ' is not in the configuration"},
	};
	const struct config *c = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p;
		struct error e = {0};

		assert_int_equal(
		    policy_parse(&p, rows[i].rules, strlen(rows[i].rules), "rules", &e), 0);
		policy_set_limits(p, 3600, &c->profiles);
		assert_int_equal(policy_check_profiles(p, &e), rows[i].reason == NULL ? 0 : -1);
		assert_string_equal(e.text, rows[i].reason == NULL ? "" : rows[i].reason);
		assert_int_equal(e.code, rows[i].reason == NULL ? ERROR_NONE : ERROR_CONFIG);
		policy_free(p);
	}
}

static void
policy_that_names_an_unknown_profile_does_not_open(void **state)
{
	static const char rules[] = "permit alice as self profile bogus\n";
	struct config *c = *state;
	char path[] = "/tmp/test_policy_profile.XXXXXX";
	char want[128];
	int fd = mkstemp(path);
	struct policy *p;
	struct error e = {0};

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, rules, sizeof(rules) - 1), sizeof(rules) - 1);
	close(fd);
	assert_int_equal(config_set(c, "policy", path, "test", &e), 0);
	assert_int_equal(policy_open(&p, c, &e), -1);
	unlink(path);
	assert_null(p);
	assert_int_equal(e.code, ERROR_CONFIG);
	(void)snprintf(
	    want, sizeof(want), "%s:1: profile 'bogus' is not in the configuration", path);
	assert_string_equal(e.text, want);
}

static void
mistakes_in_the_option_are_told(void **state)
{
	static const char *const rows[][2] = {
	    {SELF " profile", "rules:1: 'profile' without a value"},
	    {SELF " profile ttl 1h", "rules:1: 'profile' without a value"},
	    {SELF " profile plain profile two", "rules:1: 'profile' twice"},
	    {SELF " profile \"\"", "rules:1: an empty name"},
	    {"deny alice as self profile plain",
		"rules:1: 'profile': a deny rule has no options"},
	    {SELF " profile a-name-of-sixty-four-bytes-which-is-one-more-than-there-may-be-1",
		"rules:1: 'profile' with more than 63 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *p;
		struct error e = {0};

		assert_int_equal(
		    policy_parse(&p, rows[i][0], strlen(rows[i][0]), "rules", &e), -1);
		assert_null(p);
		assert_int_equal(e.code, ERROR_CONFIG);
		assert_string_equal(e.text, rows[i][1]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
rule_names_no_profile_where_there_are_none(void **state)
{
	static const char rules[] = "permit any as self profile default\n"
				    "permit any as self profile aws\n";
	struct policy *p;
	struct error e = {0};

	(void)state;
	assert_int_equal(policy_parse(&p, rules, strlen(rules), "rules", &e), 0);
	policy_set_limits(p, 3600, NULL);
	assert_int_equal(policy_check_profiles(p, &e), -1);
	assert_string_equal(e.text, "rules:2: profile 'aws' is not in the configuration");
	policy_free(p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(rule_without_profiles_allows_them_all),
	    TEST(rule_allows_the_profiles_that_it_lists),
	    TEST(only_profile_of_a_rule_is_meant_where_none_is_named),
	    TEST(profile_that_does_not_exist_is_malformed),
	    TEST(profile_called_default_is_that_of_requests_without_one),
	    TEST(without_profiles_none_but_the_default_exists),
	    TEST(audience_must_be_one_of_the_profiles),
	    TEST(all_of_a_profiles_audiences_are_meant_where_none_is_named),
	    TEST(audience_must_be_one_of_the_rules_too),
	    TEST(only_audience_of_a_rule_is_meant_by_a_profile_without_any),
	    TEST(lifetime_is_the_least_of_what_limits_it),
	    TEST(lifetime_over_any_limit_is_refused_and_the_limit_told),
	    TEST(rule_that_names_a_profile_that_does_not_exist_is_told_with_its_line),
	    TEST(rule_names_no_profile_where_there_are_none),
	    TEST(policy_that_names_an_unknown_profile_does_not_open),
	    TEST(mistakes_in_the_option_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
