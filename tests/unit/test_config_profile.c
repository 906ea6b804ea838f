/* config: sections that describe profiles. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "config/config.h"
#include "tests/unit/configs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- what is read --- */

static void
every_key_of_a_profile_sets_its_field(void **state)
{
	static const char text[] = "profile \"aws\" {\n"
				   "\ttype = \"at+jwt\"\n"
				   "\talgorithm = RS256\n"
				   "\tkid = none\n"
				   "\tlifetime = 15m\n"
				   "\taudience = { \"sts.amazonaws.com\", okera }\n"
				   "\tnbf = true\n"
				   "\tclaims = \"{ \\\"sun\\\": \\\"${subject}\\\" }\"\n"
				   "\trename = { \"groups=roles\", \"sub=username\" }\n"
				   "}\n";
	struct config c = configs_parse(text);
	const struct profile *p = config_profile(&c.profiles, "aws");

	(void)state;
	assert_int_equal(c.profiles.count, 1);
	assert_non_null(p);
	assert_string_equal(p->name, "aws");
	assert_string_equal(p->type, "at+jwt");
	assert_string_equal(p->algorithm, "RS256");
	assert_int_equal(p->kid, KID_NONE);
	assert_int_equal(p->lifetime, 900);
	configs_list(&p->audience, "sts.amazonaws.com|okera");
	assert_true(p->nbf);
	assert_string_equal(p->claims, "{ \"sun\": \"${subject}\" }");
	configs_list(&p->rename, "groups=roles|sub=username");
	config_free(&c);
	assert_int_equal(c.profiles.count, 0);
	assert_null(c.profiles.items);
}

static void
empty_profile_is_as_a_token_without_one(void **state)
{
	struct config c = configs_parse("profile plain {}\n");
	const struct profile *p = config_profile(&c.profiles, "plain");

	(void)state;
	assert_non_null(p);
	assert_string_equal(p->type, "JWT");
	assert_null(p->algorithm);
	assert_int_equal(p->kid, KID_UNSET);
	assert_int_equal(p->lifetime, 0);
	assert_int_equal(p->audience.count, 0);
	assert_false(p->nbf);
	assert_null(p->claims);
	assert_int_equal(p->rename.count, 0);
	config_free(&c);
}

static void
profiles_stand_beside_each_other_and_the_other_keys(void **state)
{
	struct config c =
	    configs_parse("issuer = x\n"
			  "profile a { lifetime = 1m\n}\n"
			  "lifetime = 2h\n"
			  "profile b {\n lifetime = 2m # or more\n audience = one\n}\n"
			  "profile \"c\" { kid = thumbprint }\n"
			  "workers = 2\n");

	(void)state;
	assert_int_equal(c.profiles.count, 3);
	assert_int_equal(config_profile(&c.profiles, "a")->lifetime, 60);
	assert_int_equal(config_profile(&c.profiles, "b")->lifetime, 120);
	assert_string_equal(config_profile(&c.profiles, "b")->audience.items[0], "one");
	assert_int_equal(config_profile(&c.profiles, "a")->audience.count, 0);
	assert_int_equal(config_profile(&c.profiles, "c")->kid, KID_THUMBPRINT);
	assert_string_equal(c.issuer, "x");
	assert_int_equal(c.lifetime, 7200);
	assert_int_equal(c.workers, 2);
	config_free(&c);
}

static void
profile_is_found_by_its_name_to_the_letter(void **state)
{
	static const char *const names[] = {"", "A", "a ", "aa", "b"};
	struct config c = configs_parse("profile a {}\n");

	(void)state;
	assert_non_null(config_profile(&c.profiles, "a"));
	for (size_t i = 0; i < COUNT(names); i++)
		assert_null(config_profile(&c.profiles, names[i]));
	config_free(&c);
}

static void
plain_names_are_taken(void **state)
{
	static const char *const names[] = {"a", "default", "AWS", "0", "a.b", "a_b-c", "_a",
	    "9-to-5",
	    "a-name-of-sixty-three-"
	    "bytes-which-is-the-most-"
	    "there-may-be-----"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char text[128];
		struct config c;

		(void)snprintf(text, sizeof(text), "profile \"%s\" {}\n", names[i]);
		c = configs_parse(text);
		assert_string_equal(c.profiles.items[0].name, names[i]);
		config_free(&c);
	}
}

/* What is found wrong later, such as in the claims, is told with the line of the claims; else
 * with that of the closing brace. */
static void
profile_knows_its_line(void **state)
{
	struct config c = configs_parse("# one\n"
					"profile a {\n"
					"\tlifetime = 1m\n"
					"\tclaims = \"{}\"\n"
					"\tnbf = true\n"
					"}\n"
					"profile b {\n"
					"\tnbf = true\n"
					"}\n");

	(void)state;
	assert_string_equal(config_profile(&c.profiles, "a")->where, "t.conf:4");
	assert_string_equal(config_profile(&c.profiles, "b")->where, "t.conf:9");
	config_free(&c);
}

/* --- mistakes --- */

static void
mistakes_in_a_profile_are_told_with_file_and_line(void **state)
{
	static const struct configs_mistake rows[] = {
	    /* unknown keys, among them those of the whole file */
	    {"profile a {\n bogus = 1\n}\n", "t.conf:2: ", "bogus"},
	    {"profile a {\n}\nprofile b {\n\n bogus = 1\n}\n", "t.conf:5: ", "bogus"},
	    {"profile a {\n private-key = x\n}\n", "t.conf:2: ", "private-key"},
	    {"profile a {\n profile b {}\n}\n", "t.conf:2: ", "profile"},
	    {"profile a {}\nbogus = 1\n", "t.conf:2: ", "bogus"},
	    {"type = JWT\n", "t.conf:1: ", "type"},
	    {"Profile a {}\n", "t.conf:1: ", "Profile"},
	    {"profiles a {}\n", "t.conf:1: ", "profiles"},
	    /* given twice */
	    {"profile a {\n nbf = true\n\n nbf = true\n}\n",
		"t.conf:4: nbf: given twice, first in line 2", ""},
	    {"profile a {\n rename = \"sub=a\"\n rename = \"jti=b\"\n}\n",
		"t.conf:3: rename: given twice, first in line 2", ""},
	    {"profile a {\n audience = a\n audience = {}\n}\n",
		"t.conf:2: audience: given again", "empty"},
	    {"profile a {}\n\nprofile a {}\n", "t.conf:3: ", "duplicate title"},
	    {"profile a { nbf = true }\nprofile \"a\" {}\n", "t.conf:2: ", "duplicate title"},
	    /* titles */
	    {"profile {}\n", "t.conf:1: ", "title"},
	    {"\nprofile = a\n", "t.conf:2: ", ""},
	    {"profile a b {}\n", "t.conf:1: ", "b"},
	    {"profile a\n", "t.conf:2: ", ""},
	    {"profile \"\" {}\n", "t.conf:1: profile '': a name is of letters", "digits"},
	    {"profile \"a b\" {}\n", "t.conf:1: profile 'a b': a name is of letters", ""},
	    {"profile \"a/b\" {}\n", "t.conf:1: profile 'a/b': a name is of letters", ""},
	    {"profile \".a\" {}\n", "t.conf:1: profile '.a': a name is of letters", ""},
	    {"profile \"-a\" {}\n", "t.conf:1: profile '-a': a name is of letters", ""},
	    {"profile \"\xc3\xb6\" {}\n", "t.conf:1: profile '\xc3\xb6': a name is", ""},
	    {"\nprofile \"a&b=c\" {\n}\n", "t.conf:3: profile 'a&b=c': a name is", ""},
	    {"profile \"a-name-of-sixty-four-bytes-which-is-one-more-than-there-may-be-1\" {}",
		"t.conf:1: profile 'a-name-of-", "a name is of letters"},
	    /* values */
	    {"profile a {\n type = jwt\n}", "t.conf:2: type: 'jwt' is not JWT or at+jwt", ""},
	    {"profile a {\n type = \"JOSE\"\n}", "t.conf:2: type: 'JOSE' is not JWT or", ""},
	    {"profile a {\n algorithm = \"\"\n}", "t.conf:2: algorithm: '' is not ", "empty"},
	    {"profile a {\n kid = yes\n}", "t.conf:2: kid: 'yes' is not thumbprint or none",
		""},
	    {"profile a {\n lifetime = 0\n}", "t.conf:2: lifetime: '0' is not a duration", ""},
	    {"profile a {\n lifetime = 1y\n}", "t.conf:2: lifetime: '1y' is not a duration",
		""},
	    {"profile a {\n nbf = yes\n}", "t.conf:2: nbf: 'yes' is not true or false", ""},
	    {"profile a {\n audience = { a, \"\" }\n}", "t.conf:2: audience: '' is not", ""},
	    {"profile a {\n claims = \"\"\n}", "t.conf:2: claims: '' is not ", "empty"},
	    {"profile a {\n rename = sub\n}", "t.conf:2: rename: 'sub' is not a pair such", ""},
	    {"profile a {\n rename = { \"=x\" }\n}", "t.conf:2: rename: '=x' is not a pair",
		""},
	    {"profile a {\n rename = { \"sub=\" }\n}", "t.conf:2: rename: 'sub=' is not",
		"pair"},
	    /* what has no end */
	    {"profile a {\n nbf = true\n", "t.conf:1: a brace that is not closed", ""},
	    {"\nprofile a {\n audience = { b }\n\n", "t.conf:2: a brace that is not closed",
		""},
	    {"profile a {\n}\nprofile b {\n audience = { c\n}\n",
		"t.conf:3: a brace that is not closed", ""},
	    {"profile a {\n claims = \"{}\n}\n", "t.conf:2: a quote that is not closed", ""},
	    {"profile a {\n}\n}\n", "t.conf:3: ", "brace"},
	};

	(void)state;
	configs_refused(rows, COUNT(rows));
}

/* A brace in the claims belongs to their JSON. */
static void
braces_in_claims_do_not_count(void **state)
{
	struct config c = configs_parse("profile a {\n"
					" claims = \"{ \\\"a\\\": { \\\"b\\\": {} } }\"\n"
					" audience = '}{'\n"
					" # } and {\n"
					"}\n");

	(void)state;
	assert_string_equal(c.profiles.items[0].claims, "{ \"a\": { \"b\": {} } }");
	assert_string_equal(c.profiles.items[0].audience.items[0], "}{");
	config_free(&c);
}

static void
there_are_at_most_64_profiles(void **state)
{
	struct config c = configs_defaults();
	struct buffer text;
	struct error e = {0};

	(void)state;
	buffer_init(&text, LIMIT_CONFIG_FILE);
	for (int i = 1; i <= 64; i++)
		assert_int_equal(buffer_printf(&text, "profile p%d {}\n", i), 0);
	if (config_parse(&c, text.data, text.length, "t.conf", &e) == -1)
		fail_msg("%s", e.text);
	assert_int_equal(c.profiles.count, 64);
	config_free(&c);
	c = configs_defaults();
	assert_int_equal(buffer_printf(&text, "profile p65 {}\n"), 0);
	assert_int_equal(config_parse(&c, text.data, text.length, "t.conf", &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(e.text, "t.conf:65: more than 64 profiles");
	config_free(&c);
	buffer_free(&text);
}

/* A flag cannot make a profile: what stands in the file is all there is. */
static void
profile_is_no_key_for_a_flag(void **state)
{
	struct config c = configs_defaults();
	struct error e = {0};

	(void)state;
	assert_int_equal(config_set(&c, "profile", "a", "command line", &e), -1);
	assert_string_equal(e.text, "command line: unknown key 'profile'");
	assert_int_equal(config_set(&c, "nbf", "true", "command line", &e), -1);
	assert_string_equal(e.text, "command line: unknown key 'nbf'");
	config_free(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_key_of_a_profile_sets_its_field),
	    cmocka_unit_test(empty_profile_is_as_a_token_without_one),
	    cmocka_unit_test(profiles_stand_beside_each_other_and_the_other_keys),
	    cmocka_unit_test(profile_is_found_by_its_name_to_the_letter),
	    cmocka_unit_test(plain_names_are_taken),
	    cmocka_unit_test(profile_knows_its_line),
	    cmocka_unit_test(mistakes_in_a_profile_are_told_with_file_and_line),
	    cmocka_unit_test(braces_in_claims_do_not_count),
	    cmocka_unit_test(there_are_at_most_64_profiles),
	    cmocka_unit_test(profile_is_no_key_for_a_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
