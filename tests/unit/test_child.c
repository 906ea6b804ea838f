/* fcgi: what is tried in a child before it is done. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/child.h"
#include "tests/unit/patience.h"

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
		int signal = 0;

		assert_int_equal(child_rehearse(end_by, &signals[i], &e), -1);
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		assert_int_equal(
		    sscanf(e.text,
			"the reading of the configuration ended by signal %d as it "
			"started: is there enough memory?",
			&signal),
		    1);
		assert_int_equal(signal, signals[i]);
		/* Nobody is left. */
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(errno, ECHILD);
	}
}

static int
hang(void *told, struct error *e)
{
	(void)e;
	(void)kill(getppid(), *(int *)told);
	while (pause() == -1)
		continue;
	return 0;
}

/* Where it hangs, a signal to us is not left to wait for its deadline; nor is it taken. */
static void
who_is_told_to_end_waits_for_nobody(void **state)
{
	static int signals[] = {SIGTERM, SIGINT};
	sigset_t ends, waiting;
	int taken;

	(void)state;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	assert_int_equal(sigprocmask(SIG_BLOCK, &ends, NULL), 0);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct error e = {0};

		assert_int_equal(child_rehearse(hang, &signals[i], &e), -1);
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		assert_string_equal(
		    e.text, "told to end while the reading of the configuration is started");
		assert_int_equal(sigpending(&waiting), 0);
		assert_int_equal(sigismember(&waiting, signals[i]), 1);
		assert_int_equal(sigwait(&ends, &taken), 0);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	}
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &ends, NULL), 0);
}

static void
serve(const void *pid, int ready)
{
	struct error e = {0};

	(void)pid;
	(void)child_report(ready, 0, &e);
	for (;;)
		pause();
}

/* What it does after its report is its own. */
static void
who_has_reported_well_stays(void **state)
{
	const struct child c = {.name = "child", .death = SIGKILL, .run = serve};
	struct error e = {0};
	pid_t pid = child_start(&c, &e);

	(void)state;
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_ends_well_did_whatever_was_tried_on_the_way),
	    cmocka_unit_test(what_fails_says_why),
	    cmocka_unit_test(what_ends_its_process_ends_not_ours),
	    cmocka_unit_test(who_is_told_to_end_waits_for_nobody),
	    cmocka_unit_test(who_has_reported_well_stays),
	};

	patience_end(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
