/* fcgi: which sandbox there is to be, by the configuration and by what the kernel has. */
#define _GNU_SOURCE /* SYS_ */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "fcgi/landlock.h"
#include "fcgi/sandbox.h"
#include "fcgi/syscalls.h"
#include "tests/unit/stores.h"

struct fixture {
	struct config config;
	struct sandbox sandbox;
	struct error e;
};

static void
configure(struct fixture *f, const char *text)
{
	assert_int_equal(config_init(&f->config, &f->e), 0);
	assert_int_equal(config_parse(&f->config, text, strlen(text), "t.conf", &f->e), 0);
	if (f->config.private_key == NULL)
		assert_int_equal(
		    config_set(&f->config, "private-key", "/key.pem", "t.conf", &f->e), 0);
}

static int
plan(struct fixture *f)
{
	return sandbox_plan(&f->sandbox, &f->config, false, &f->e);
}

/* An old kernel, and a build with a sanitizer, have less. */
static void
need_all(void)
{
	if (SANDBOX_SANITIZER || landlock_version() == 0 || !syscalls_available())
		skip();
}

static void
all_there_is_is_in_force_by_default(void **state)
{
	struct fixture f;
	char wanted[64];

	(void)state;
	need_all();
	configure(&f, "");
	assert_int_equal(plan(&f), 0);
	(void)snprintf(
	    wanted, sizeof(wanted), "seccomp: on; Landlock: version %d", landlock_version());
	assert_string_equal(f.sandbox.text, wanted);
	assert_true(f.sandbox.seccomp && f.sandbox.landlock);
	config_free(&f.config);
}

static void
each_can_be_turned_off_and_is_said_to_be(void **state)
{
	struct fixture f;

	(void)state;
	configure(&f, "seccomp = off\nlandlock = off\n");
	assert_int_equal(plan(&f), 0);
	assert_string_equal(f.sandbox.text, "seccomp: turned off; Landlock: turned off");
	assert_false(f.sandbox.seccomp || f.sandbox.landlock);
	config_free(&f.config);
}

/* A kernel without a call, as one is without Landlock or inside a container that has it not. */
static const struct missing {
	long call;
	const char *wanted; /* what is in force */
	const char *key;    /* by which it could be required */
} missing[] = {
    {SYS_landlock_create_ruleset,
	"seccomp: on; Landlock: not in this kernel, or forbidden from outside", "landlock"},
    {SYS_seccomp, "seccomp: not in this kernel, or forbidden from outside; Landlock: version",
	"seccomp"},
};

static void
plan_without(struct stores_fixture *unused, const void *argument)
{
	const struct missing *m = argument;
	const struct stores_injection gone = {
	    .syscall = (unsigned int)m->call, .number = ENOSYS};
	struct fixture f;

	(void)unused;
	configure(&f, "");
	stores_inject(&gone);
	CHILD_ASSERT(plan(&f) == 0);
	CHILD_ASSERT(strncmp(f.sandbox.text, m->wanted, strlen(m->wanted)) == 0);
	CHILD_ASSERT(config_set(&f.config, m->key, "required", "t.conf", &f.e) == 0);
	CHILD_ASSERT(plan(&f) == -1 && f.e.code == ERROR_CONFIG);
	CHILD_ASSERT(strncmp(f.e.text, m->key, strlen(m->key)) == 0);
}

static void
what_the_kernel_has_not_is_said_and_refused_where_it_is_required(void **state)
{
	(void)state;
	need_all();
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		stores_in_child(plan_without, NULL, &missing[i]);
}

static void
what_is_there_may_be_required(void **state)
{
	struct fixture f;

	(void)state;
	need_all();
	configure(&f, "seccomp = required\nlandlock = required\n");
	assert_int_equal(plan(&f), 0);
	config_free(&f.config);
}

static const struct {
	const char *text;
	unsigned int signer;
	unsigned int worker;
	bool resolver_unprivileged;
} uses[] = {
    {"", FOR_SIGNER, FOR_WORKER, true},
    {"log = syslog\n", FOR_SIGNER, FOR_WORKER | FOR_SYSLOG, true},
    {"audit = syslog\n", FOR_SIGNER, FOR_WORKER | FOR_SYSLOG, true},
    {"audit = \"/var/log/a\"\n", FOR_SIGNER, FOR_WORKER, true},
    {"access = subject\n", FOR_SIGNER, FOR_WORKER | FOR_ACLS, true},
    {"private-key = \"file:/key.pem\"\n", FOR_SIGNER, FOR_WORKER, true},
    {"private-key = \"pkcs11:object=key\"\n", FOR_MODULE, FOR_WORKER, true},
    {"groups { resolvers = { \"unix\" } }\n", FOR_SIGNER, FOR_WORKER, true},
    {"groups { resolvers = { \"script\" }\nscript { files = { \"groups\" } } }\n", FOR_SIGNER,
	FOR_WORKER, false},
    {"password \"pam\" { service = \"x\" }\n", FOR_SIGNER, FOR_WORKER, false},
};

static void
what_is_configured_decides_what_is_let_through(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		struct fixture f;

		configure(&f, uses[i].text);
		assert_int_equal(plan(&f), 0);
		assert_int_equal(f.sandbox.signer, uses[i].signer);
		assert_int_equal(f.sandbox.worker, uses[i].worker);
		assert_int_equal(strstr(f.sandbox.text, "less for the signer") != NULL,
		    uses[i].signer == FOR_MODULE);
		assert_int_equal(
		    f.sandbox.resolver_unprivileged, uses[i].resolver_unprivileged);
		config_free(&f.config);
	}
}

static void
accounts_are_looked_up_by_another_process(void **state)
{
	struct fixture f;

	(void)state;
	configure(&f, "");
	assert_int_equal(plan(&f), 0);
	assert_false(f.sandbox.accounts);
	assert_int_equal(sandbox_plan(&f.sandbox, &f.config, true, &f.e), 0);
	assert_true(f.sandbox.accounts);
	assert_int_equal(f.sandbox.worker, FOR_WORKER);
	config_free(&f.config);
	configure(&f, "access = subject\n");
	assert_int_equal(plan(&f), 0);
	assert_true(f.sandbox.accounts);
	config_free(&f.config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_there_is_is_in_force_by_default),
	    cmocka_unit_test(each_can_be_turned_off_and_is_said_to_be),
	    cmocka_unit_test(what_the_kernel_has_not_is_said_and_refused_where_it_is_required),
	    cmocka_unit_test(what_is_there_may_be_required),
	    cmocka_unit_test(what_is_configured_decides_what_is_let_through),
	    cmocka_unit_test(accounts_are_looked_up_by_another_process),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
