/* config: whose tokens are believed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "config/config.h"
#include "config/flags.h"
#include "tests/unit/configs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
every_key_of_a_section_sets_its_field(void **state)
{
	static const char text[] = "verify \"partner\" {\n"
				   "\tpublic-key = \"/etc/partner.pub\"\n"
				   "\talgorithm = RS256\n"
				   "\tissuer = { \"https://a.example\", b }\n"
				   "\taudience = us\n"
				   "\tuser-claim = preferred_username\n"
				   "}\n"
				   "verify \"idp\" { keys = \"/etc/idp.json\" }\n"
				   "verify \"web\" {\n"
				   "\tca-file = \"/etc/ca\"\n"
				   "\tkeys-url = \"https://idp.example/keys\"\n"
				   "\tinsecure = true\n"
				   "\ttimeout = 3s\n"
				   "\tstale = 2h\n"
				   "}\n";
	struct config c = configs_parse(text);
	const struct verify_section *s;

	(void)state;
	assert_int_equal(c.verify.count, 3);
	s = &c.verify.items[0];
	assert_string_equal(s->name, "partner");
	assert_string_equal(s->where, "t.conf:2");
	assert_string_equal(s->public_key, "/etc/partner.pub");
	assert_string_equal(s->algorithm, "RS256");
	assert_null(s->keys);
	assert_int_equal(s->issuer.count, 2);
	assert_string_equal(s->issuer.items[1], "b");
	assert_int_equal(s->audience.count, 1);
	assert_string_equal(s->user_claim, "preferred_username");
	s = &c.verify.items[1];
	assert_string_equal(s->where, "t.conf:8");
	assert_string_equal(s->keys, "/etc/idp.json");
	assert_null(s->public_key);
	assert_int_equal(s->issuer.count, 0);
	assert_string_equal(s->user_claim, "sub");
	assert_null(s->keys_url);
	s = &c.verify.items[2];
	assert_string_equal(s->where, "t.conf:11");
	assert_string_equal(s->keys_url, "https://idp.example/keys");
	assert_string_equal(s->ca_file, "/etc/ca");
	assert_true(s->insecure);
	assert_int_equal(s->timeout, 3);
	assert_int_equal(s->stale, 2 * 60 * 60);
	assert_int_equal(verify_deadline(&c.verify), 3);
	config_free(&c);
	assert_int_equal(c.verify.count, 0);
}

static void
section_that_does_not_fit_together_is_refused(void **state)
{
	static const struct configs_mistake rows[] = {
	    {"verify \"a\" { }",
		"t.conf:1: verify 'a': give one of public-key, a PEM file, keys", ""},
	    {"verify \"a\" { issuer = x }",
		"t.conf:", "give one of public-key, a PEM file, keys"},
	    {"verify \"a\" { public-key = \"/k\"\nkeys = \"/j\" algorithm = RS256 }",
		"t.conf:2: verify 'a': give one of public-key, a PEM file, keys", ""},
	    {"\nverify \"a\" { public-key = \"/k\" }",
		"t.conf:2: verify 'a': algorithm is missing", ""},
	    {"verify \"a\" { keys = \"/j\" algorithm = RS256 }",
		"t.conf:", "algorithm goes with public-key"},
	    {"verify \"a\" { public-key = \"k\" algorithm = RS256 }",
		"t.conf:", "is not an absolute path"},
	    {"verify \"a\" { keys = \"j\" }", "t.conf:", "is not an absolute path"},
	    {"verify \"a\" { keys = \"/j\" keys-url = \"https://h/\" }",
		"t.conf:", "give one of public-key, a PEM file, keys, a JWK Set, and keys-url"},
	    {"verify \"a\" { public-key = \"/k\" algorithm = RS256\n"
	     "keys-url = \"https://h/\" }",
		"t.conf:2: verify 'a': give one of", ""},
	    {"verify \"a\" { keys-url = \"https://h/\" algorithm = RS256 }",
		"t.conf:", "algorithm goes with public-key"},
	    {"verify \"a\" { keys-url = \"ftp://h/\" }",
		"t.conf:", "keys-url is none of http or https"},
	    {"verify \"a\" { keys-url = \"HTTPS\" }",
		"t.conf:", "keys-url is none of http or https"},
	    {"verify \"a\" { keys-url = \"\" }", "t.conf:", "keys-url"},
	    {"verify \"a\" { keys-url = \"https://h/\" timeout = 61s }",
		"t.conf:", "timeout: '61s' is not a duration from 1s to 60s"},
	    {"verify \"a\" { keys-url = \"https://h/\" timeout = 0s }", "t.conf:", "timeout"},
	    {"verify \"a\" { keys-url = \"https://h/\" stale = never }", "t.conf:", "stale"},
	    {"verify \"a\" { keys-url = \"https://h/\" ca-file = ca }",
		"t.conf:", "is not an absolute path"},
	    {"verify \"a\" { keys = \"/j\" ca-file = \"/ca\" }",
		"t.conf:", "ca-file and insecure go with keys-url"},
	    {"verify \"a\" { keys = \"/j\" insecure = true }",
		"t.conf:", "ca-file and insecure go with keys-url"},
	    {"verify \"a b\" { keys = \"/j\" }", "t.conf:", "a name is of letters"},
	    {"verify \"a\" { keys = \"/j\" }\nverify \"a\" { keys = \"/j\" }", "t.conf:2:", ""},
	    {"verify { keys = \"/j\" }", "t.conf:1:", ""},
	    {"verify \"a\" { secret = x }", "t.conf:", "no such option"},
	    {"verify \"a\" { keys = \"/j\" user-claim = \"\" }", "t.conf:", "user-claim"},
	    {"verify \"a\" { keys = \"/j\" issuer = {\"\"} }", "t.conf:", "issuer"},
	    {"verify \"a23456789012345678901234567890123456789012345678901234567890123\" {\n"
	     "keys = \"/j\" exchange = true }",
		"t.conf:", "the name is too long for exchange"},
	    {"verify \"a\" { keys = \"/j\" realm = r }",
		"t.conf:", "realm and exchange-audience go with"},
	    {"verify \"a\" { keys = \"/j\" exchange-audience = x }",
		"t.conf:", "realm and exchange-audience go with"},
	    {"skew = 11m", "t.conf:", "skew: '11m' is not 0 or a duration up to 10m"},
	    {"skew = -1", "t.conf:", "skew"},
	    {"skew = 00", "t.conf:", "skew"},
	};

	(void)state;
	configs_refused(rows, COUNT(rows));
}

static void
clocks_may_differ_by_a_minute_or_what_is_said(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
	    {"", 60}, {"skew = 0", 0}, {"skew = 0s", 0}, {"skew = 5s", 5}, {"skew = 10m", 600}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config c = configs_parse(cases[i].text);

		assert_int_equal(c.skew, cases[i].seconds);
		config_free(&c);
	}
}

/* --- the paired lists --- */

static char *
odas_environment(const char *name)
{
	static char keys[] = "/a.pub,/b.pub", algorithms[] = "RSA512,RSA256", empty[] = "";

	if (strcmp(name, "JWT_PUBLIC_KEY") == 0)
		return keys;
	if (strcmp(name, "JWT_ALGORITHM") == 0)
		return algorithms;
	return strcmp(name, "JWT_USER_CLAIM_KEY") == 0 ? empty : NULL;
}

static char *
half_environment(const char *name)
{
	return strcmp(name, "JWT_PUBLIC_KEY") == 0 ? odas_environment(name) : NULL;
}

static void
paired_lists_come_from_the_environment(void **state)
{
	struct flags flags = {0};
	struct config c;
	struct error e = {0};

	(void)state;
	flags_take_environment(&flags, odas_environment);
	assert_int_equal(flags.count, 2);
	assert_int_equal(flags_load(&flags, &c, &e), 0);
	assert_int_equal(c.jwt_public_key.count, 2);
	assert_string_equal(c.jwt_public_key.items[1], "/b.pub");
	assert_string_equal(c.jwt_algorithm.items[0], "RSA512");
	assert_string_equal(c.user_claim, "sub");
	config_free(&c);
	/* A flag goes over it. */
	flags.items[flags.count].key = "jwt-public-key";
	flags.items[flags.count++].value = "/c.pub,/d.pub";
	assert_int_equal(flags_load(&flags, &c, &e), 0);
	assert_string_equal(c.jwt_public_key.items[1], "/d.pub");
	config_free(&c);
}

static void
paired_lists_of_unequal_length_are_refused_with_both_counts(void **state)
{
	struct flags flags = {0};
	struct config c;
	struct error e = {0};

	(void)state;
	flags_take_environment(&flags, half_environment);
	assert_int_equal(flags_load(&flags, &c, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_non_null(strstr(e.text, "jwt-public-key has 2 items and jwt-algorithm 0"));
	config_free(&c);
}

static void
mistake_in_the_environment_names_the_variable(void **state)
{
	struct flags flags = {.count = 1};
	struct config c;
	struct error e = {0};

	(void)state;
	flags.items[0].key = "jwt-algorithm";
	flags.items[0].value = "RS256,";
	flags.items[0].variable = "JWT_ALGORITHM";
	assert_int_equal(flags_load(&flags, &c, &e), -1);
	assert_non_null(strstr(e.text, "JWT_ALGORITHM: jwt-algorithm: "));
	config_free(&c);
}

static void
keys_by_url_have_a_timeout_and_are_trusted_for_a_day_more(void **state)
{
	struct config c = configs_parse("verify \"a\" { keys-url = \"http://localhost/\" }");

	(void)state;
	assert_int_equal(c.verify.items[0].timeout, 5);
	assert_int_equal(c.verify.items[0].stale, 24 * 60 * 60);
	assert_false(c.verify.items[0].insecure);
	assert_int_equal(verify_deadline(&c.verify), 5);
	config_free(&c);
}

/* The longest of what may be asked for, of keys only where there are URLs. */
static void
resolver_has_as_long_as_it_needs(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {{"", 2}, {"verify \"a\" { keys = \"/j\" timeout = 9s }", 2},
	    {"verify \"a\" { keys-url = \"https://a/\" timeout = 9s }\n"
	     "verify \"b\" { keys-url = \"https://a/\" timeout = 7s }",
		9}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config c = configs_parse(cases[i].text);

		assert_int_equal(config_resolver_deadline(&c), cases[i].seconds);
		config_free(&c);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_key_of_a_section_sets_its_field),
	    cmocka_unit_test(section_that_does_not_fit_together_is_refused),
	    cmocka_unit_test(keys_by_url_have_a_timeout_and_are_trusted_for_a_day_more),
	    cmocka_unit_test(resolver_has_as_long_as_it_needs),
	    cmocka_unit_test(clocks_may_differ_by_a_minute_or_what_is_said),
	    cmocka_unit_test(paired_lists_come_from_the_environment),
	    cmocka_unit_test(paired_lists_of_unequal_length_are_refused_with_both_counts),
	    cmocka_unit_test(mistake_in_the_environment_names_the_variable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
