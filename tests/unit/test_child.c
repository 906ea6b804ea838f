/* fcgi: what is tried in a child before it is done. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/child.h"

/* A first look that fails, and a second one that does not. */
static int
find_it_in_the_end(void *context, struct error *e)
{
	(void)error_set(e, ERROR_CONFIG, "it is not where it was looked for first");
	*(int *)context += 1;
	return 0;
}

static void
what_ends_well_did_whatever_was_tried_on_the_way(void **state)
{
	struct error e = {0};
	int touched = 0;

	(void)state;
	assert_int_equal(child_rehearse(find_it_in_the_end, &touched, &e), 0);
	assert_int_equal(e.code, ERROR_NONE);
	assert_int_equal(touched, 0); /* it was a child's */
}

static int
refuse(void *context, struct error *e)
{
	return error_set(e, ERROR_CONFIG, "%s", (const char *)context);
}

static void
what_fails_says_why(void **state)
{
	char reason[] = "line 7: no such key";
	struct error e = {0};

	(void)state;
	assert_int_equal(child_rehearse(refuse, reason, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(e.text, reason);
}

static int
end_by(void *signal, struct error *e)
{
	(void)e;
	(void)sigaction(*(int *)signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	return raise(*(int *)signal);
}

static void
what_ends_its_process_ends_not_ours(void **state)
{
	static int signals[] = {SIGSEGV, SIGABRT, SIGKILL};

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct error e = {0};

		assert_int_equal(child_rehearse(end_by, &signals[i], &e), -1);
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		assert_string_equal(e.text,
		    "the trial ended as it started, or took too long: is there enough memory?");
		/* Nobody is left. */
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(errno, ECHILD);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_ends_well_did_whatever_was_tried_on_the_way),
	    cmocka_unit_test(what_fails_says_why),
	    cmocka_unit_test(what_ends_its_process_ends_not_ours),
	};

	alarm(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
