/* config: the section that says who checks users' passwords. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/config.h"
#include "tests/unit/configs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PEOPLE "uri = \"ldaps://a\"\nbase = \"dc=a\"\n"

static void
defaults_are_those_of_the_manual(void **state)
{
	struct config c = configs_parse("");

	(void)state;
	assert_int_equal(c.password.source, PASSWORD_NONE);
	assert_null(c.password.where);
	assert_int_equal(password_deadline(&c.password), 0);
	assert_int_equal(c.password.tries, 5);
	assert_int_equal(c.password.window, 15 * 60);
	assert_int_equal(c.password.delay, 2);
	assert_string_equal(c.password.service, "authserver");
	assert_int_equal(c.password.pam_timeout, 10);
	assert_string_equal(c.password.ldap.filter, "(uid={0})");
	assert_int_equal(c.password.ldap.timeout, 2);
	assert_false(c.password.ldap.start_tls);
	config_free(&c);
}

static void
every_key_of_a_directory_reaches_its_field(void **state)
{
	struct config c =
	    configs_parse("password \"ldap\" {\n"
			  "tries = 3\nwindow = 1h\ndelay = 0\n"
			  "uri = {\"ldap://a\", \"ldap://b\"}\nstart-tls = true\n"
			  "ca-file = \"/ca\"\nbind-dn = \"cn=x\"\n"
			  "password-file = \"/secret\"\nbase = \"dc=a\"\n"
			  "filter = \"(mail={0})\"\nname = uid\ntimeout = 7s\n}\n");
	const struct ldap_config *l = &c.password.ldap;

	(void)state;
	assert_int_equal(c.password.source, PASSWORD_LDAP);
	assert_string_equal(c.password.where, "t.conf:14");
	assert_int_equal(c.password.tries, 3);
	assert_int_equal(c.password.window, 3600);
	assert_int_equal(c.password.delay, 0);
	assert_int_equal(l->uri.count, 2);
	assert_string_equal(l->uri.items[1], "ldap://b");
	assert_true(l->start_tls);
	assert_string_equal(l->ca_file, "/ca");
	assert_string_equal(l->bind_dn, "cn=x");
	assert_string_equal(l->password_file, "/secret");
	assert_string_equal(l->base, "dc=a");
	assert_string_equal(l->filter, "(mail={0})");
	assert_string_equal(l->name_attribute, "uid");
	assert_int_equal(l->timeout, 7);
	assert_int_equal(password_timeout(&c.password), 7);
	assert_true(password_deadline(&c.password) > 7);
	/* The directory of groups is another one. */
	assert_int_equal(c.groups.ldap.uri.count, 0);
	assert_false(c.groups.ldap.sends_passwords);
	assert_true(l->sends_passwords);
	config_free(&c);
}

static void
every_key_of_pam_reaches_its_field(void **state)
{
	struct config c = configs_parse(
	    "password \"pam\" {\nservice = \"tokens\"\ntimeout = 3s\ndelay = 30s\n}\n");

	(void)state;
	assert_int_equal(c.password.source, PASSWORD_PAM);
	assert_string_equal(c.password.service, "tokens");
	assert_int_equal(password_timeout(&c.password), 3);
	assert_true(password_deadline(&c.password) > 33);
	config_free(&c);
}

static void
mistakes_are_refused_with_their_line(void **state)
{
	static const struct configs_mistake rows[] = {
	    {"\npassword \"unix\" {\n}\n",
		"t.conf:3: password 'unix': want password \"ldap\" or password \"pam\"", ""},
	    {"password {\n}\n", "t.conf:1: ", ""},
	    {"password \"pam\" {\n}\npassword \"ldap\" {\n}\n",
		"t.conf:4: password: given twice, first in line 2", ""},
	    {"password \"pam\" {\n}\npassword \"pam\" {\n}\n", "t.conf:3: ", ""},
	    {"password \"ldap\" {\nbase = \"dc=a\"\n}\n", "t.conf:3: password: ldap: uri", ""},
	    {"password \"ldap\" {\nuri = \"ldaps://a\"\n}\n", "t.conf:3: password: ldap: base",
		""},
	    {"password \"ldap\" {\n" PEOPLE "filter = \"(uid=x)\"\n}\n",
		"t.conf:5: password: ldap: filter does not have {0}", ""},
	    {"password \"ldap\" {\n" PEOPLE "bind-dn = \"cn=x\"\n}\n",
		"t.conf:5: password: ldap: bind-dn and password-file go together", ""},
	    /* A password never goes in the clear; groups are no business of this section. */
	    {"password \"ldap\" {\n" PEOPLE "insecure = true\n}\n",
		"t.conf:", "no such option"},
	    {"password \"ldap\" {\n" PEOPLE "group-base = \"dc=a\"\n}\n",
		"t.conf:", "no such option"},
	    {"password \"ldap\" {\n" PEOPLE "service = \"x\"\n}\n",
		"t.conf:4: password \"ldap\" has no key service", ""},
	    {"password \"pam\" {\nbase = \"dc=a\"\n}\n",
		"t.conf:2: password \"pam\" has no key base", ""},
	    {"password \"pam\" {\nuri = {}\n}\n", "t.conf:", "password \"pam\" has no key uri"},
	    {"password \"pam\" {\nservice = \"../shadow\"\n}\n",
		"t.conf:3: password: service is the name of a file", ""},
	    {"password \"pam\" {\ntimeout = 61s\n}\n",
		"t.conf:2: timeout: '61s' is not a duration from 1s to 60s", ""},
	    {"password \"pam\" {\ntries = 0\n}\n",
		"t.conf:2: tries: '0' is not a number from 1 to 1000", ""},
	    {"password \"pam\" {\ntries = 1001\n}\n", "t.conf:2: tries: '1001' is not", ""},
	    {"password \"pam\" {\ndelay = 31s\n}\n",
		"t.conf:2: delay: '31s' is not 0 or a duration up to 30s", ""},
	    {"password \"pam\" {\nwindow = 0\n}\n", "t.conf:2: window: '0' is not a duration",
		""},
	    {"password \"pam\" {\ntries = 3\ntries = 4\n}\n", "t.conf:3: tries: given twice",
		""},
	};

	(void)state;
	configs_refused(rows, COUNT(rows));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults_are_those_of_the_manual),
	    cmocka_unit_test(every_key_of_a_directory_reaches_its_field),
	    cmocka_unit_test(every_key_of_pam_reaches_its_field),
	    cmocka_unit_test(mistakes_are_refused_with_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
