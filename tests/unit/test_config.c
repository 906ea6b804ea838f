/* config: what a file says, and what is said about a file that is wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "tests/unit/configs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
defaults_are_those_of_the_manual(void **state)
{
	struct config c = configs_defaults();

	(void)state;
	assert_string_equal(c.directory, "/tmp/tokens");
	assert_null(c.group);
	assert_int_equal(c.mode, 0640);
	assert_int_equal(c.access, ACCESS_GROUP);
	assert_int_equal(c.max_age, 10);
	assert_int_equal(c.max_files, 1000000);
	assert_null(c.private_key);
	assert_null(c.passphrase_file);
	assert_string_equal(c.algorithm, "RS512");
	assert_int_equal(c.kid, KID_THUMBPRINT);
	assert_null(c.issuer);
	assert_int_equal(c.lifetime, 86400);
	assert_int_equal(c.profiles.count, 0);
	assert_null(c.attributes);
	assert_null(c.policy);
	assert_false(c.permit_anonymous);
	configs_list(&c.realms, "");
	configs_list(&c.hosts, "localhost|127.0.0.1|[::1]");
	configs_list(&c.peers, "www-data");
	assert_null(c.subject_pattern);
	assert_int_equal(c.workers, 1);
	assert_int_equal(c.signer_threads, 0);
	assert_int_equal(c.log, LOG_TO_STDERR);
	assert_string_equal(c.audit, "none");
	config_free(&c);
	assert_null(c.directory);
}

static void
every_key_sets_its_field(void **state)
{
	static const char text[] = "# every key\n"
				   "directory = \"/run/tokens\"\n"
				   "group = users\n"
				   "mode = \"0440\"\n"
				   "access = subject\n"
				   "max-age = 1m\n"
				   "max-files = 5000\n"
				   "private-key = \"/etc/authserver/key.pem\"\n"
				   "passphrase-file = '/etc/authserver/passphrase'\n"
				   "algorithm = \"ES256\"\n"
				   "kid = none\n"
				   "issuer = \"https://tokens.example.com\"\n"
				   "lifetime = 2h\n"
				   "attributes = \"/etc/authserver/attributes.json\"\n"
				   "verify-listen = \"[::1]:9005\"\n"
				   "policy = \"/etc/authserver/policy\"\n"
				   "permit-anonymous = true\n"
				   "realms = { \"EXAMPLE.COM\", OTHER.EXAMPLE.COM }\n"
				   "hosts = { tokens.example.com }\n"
				   "peers = { nginx, apache, \"www-data\" }\n"
				   "subject-pattern = \"[A-Z][a-z]+ [A-Z][a-z]+\"\n"
				   "workers = 2\n"
				   "signer-threads = 4\n"
				   "log = syslog\n"
				   "audit = \"/var/log/authserver/audit.json\"\n";
	struct config c = configs_defaults();
	struct error e = {0};

	(void)state;
	if (config_parse(&c, text, strlen(text), "t.conf", &e) == -1)
		fail_msg("%s", e.text);
	assert_string_equal(c.directory, "/run/tokens");
	assert_string_equal(c.group, "users");
	assert_int_equal(c.mode, 0440);
	assert_int_equal(c.access, ACCESS_SUBJECT);
	assert_int_equal(c.max_age, 60);
	assert_int_equal(c.max_files, 5000);
	assert_string_equal(c.private_key, "/etc/authserver/key.pem");
	assert_string_equal(c.passphrase_file, "/etc/authserver/passphrase");
	assert_string_equal(c.algorithm, "ES256");
	assert_int_equal(c.kid, KID_NONE);
	assert_string_equal(c.issuer, "https://tokens.example.com");
	assert_int_equal(c.lifetime, 7200);
	assert_string_equal(c.attributes, "/etc/authserver/attributes.json");
	assert_string_equal(c.verify_listen, "[::1]:9005");
	assert_string_equal(c.policy, "/etc/authserver/policy");
	assert_true(c.permit_anonymous);
	configs_list(&c.realms, "EXAMPLE.COM|OTHER.EXAMPLE.COM");
	configs_list(&c.hosts, "tokens.example.com");
	configs_list(&c.peers, "nginx|apache|www-data");
	assert_string_equal(c.subject_pattern, "[A-Z][a-z]+ [A-Z][a-z]+");
	assert_int_equal(c.workers, 2);
	assert_int_equal(c.signer_threads, 4);
	assert_int_equal(c.log, LOG_TO_SYSLOG);
	assert_string_equal(c.audit, "/var/log/authserver/audit.json");
	config_free(&c);
}

static void
audit_goes_to_a_known_place_or_to_a_file(void **state)
{
	static const char *const rows[] = {"none", "stderr", "syslog", "/var/log/audit"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config c = configs_defaults();
		struct error e = {0};

		assert_int_equal(config_set(&c, "audit", rows[i], "flag", &e), 0);
		assert_string_equal(c.audit, rows[i]);
		config_free(&c);
	}
}

static void
most_files_may_be_any_number_up_to_the_bound(void **state)
{
	static const unsigned int rows[] = {0, 1, 999999999, LIMIT_FILES};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config c = configs_defaults();
		struct error e = {0};
		char text[16];

		(void)snprintf(text, sizeof(text), "%u", rows[i]);
		assert_int_equal(config_set(&c, "max-files", text, "flag", &e), 0);
		assert_int_equal(c.max_files, rows[i]);
		config_free(&c);
	}
}

static void
list_replaces_the_default(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		const char *items;
	} rows[] = {
	    {"hosts = {}\n", 0, ""},
	    {"hosts = { }", 0, ""},
	    {"hosts = one\n", 1, "one"},
	    {"hosts = {one}\n", 1, "one"},
	    {"hosts = {\n\tone, # the first\n# and\n\ttwo,\n}\n", 2, "one|two"},
	    {"hosts = {'a # b', c#d\n}\n", 2, "a # b|c"},
	    {"hosts = {'a,b', \"c d\", \"[::1]\"}", 3, "a,b|c d|[::1]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config c = configs_parse(rows[i].text);

		assert_int_equal(c.hosts.count, rows[i].count);
		configs_list(&c.hosts, rows[i].items);
		config_free(&c);
	}
}

/* What a file means does not depend on the environment of whoever reads it. */
static void
environment_is_not_put_into_values(void **state)
{
	static const struct {
		const char *text;
		const char *issuer;
	} rows[] = {
	    {"issuer = \"${HOME}\"", "${HOME}"},
	    {"issuer = '${HOME}'", "${HOME}"},
	    {"issuer = \"a${HOME}b${HOME}\"", "a${HOME}b${HOME}"},
	    {"issuer = \"$${HOME}\"", "$${HOME}"},
	    {"issuer = \"\\${HOME}\"", "${HOME}"},
	    {"issuer = \"\\\\${HOME}\"", "\\${HOME}"},
	    {"issuer = '\\\\${HOME}'", "\\${HOME}"},
	    {"issuer = \"$HOME\"", "$HOME"},
	    {"issuer = $HOME", "$HOME"},
	    {"# it's ${HOME}\nissuer = \"it's ${HOME}\"", "it's ${HOME}"},
	    {"issuer = \"{ \\\"sun\\\": \\\"${subject}\\\" }\"", "{ \"sun\": \"${subject}\" }"},
	};

	(void)state;
	assert_int_equal(setenv("HOME", "/home/of/somebody", 1), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config c = configs_defaults();
		struct error e = {0};

		if (config_parse(&c, rows[i].text, strlen(rows[i].text), "t.conf", &e) == -1)
			fail_msg("%s: %s", rows[i].text, e.text);
		assert_string_equal(c.issuer, rows[i].issuer);
		config_free(&c);
	}
}

static void
empty_file_changes_nothing(void **state)
{
	static const char *const rows[] = {
	    "", "\n", "# nothing\n", "  \t\r\n", "# no end", "## it's \"\n#\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config c = configs_defaults();
		struct error e = {0};

		if (config_parse(&c, rows[i], strlen(rows[i]), "t.conf", &e) == -1)
			fail_msg("%s", e.text);
		assert_string_equal(c.directory, "/tmp/tokens");
		assert_int_equal(c.hosts.count, 3);
		config_free(&c);
	}
}

#define ROW(text, where, reason)                      \
	{                                             \
		text, sizeof(text) - 1, where, reason \
	}

/* where is the whole beginning of the error, reason what follows somewhere after it. */
static const struct mistake {
	const char *text;
	size_t length;
	const char *where;
	const char *reason;
} mistakes[] = {
    /* unknown keys */
    ROW("bogus = 1\n", "t.conf:1: ", "bogus"),
    ROW("\n\nbogus = 1\n", "t.conf:3: ", "bogus"),
    ROW("# a\n\n## b # c\n#\nissuer = \"d\n\n#e\"\nbogus = 1\n", "t.conf:8: ", "bogus"),
    ROW("issuer = x # don't\nbogus = 1\n", "t.conf:2: ", "bogus"),
    ROW("issuer = 'd\ne' # \"\n#\nbogus = 1\n", "t.conf:4: ", "bogus"),
    ROW("hosts = {\n a,\n\n b\n}\nbogus = 1\n", "t.conf:6: ", "bogus"),
    ROW("issuer = x\r\nbogus = 1\r\n", "t.conf:2: ", "bogus"),
    ROW("Issuer = x\n", "t.conf:1: ", "Issuer"),
    ROW("include(\"/etc/passwd\")\n", "t.conf:1: ", "include"),
    ROW("${HOME} = x\n", "t.conf:1: ", ""),
    /* given twice */
    ROW("mode = 0640\n\nmode = 0640\n", "t.conf:3: mode: given twice, first in line 1", ""),
    ROW("\nhosts = a\nhosts = b", "t.conf:3: hosts: given twice, first in line 2", ""),
    ROW("\nhosts = {a}\nhosts = {b}", "t.conf:3: hosts: given twice, first in line 2", ""),
    ROW("hosts = {a, b}\nhosts = {a, b, c}", "t.conf:2: hosts: given twice", ""),
    ROW("\nhosts = {a}\nhosts = {}", "t.conf:2: hosts: given again", "empty"),
    /* values that are not what they should be */
    ROW("\ndirectory = tokens\n", "t.conf:2: directory: 'tokens' is not an absolute path", ""),
    ROW("directory = \"\"", "t.conf:1: directory: '' is not an absolute path", ""),
    ROW("group = \"\"\n", "t.conf:1: group: ", "not empty"),
    ROW("mode = 0777\n", "t.conf:1: mode: '0777' is not an octal string", "0640"),
    ROW("mode = 0644\n", "t.conf:1: mode: '0644' is not ", ""),
    ROW("mode = 0660\n", "t.conf:1: mode: '0660' is not ", ""),
    ROW("mode = 0240\n", "t.conf:1: mode: '0240' is not ", ""),
    ROW("mode = 4640\n", "t.conf:1: mode: '4640' is not ", ""),
    ROW("mode = 416\n", "t.conf:1: mode: '416' is not ", ""),
    ROW("mode = rw\n", "t.conf:1: mode: 'rw' is not ", ""),
    ROW("access = all\n", "t.conf:1: access: 'all' is not group or subject", ""),
    ROW("max-age = 0\n", "t.conf:1: max-age: '0' is not a duration", "24h"),
    ROW("lifetime = 1y\n", "t.conf:1: lifetime: '1y' is not a duration", "24h"),
    ROW("lifetime = -1\n", "t.conf:1: lifetime: '-1' is not a duration", "24h"),
    ROW("kid = yes\n", "t.conf:1: kid: 'yes' is not thumbprint or none", ""),
    ROW("permit-anonymous = 1\n", "t.conf:1: permit-anonymous: '1' is not true or false", ""),
    ROW("permit-anonymous = TRUE\n", "t.conf:1: permit-anonymous: 'TRUE' is not ", ""),
    ROW("workers = 0\n", "t.conf:1: workers: '0' is not a number from 1 to 64", ""),
    ROW("workers = 65\n", "t.conf:1: workers: '65' is not a number", ""),
    ROW("workers = two\n", "t.conf:1: workers: 'two' is not a number", ""),
    ROW("signer-threads = 65\n", "t.conf:1: signer-threads: '65' is not a number", ""),
    ROW("log = /var/log/x\n", "t.conf:1: log: '/var/log/x' is not stderr or syslog", ""),
    ROW("max-files = -1\n", "t.conf:1: max-files: '-1' is not a number of files", "0"),
    ROW("max-files = 1000000001\n", "t.conf:1: max-files: '1000000001' is not", "files"),
    ROW("max-files = many\n", "t.conf:1: max-files: 'many' is not a number of files", ""),
    ROW("seccomp = true\n", "t.conf:1: seccomp: 'true' is not on, off or required", ""),
    ROW("landlock = no\n", "t.conf:1: landlock: 'no' is not on, off or required", ""),
    ROW("audit = stdout\n", "t.conf:1: audit: 'stdout' is not none, stderr, syslog", "path"),
    ROW("audit = log/x\n", "t.conf:1: audit: 'log/x' is not none, stderr, syslog", "path"),
    ROW("audit = \"\"\n", "t.conf:1: audit: '' is not none, stderr, syslog", "path"),
    ROW("attributes = a.json\n", "t.conf:1: attributes: 'a.json' is not an absolute", ""),
    ROW("hosts = { a, \"\" }\n", "t.conf:1: hosts: '' is not a list", "empty"),
    /* values of another kind */
    ROW("\nmode = {0640, 0600}\n", "t.conf:2: ", "{"),
    ROW("log { }\n", "t.conf:1: ", "log"),
    ROW("hosts = { {a} }\n", "t.conf:1: ", "{"),
    ROW("hosts = {a,,b}\n", "t.conf:1: ", ","),
    ROW("hosts = {a b}\n", "t.conf:1: ", "b"),
    ROW("issuer = ${HOME}\n", "t.conf:1: ", "{"),
    /* what has no end: where the quote is, or the last line */
    ROW("\nissuer = \"abc\n\n", "t.conf:2: ", "quote"),
    ROW("\nissuer = 'abc\n\n", "t.conf:2: ", "quote"),
    ROW("issuer = \"a\\\"\n\n", "t.conf:1: ", "quote"),
    ROW("issuer = x\nissuer\n", "t.conf:3: ", "end of file"),
    ROW("issuer =", "t.conf:1: ", "end of file"),
    ROW("hosts = { a,\n", "t.conf:1: ", "brace that is not closed"),
    /* what libconfuse would drop without a word */
    ROW("\n/* no end\n", "t.conf:2: ", "comment starts with #"),
    ROW("issuer = x\n// y\n", "t.conf:2: ", "comment starts with #"),
    ROW("private-key = //etc/key\n", "t.conf:1: ", "quotes"),
    ROW("\nsubject-pattern = [a-z]*\n", "t.conf:2: ", "quotes"),
    ROW("subject-pattern = [a-z]+\n", "t.conf:1: ", "quotes"),
    ROW("hosts = {*}\n", "t.conf:1: ", "quotes"),
    ROW("hosts += {a}\n", "t.conf:1: ", "quotes"),
    /* what is left over */
    ROW("issuer = a b\n", "t.conf:1: ", "b"),
    ROW("issuer = \"a\"\n}\n", "t.conf:2: ", "brace"),
    ROW("issuer = \"a\"\n\n= x\n", "t.conf:3: ", "="),
    /* bytes that no configuration has */
    ROW("issuer = a\n\0", "t.conf:2: ", "control"),
    ROW("issuer = a\0b\n", "t.conf:1: ", "control"),
    ROW("\n\nissuer = \"\x01{HOME}\"\n", "t.conf:3: ", "control"),
    ROW("\n# \x1b\n", "t.conf:2: ", "control"),
    ROW("\x7f"
	"ELF\x02\x01\x01",
	"t.conf:1: ", "control"),
};

static void
mistakes_are_told_with_file_and_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		const struct mistake *m = &mistakes[i];
		struct config c = configs_defaults();
		struct error e = {0};
		int rc = config_parse(&c, m->text, m->length, "t.conf", &e);

		if (rc != -1)
			fail_msg("'%s' was accepted", m->text);
		assert_int_equal(e.code, ERROR_CONFIG);
		if (strncmp(e.text, m->where, strlen(m->where)) != 0 ||
		    strstr(e.text + strlen("t.conf:1: "), m->reason) == NULL ||
		    strchr(e.text, '\n') != NULL)
			fail_msg("'%s': %s", m->text, e.text);
		/* A mistake must not follow us into the next file that is read. */
		if (config_parse(&c, "issuer = next\n", 14, "t.conf", &e) == -1)
			fail_msg("after '%s': %s", m->text, e.text);
		assert_string_equal(c.issuer, "next");
		config_free(&c);
	}
}

static void
list_has_at_most_64_items(void **state)
{
	(void)state;
	for (size_t items = 64; items <= 65; items++) {
		char text[256] = "hosts = {";
		struct config c = configs_defaults();
		struct error e = {0};

		for (size_t i = 0; i < items; i++)
			strcat(text, "a,");
		strcat(text, "}");
		assert_int_equal(
		    config_parse(&c, text, strlen(text), "t.conf", &e), items == 64 ? 0 : -1);
		if (items == 64)
			assert_int_equal(c.hosts.count, 64);
		else
			assert_string_equal(e.text,
			    "t.conf:1: hosts: 'a' is not a list of at most 64 items, none "
			    "empty");
		config_free(&c);
	}
}

static void
path_longer_than_the_system_takes_is_refused(void **state)
{
	char path[LIMIT_PATH + 1];
	struct config c = configs_defaults();
	struct error e = {0};

	(void)state;
	memset(path, '/', sizeof(path));
	path[LIMIT_PATH] = '\0';
	assert_int_equal(config_set(&c, "directory", path, "flag", &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	path[LIMIT_PATH - 1] = '\0';
	assert_int_equal(config_set(&c, "directory", path, "flag", &e), 0);
	config_free(&c);
}

static void
set_takes_lists_with_commas(void **state)
{
	struct config c = configs_defaults();
	struct error e = {0};

	(void)state;
	assert_int_equal(config_set(&c, "peers", "a,b,c d", "flag", &e), 0);
	configs_list(&c.peers, "a|b|c d");
	assert_int_equal(config_set(&c, "peers", "b", "flag", &e), 0);
	configs_list(&c.peers, "b");
	assert_int_equal(config_set(&c, "peers", "", "flag", &e), 0);
	configs_list(&c.peers, "");
	assert_int_equal(config_set(&c, "peers", "a,,b", "flag", &e), -1);
	assert_int_equal(config_set(&c, "peers", "a,", "flag", &e), -1);
	assert_int_equal(config_set(&c, "peers", ",a", "flag", &e), -1);
	assert_string_equal(
	    e.text, "flag: peers: '' is not a list of at most 64 items, none empty");
	config_free(&c);
}

static void
set_refuses_keys_and_values_that_are_wrong(void **state)
{
	static const struct {
		const char *key;
		const char *value;
		const char *text;
	} rows[] = {
	    {"colour", "red", "command line: unknown key 'colour'"},
	    {"", "red", "command line: unknown key ''"},
	    {"mode", "0666", "command line: mode: '0666' is not an octal string"},
	    {"kid", "", "command line: kid: '' is not thumbprint or none"},
	    {"group", "", "command line: group: '' is not "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config c = configs_defaults();
		struct error e = {0};

		assert_int_equal(
		    config_set(&c, rows[i].key, rows[i].value, "command line", &e), -1);
		assert_int_equal(e.code, ERROR_CONFIG);
		if (strncmp(e.text, rows[i].text, strlen(rows[i].text)) != 0)
			fail_msg("%s", e.text);
		config_free(&c);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults_are_those_of_the_manual),
	    cmocka_unit_test(every_key_sets_its_field),
	    cmocka_unit_test(audit_goes_to_a_known_place_or_to_a_file),
	    cmocka_unit_test(most_files_may_be_any_number_up_to_the_bound),
	    cmocka_unit_test(list_replaces_the_default),
	    cmocka_unit_test(environment_is_not_put_into_values),
	    cmocka_unit_test(empty_file_changes_nothing),
	    cmocka_unit_test(mistakes_are_told_with_file_and_line),
	    cmocka_unit_test(list_has_at_most_64_items),
	    cmocka_unit_test(path_longer_than_the_system_takes_is_refused),
	    cmocka_unit_test(set_takes_lists_with_commas),
	    cmocka_unit_test(set_refuses_keys_and_values_that_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
