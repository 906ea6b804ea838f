/* config: the section that says where groups come from. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "tests/unit/configs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
defaults_are_those_of_the_manual(void **state)
{
	struct config c = configs_defaults();
	const struct groups_config *g = &c.groups;

	(void)state;
	configs_list(&g->resolvers, "unix");
	assert_int_equal(g->mode, GROUPS_FIRST);
	assert_int_equal(g->cache, 60);
	assert_int_equal(g->stale, 0);
	assert_int_equal(g->retry, 5);
	configs_list(&g->allow, "");
	configs_list(&g->required, "");
	configs_list(&g->exempt, "");
	configs_list(&g->optional, "");
	assert_int_equal(g->most, 1000);
	assert_false(g->claim);
	assert_null(g->where);
	assert_null(g->rest.url);
	assert_null(g->rest.token_file);
	assert_int_equal(g->rest.timeout, 2);
	assert_string_equal(g->script.directory, "/opt/scripts");
	configs_list(&g->script.files, "");
	assert_int_equal(g->script.timeout, 2);
	assert_null(g->static_file);
	assert_string_equal(g->ldap.filter, "(uid={0})");
	assert_string_equal(g->ldap.group_filter, "(member={1})");
	assert_string_equal(g->ldap.group_name, "cn");
	assert_false(g->ldap.start_tls);
	assert_false(g->ldap.nested);
	assert_int_equal(g->ldap.timeout, 2);
	config_free(&c);
	assert_null(c.groups.script.directory);
}

static void
every_key_sets_its_field(void **state)
{
	struct config c = configs_parse("\ngroups {\n"
					" resolvers = {claim, unix, static}\n"
					" mode = merge\n cache = 2m\n stale = 1h\n retry = 9s\n"
					" allow = {\"app-*\", staff}\n required = {a, b}\n"
					" exempt = {root}\n optional = {unix, static}\n"
					" most = 7\n claim = true\n"
					" static { file = /etc/static }\n"
					"}\n");
	const struct groups_config *g = &c.groups;

	(void)state;
	configs_list(&g->resolvers, "claim|unix|static");
	assert_int_equal(g->mode, GROUPS_MERGE);
	assert_int_equal(g->cache, 120);
	assert_int_equal(g->stale, 3600);
	assert_int_equal(g->retry, 9);
	configs_list(&g->allow, "app-*|staff");
	configs_list(&g->required, "a|b");
	configs_list(&g->exempt, "root");
	configs_list(&g->optional, "unix|static");
	assert_int_equal(g->most, 7);
	assert_true(g->claim);
	assert_string_equal(g->static_file, "/etc/static");
	assert_non_null(g->where);
	assert_int_equal(strncmp(g->where, "t.conf:", 7), 0);
	config_free(&c);
}

static void
every_key_of_rest_and_script_sets_its_field(void **state)
{
	struct config c =
	    configs_parse("groups {\n resolvers = {rest, script}\n"
			  " rest {\n  url = \"https://h/{0}\"\n  token-file = /t\n"
			  "  certificate = /c\n  key = /k\n  ca-file = /a\n"
			  "  timeout = 60s\n }\n"
			  " script {\n  directory = /d\n  files = {one, /d/two}\n"
			  "  timeout = 1s\n }\n"
			  "}\n");
	const struct groups_config *g = &c.groups;

	(void)state;
	assert_string_equal(g->rest.url, "https://h/{0}");
	assert_string_equal(g->rest.token_file, "/t");
	assert_string_equal(g->rest.certificate, "/c");
	assert_string_equal(g->rest.key, "/k");
	assert_string_equal(g->rest.ca_file, "/a");
	assert_int_equal(g->rest.timeout, 60);
	assert_string_equal(g->script.directory, "/d");
	configs_list(&g->script.files, "one|/d/two");
	assert_int_equal(g->script.timeout, 1);
	config_free(&c);
}

static void
every_key_of_ldap_sets_its_field(void **state)
{
	struct config c =
	    configs_parse("groups {\n resolvers = ldap\n ldap {\n"
			  "  uri = {\"ldap://a\", \"ldaps://b\"}\n  start-tls = true\n"
			  "  ca-file = /a\n  bind-dn = \"cn=x\"\n  password-file = /p\n"
			  "  base = \"dc=x\"\n  filter = \"(cn={0})\"\n"
			  "  attribute = memberOf\n  group-base = \"ou=g\"\n"
			  "  group-filter = \"(m={1})\"\n  group-name = ou\n"
			  "  nested = true\n  email = mail\n  namespace = ns\n"
			  "  timeout = 3s\n } }\n");
	const struct ldap_config *l = &c.groups.ldap;

	(void)state;
	configs_list(&l->uri, "ldap://a|ldaps://b");
	assert_true(l->start_tls);
	assert_string_equal(l->ca_file, "/a");
	assert_string_equal(l->bind_dn, "cn=x");
	assert_string_equal(l->password_file, "/p");
	assert_string_equal(l->base, "dc=x");
	assert_string_equal(l->filter, "(cn={0})");
	assert_string_equal(l->attribute, "memberOf");
	assert_string_equal(l->group_base, "ou=g");
	assert_string_equal(l->group_filter, "(m={1})");
	assert_string_equal(l->group_name, "ou");
	assert_true(l->nested);
	assert_string_equal(l->email_attribute, "mail");
	assert_string_equal(l->namespace_attribute, "ns");
	assert_int_equal(l->timeout, 3);
	config_free(&c);
}

#define G(line) "groups {\n" line "\n}\n"
#define SOURCE(name, line) "groups {\n resolvers = unix\n " name " {\n" line "\n}\n}\n"

static void
mistakes_are_told_with_file_and_line(void **state)
{
	static const struct configs_mistake rows[] = {
	    /* names */
	    {G(" bogus = 1"), "t.conf:2: ", "bogus"},
	    {G(" private-key = x"), "t.conf:2: ", "private-key"},
	    {G(" bogus {}"), "t.conf:2: ", "bogus"},
	    {G(" groups {}"), "t.conf:2: ", "groups"},
	    {"resolvers = unix\n", "t.conf:1: ", "resolvers"},
	    {"rest {}\n", "t.conf:1: ", "rest"},
	    {"groups = unix\n", "t.conf:1: ", ""},
	    {"groups a {}\n", "t.conf:1: ", ""},
	    {SOURCE("rest", "bogus = 1"), "t.conf:4: ", "bogus"},
	    {SOURCE("rest", "files = 1"), "t.conf:4: ", "files"},
	    {SOURCE("script", "url = 1"), "t.conf:4: ", "url"},
	    {SOURCE("ldap", "url = 1"), "t.conf:4: ", "url"},
	    {SOURCE("static", "url = 1"), "t.conf:4: ", "url"},
	    {SOURCE("unix", ""), "t.conf:3: ", "unix"},
	    /* given twice */
	    {G(" most = 1\n most = 2"), "t.conf:3: most: given twice, first in line 2", ""},
	    {G(" allow = a\n allow = b"), "t.conf:3: allow: given twice", ""},
	    {G("") "groups {\n}\n", "t.conf:5: groups: given twice, first in line 3", ""},
	    {G(" rest {}\n rest {}"), "t.conf:3: rest: given twice, first in line 2", ""},
	    {G(" resolvers = {rest, script} rest {\n}\n script {\n}\n script {\n}"),
		"t.conf:7: script: given twice, first in line 5", ""},
	    {SOURCE("script", "timeout = 1s\n timeout = 1s"),
		"t.conf:5: timeout: given twice, first in line 4", ""},
	    /* values */
	    {G(" resolvers = nis"), "t.conf:2: resolvers: 'nis' is not claim, unix,", ""},
	    {G(" resolvers = {unix, UNIX}"), "t.conf:2: resolvers: 'UNIX' is not", ""},
	    {G(" optional = nis"), "t.conf:2: optional: 'nis' is not claim, unix,", ""},
	    {G(" mode = all"), "t.conf:2: mode: 'all' is not first or merge", ""},
	    {G(" cache = 0"), "t.conf:2: cache: '0' is not a duration", ""},
	    {G(" stale = x"), "t.conf:2: stale: 'x' is not a duration", ""},
	    {G(" retry = \"\""), "t.conf:2: retry: '' is not a duration", ""},
	    {G(" allow = {a, \"\"}"), "t.conf:2: allow: '' is not", ""},
	    {G(" most = 0"), "t.conf:2: most: '0' is not a number from 1 to 4096", ""},
	    {G(" most = 4097"), "t.conf:2: most: '4097' is not a number from 1 to 4096", ""},
	    {G(" claim = yes"), "t.conf:2: claim: 'yes' is not true or false", ""},
	    {SOURCE("rest", "url = \"\""), "t.conf:4: url: '' is not", ""},
	    {SOURCE("rest", "token-file = t"), "t.conf:4: token-file: 't' is not an abs", ""},
	    {SOURCE("rest", "certificate = c"), "t.conf:4: certificate: 'c' is not an", ""},
	    {SOURCE("rest", "key = k"), "t.conf:4: key: 'k' is not an absolute path", ""},
	    {SOURCE("rest", "ca-file = a"), "t.conf:4: ca-file: 'a' is not an absolute", ""},
	    {SOURCE("rest", "timeout = 0s"), "t.conf:4: timeout: '0s' is not", "1s to 60s"},
	    {SOURCE("rest", "timeout = 61s"), "t.conf:4: timeout: '61s' is not", ""},
	    {SOURCE("script", "timeout = 2m"), "t.conf:4: timeout: '2m' is not", ""},
	    {SOURCE("script", "directory = d"), "t.conf:4: directory: 'd' is not an abs", ""},
	    {SOURCE("script", "files = \"\""), "t.conf:4: files: '' is not a list", ""},
	    {SOURCE("static", "file = f"), "t.conf:4: file: 'f' is not an absolute", ""},
	    /* what has no end */
	    {"groups {\n rest {\n", "t.conf:1: a brace that is not closed", ""},
	};

	(void)state;
	configs_refused(rows, COUNT(rows));
}

#define ALONE(name, keys) "groups { resolvers = " name "\n" name " { " keys " } }"
#define LDAP(keys) ALONE("ldap", "uri = a\n base = b\n" keys)

static void
what_does_not_fit_together_is_told_with_file_and_line(void **state)
{
	static const struct configs_mistake rows[] = {
	    {G(" ldap { nested = true }"),
		"t.conf:2: groups: there is a section ldap, but resolvers does not name it",
		""},
	    {G(" allow = {}"), "t.conf:?: allow: an empty list would mean everything", ""},
	    {G(" required = {}"), "t.conf:?: required: an empty list", ""},
	    {G(" resolvers = rest rest { url = \"http://localhost\" } allow = {ok, Not}"),
		"t.conf:3: groups: a name in required or allow has a capital letter", ""},
	    {G(" resolvers = {}"), "t.conf:3: groups: resolvers is empty", ""},
	    {G(" resolvers = {unix, unix}"), "t.conf:3: groups: resolvers has a name twice",
		""},
	    {G(" optional = rest"), "t.conf:3: groups: optional names a source that is not",
		""},
	    {G(" resolvers = rest"), "t.conf:3: groups: rest: url is missing", ""},
	    {G(" resolvers = script"), "t.conf:3: groups: script: files is missing", ""},
	    {G(" resolvers = {unix, static}"), "t.conf:3: groups: static: file is missing", ""},
	    {G(" resolvers = ldap"), "t.conf:3: groups: ldap: uri is missing", ""},
	    {ALONE("rest", "url = \"ftp://h/\""), "t.conf:2: groups: rest: url is none of", ""},
	    {ALONE("rest", "url = h"), "t.conf:2: groups: rest: url is none of", ""},
	    {ALONE("rest", "url = \"https:/h\""), "t.conf:2: groups: rest: url is none", ""},
	    {ALONE("rest", "url = \"https://h\" key = /k"),
		"t.conf:2: groups: rest: certificate and key go together", ""},
	    {ALONE("rest", "url = \"https://h\" certificate = /c"),
		"t.conf:2: groups: rest: certificate and key go together", ""},
	    {ALONE("ldap", "uri = a"), "t.conf:2: groups: ldap: base is missing", ""},
	    {LDAP(""), "t.conf:4: groups: ldap: give attribute", ""},
	    {LDAP("attribute = a filter = \"(a=b)\""), "t.conf:4: groups: ldap: filter", ""},
	    {LDAP("attribute = a group-filter = \"(a=b)\""),
		"t.conf:4: groups: ldap: group-filter has neither", ""},
	    {LDAP("attribute = a bind-dn = x"), "t.conf:4: groups: ldap: bind-dn and", ""},
	    {LDAP("attribute = a password-file = /x"), "t.conf:4: groups: ldap: bind-dn", ""},
	    {LDAP("attribute = a nested = true"), "t.conf:4: groups: ldap: nested wants", ""},
	};

	(void)state;
	configs_refused(rows, COUNT(rows));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults_are_those_of_the_manual),
	    cmocka_unit_test(every_key_sets_its_field),
	    cmocka_unit_test(every_key_of_rest_and_script_sets_its_field),
	    cmocka_unit_test(every_key_of_ldap_sets_its_field),
	    cmocka_unit_test(mistakes_are_told_with_file_and_line),
	    cmocka_unit_test(what_does_not_fit_together_is_told_with_file_and_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
