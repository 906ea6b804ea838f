/* config: which token files are kept fresh. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "config/config.h"
#include "tests/unit/configs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
every_key_of_a_section_sets_its_field(void **state)
{
	static const char text[] = "keep \"team\" {\n"
				   "\tgroup-members = analysts\n"
				   "\tfile = \"/run/keep/${subject}/.auth_token\"\n"
				   "\tformat = json\n"
				   "\tprofile = aws\n"
				   "\taudience = \"sts.example\"\n"
				   "\tlifetime = 1h\n"
				   "\tat-least = 20m\n"
				   "\towner = \"${subject}\"\n"
				   "\tgroup = users\n"
				   "\tmode = 0600\n"
				   "\taccount = none\n"
				   "\twhen-refused = remove\n"
				   "\tcommand = {\"/bin/x\", \"-a b\"}\n"
				   "\ttimeout = 3s\n"
				   "\tsignal = USR1\n"
				   "\tpid-file = \"/run/x.pid\"\n"
				   "}\n"
				   "keep \"janedoe\" { file = \"/run/jane\" }\n"
				   "keep \"all\" {\n directories = \"/run/keep\"\n"
				   " file = \"/run/keep/${subject}/t\"\n}\n"
				   "keep \"x\" { subject = \"a@b\" file = \"/x\" }\n";
	struct config c = configs_parse(text);
	const struct keep_section *s;

	(void)state;
	assert_int_equal(c.keeps.count, 4);
	s = &c.keeps.items[0];
	assert_string_equal(s->name, "team");
	assert_string_equal(s->where, "t.conf:3");
	assert_string_equal(s->group_members, "analysts");
	assert_string_equal(s->file, "/run/keep/${subject}/.auth_token");
	assert_int_equal(s->format, KEEP_JSON);
	assert_string_equal(s->profile, "aws");
	assert_string_equal(s->audience, "sts.example");
	assert_int_equal(s->lifetime, 3600);
	assert_int_equal(s->at_least, 1200);
	assert_string_equal(s->owner, KEEP_SUBJECT);
	assert_string_equal(s->group, "users");
	assert_int_equal(s->mode, 0600);
	assert_false(s->unix_account);
	assert_true(s->remove);
	assert_int_equal(s->command.count, 2);
	assert_string_equal(s->command.items[1], "-a b");
	assert_int_equal(s->timeout, 3);
	assert_int_equal(s->signal, SIGUSR1);
	assert_string_equal(s->pid_file, "/run/x.pid");
	assert_true(keep_is_pattern(s));
	assert_true(keep_is_pattern(&c.keeps.items[2]));
	assert_string_equal(c.keeps.items[3].subject, "a@b");
	config_free(&c);
	assert_int_equal(c.keeps.count, 0);
}

static void
what_is_not_said_is_half_an_hour_of_which_ten_minutes_are_left(void **state)
{
	struct config c = configs_parse("keep \"janedoe\" { file = \"/run/jane\" }");
	const struct keep_section *s = &c.keeps.items[0];

	(void)state;
	assert_int_equal(s->lifetime, 1800);
	assert_int_equal(s->at_least, 600);
	assert_int_equal(s->mode, 0640);
	assert_int_equal(s->format, KEEP_JWT);
	assert_true(s->unix_account);
	assert_false(s->remove);
	assert_int_equal(s->timeout, 10);
	assert_false(keep_is_pattern(s));
	config_free(&c);
}

#define IN(keys) "keep \"a\" {\nfile = \"/run/a\"\n" keys "\n}"

static void
section_that_does_not_fit_together_is_refused(void **state)
{
	static const struct configs_mistake rows[] = {
	    {"keep \"a\" {\n}", "t.conf:2: keep 'a': file is missing", ""},
	    {"keep \"a\" { file = \"run/a\" }",
		"t.conf:1: file: 'run/a' is not an absolute path", ""},
	    {"\nkeep \"a\" { file = \"/run/\" }",
		"t.conf:2: keep 'a': file is the path of a directory", ""},
	    {"keep \"a\" { file = \"/run/${user}\" }",
		"t.conf:", "a variable other than ${subject}"},
	    {"keep \"a\" { group-members = g file = \"/run/a\" }",
		"t.conf:", "does not have ${subject}"},
	    {"keep \"a\" { directories = \"/d\" file = \"/run/a\" }",
		"t.conf:", "does not have ${subject}"},
	    {"keep \"a b\" { file = \"/run/a\" }", "t.conf:", "a name is of letters"},
	    {"keep { file = \"/run/a\" }", "t.conf:1:", ""},
	    {"keep \"a\" { file = \"/a\" }\nkeep \"a\" { file = \"/b\" }", "t.conf:2:", ""},
	    {IN("subject = x group-members = g"),
		"t.conf:", "one of subject, group-members and"},
	    {IN("subject = x directories = \"/d\""),
		"t.conf:", "one of subject, group-members and"},
	    {IN("lifetime = 10m"), "t.conf:2: keep 'a': at-least is not shorter than lifetime",
		""},
	    {IN("lifetime = 5m at-least = 6m"), "t.conf:", "at-least is not shorter"},
	    {IN("lifetime = 12s at-least = 10s"), "t.conf:", "there is no time to renew"},
	    {IN("at-least = 0"), "t.conf:3: at-least: '0' is not a duration", ""},
	    {IN("owner = \"x${subject}\""),
		"t.conf:", "owner is the name of an account or ${subject}"},
	    {IN("command = { touch }"),
		"t.conf:", "command does not begin with an absolute path"},
	    {IN("signal = HUP"), "t.conf:", "signal and pid-file go together"},
	    {IN("pid-file = \"/x\""), "t.conf:", "signal and pid-file go together"},
	    {IN("signal = KILL pid-file = \"/x\""),
		"t.conf:", "'KILL' is not HUP, USR1 or USR2"},
	    {IN("mode = 0644"), "t.conf:3: mode: '0644' is not an octal string", ""},
	    {IN("format = xml"), "t.conf:", "'xml' is not jwt or json"},
	    {IN("account = maybe"), "t.conf:", "'maybe' is not unix or none"},
	    {IN("when-refused = shout"), "t.conf:", "'shout' is not leave or remove"},
	    {IN("timeout = 2m"), "t.conf:", "a duration from 1s to 60s"},
	    {IN("ttl = 1h"), "t.conf:", "no such option"},
	};

	(void)state;
	configs_refused(rows, COUNT(rows));
}

static void
lifetimes_are_those_that_tokens_can_have(void **state)
{
	static const struct {
		const char *text;
		const char *reason; /* NULL: it is good */
	} cases[] = {
	    {IN(""), NULL},
	    {"lifetime = 30m\n" IN(""), NULL},
	    {"lifetime = 20m\n" IN(""), "t.conf:3: keep 'a': lifetime is 1800 seconds, and "
					"tokens of this configuration "
					"have at most 1200"},
	    {"profile \"p\" { lifetime = 30m }\n" IN("profile = p"), NULL},
	    {"profile \"p\" { lifetime = 29m }\n" IN("profile = p"),
		"t.conf:3: keep 'a': lifetime is 1800 seconds, and tokens of this profile have "
		"at most 1740"},
	    {"lifetime = 5m\nprofile \"p\" { lifetime = 1h }\n" IN("profile = p"),
		"at most 300"},
	    {"profile \"p\" { lifetime = 29m }\n" IN(""), NULL},
	    {IN("profile = q"), "t.conf:2: keep 'a': there is no profile 'q'"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct config c = configs_parse(cases[i].text);
		struct error e = {0};
		int rc = keep_check_lifetimes(&c, &e);

		if ((rc == 0) != (cases[i].reason == NULL))
			fail_msg("%s: %s", cases[i].text, e.text);
		if (rc == -1 && strstr(e.text, cases[i].reason) == NULL)
			fail_msg("%s: %s", cases[i].text, e.text);
		config_free(&c);
	}
}

static void
subject_stands_where_the_variable_is(void **state)
{
	static const struct {
		const char *text;
		const char *made; /* NULL: it does not fit */
	} cases[] = {
	    {"", ""},
	    {"/a/b", "/a/b"},
	    {"${subject}", "jane"},
	    {"/a/${subject}/${subject}.t", "/a/jane/jane.t"},
	    {"/a/$subject", "/a/$subject"},
	    {"/123456789012345", NULL},
	    {"/12345678901234", "/12345678901234"},
	    {"/1234567890${subject}", "/1234567890jane"},
	    {"/12345678901${subject}", NULL},
	    {"/123456789012${subject}", NULL},
	    {"/123456789${subject}xx", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char to[16] = "";
		int rc = keep_expand(to, sizeof(to), cases[i].text, "jane");

		if ((rc == 0) != (cases[i].made != NULL))
			fail_msg("%s: %d", cases[i].text, rc);
		if (rc == 0)
			assert_string_equal(to, cases[i].made);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_key_of_a_section_sets_its_field),
	    cmocka_unit_test(what_is_not_said_is_half_an_hour_of_which_ten_minutes_are_left),
	    cmocka_unit_test(section_that_does_not_fit_together_is_refused),
	    cmocka_unit_test(lifetimes_are_those_that_tokens_can_have),
	    cmocka_unit_test(subject_stands_where_the_variable_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
