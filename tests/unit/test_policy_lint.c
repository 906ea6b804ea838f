/* identity: all that is wrong with a policy file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity/policy_lint.h"

/* What was told, a line each. */
struct told {
	char text[4096];
};

static void
tell(void *context, const struct error *e)
{
	struct told *told = context;
	size_t used = strlen(told->text);

	(void)snprintf(told->text + used, sizeof(told->text) - used, "%s\n", e->text);
}

/* The faults of a file of this text, which is gone afterwards. */
static unsigned int
lint(const char *text, struct told *told)
{
	char path[] = "/tmp/test_policy_lint.XXXXXX";
	int fd = mkstemp(path);
	struct config c;
	struct error e = {0};
	unsigned int faults;

	*told = (struct told){0};
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(config_init(&c, &e), 0);
	free(c.policy);
	c.policy = strdup(path);
	c.groups.where = strdup("t.conf:1");
	free(c.groups.resolvers.items[0]);
	c.groups.resolvers.items[0] = strdup("ldap"); /* which gives names in lower case */
	faults = policy_lint(&c, tell, told);
	config_free(&c);
	assert_int_equal(unlink(path), 0);
	return faults;
}

static void
a_policy_without_faults_is_told_of_nothing(void **state)
{
	struct told told;

	(void)state;
	assert_int_equal(lint("", &told), 0);
	assert_int_equal(lint("# nothing\n\n\npermit authenticated as self\n"
			      "permit :etl as etl-* profile default",
			     &told),
	    0);
	assert_string_equal(told.text, "");
}

static void
each_fault_is_told_with_its_line(void **state)
{
	struct told told;

	(void)state;
	assert_int_equal(lint("permit authenticated as self\n"
			      "allow any as self\n"
			      "\n"
			      "permit foo as * profile slurm\n"
			      "permit :ETL as *\n"
			      "permit any as self\n"
			      "permit foo",
			     &told),
	    4);
	assert_non_null(strstr(told.text, ":2: "));
	assert_non_null(strstr(told.text, ":4: profile 'slurm' is not in the configuration\n"));
	assert_non_null(strstr(told.text, ":5: ':ETL' is nobody: "));
	assert_non_null(strstr(told.text, ":7: "));
	assert_null(strstr(told.text, ":1: "));
	assert_null(strstr(told.text, ":6: "));
}

static void
a_file_that_cannot_be_read_is_one_fault(void **state)
{
	struct told told = {0};
	struct config c;
	struct error e = {0};

	(void)state;
	assert_int_equal(config_init(&c, &e), 0);
	free(c.policy);
	c.policy = strdup("/nonexistent/policy");
	assert_int_equal(policy_lint(&c, tell, &told), 1);
	assert_non_null(strstr(told.text, "/nonexistent/policy"));
	config_free(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_policy_without_faults_is_told_of_nothing),
	    cmocka_unit_test(each_fault_is_told_with_its_line),
	    cmocka_unit_test(a_file_that_cannot_be_read_is_one_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
