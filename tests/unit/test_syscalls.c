/* fcgi: what the filters of system calls let through, by trying it in a process that has one.
 */
#define _GNU_SOURCE /* syscall */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/syscalls.h"
#include "tests/unit/attempts.h"

/* How a process ends whose try went through, and one that could not get its filter. */
enum { THROUGH = 0, UNCONFINED = 255 };

/* How a process with the filter ends that tries it: as waitpid(2) says. */
static int
end_of(attempt *tried, unsigned int uses)
{
	pid_t child = fork();
	int status;

	assert_int_not_equal(child, -1);
	if (child == 0) {
		struct error e;
		int rc = syscalls_confine(uses, &e);

		_exit(rc == -1 ? UNCONFINED : tried());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int
expected(const struct trial *t, unsigned int use)
{
	if (use == FOR_MODULE)
		return t->deadly ? SIGSYS : THROUGH;
	if ((t->through & use) != 0)
		return THROUGH;
	return t->deadly ? SIGSYS : ENOSYS;
}

static void
each_use_lets_through_what_it_needs(void **state)
{
	static const unsigned int uses[] = {
	    FOR_SIGNER, FOR_WORKER, FOR_SYSLOG, FOR_ACCOUNTS, FOR_ACLS};

	(void)state;
	for (size_t i = 0; i < attempts_count; i++) {
		const struct trial *t = &attempts_trials[i];

		for (size_t u = 0; u < sizeof(uses) / sizeof(uses[0]); u++) {
			bool alone = uses[u] == FOR_SIGNER || uses[u] == FOR_ACCOUNTS;
			unsigned int base = alone ? 0 : FOR_WORKER;
			int status = end_of(t->attempt, uses[u] | base);
			int end = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);

			if (end != expected(t, uses[u]) ||
			    WIFSIGNALED(status) != (end == SIGSYS && t->deadly))
				fail_msg("%s, use %#x: ends with %d instead of %d", t->name,
				    uses[u], end, expected(t, uses[u]));
		}
	}
}

/* Somebody else's code may do all but what no module of PKCS #11 has to. */
static void
a_module_is_let_through(void **state)
{
	static attempt *const through[] = {
	    attempts_open, attempts_socket, attempts_fork, attempts_thread, attempts_memory};

	(void)state;
	for (size_t i = 0; i < sizeof(through) / sizeof(through[0]); i++)
		assert_int_equal(end_of(through[i], FOR_MODULE), THROUGH);
	assert_true(WIFSIGNALED(end_of(attempts_ptrace, FOR_MODULE)));
	assert_true(WIFSIGNALED(end_of(attempts_execve, FOR_MODULE)));
	assert_true(WIFSIGNALED(end_of(attempts_namespace, FOR_MODULE)));
	/* Whose flags no filter sees: without it threads and processes are made by clone(2). */
	assert_int_equal(WEXITSTATUS(end_of(attempts_clone3, FOR_MODULE)), ENOSYS);
}

/* Bytes that the process has addresses for. */
static rlim_t
mapped(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &pages), 1);
	(void)fclose(file);
	return pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* Whether there is a filter then that is whole, or none and why. */
static int
confine_in(unsigned int uses, rlim_t room)
{
	const struct rlimit limit = {room, room};
	struct error e = {0};

	if (setrlimit(RLIMIT_AS, &limit) == -1)
		return EIO;
	if (syscalls_confine(uses, &e) == -1)
		return strstr(e.text, "memory") != NULL ? UNCONFINED : EINVAL;
	return attempts_kill() == ENOSYS && attempts_socket() == ENOSYS ? THROUGH : EPERM;
}

/* How many limits are too low. */
static int
count_unconfined(unsigned int uses)
{
	static const rlim_t step = 16 * 1024;
	int unconfined = 0, status;

	for (rlim_t room = step;; room += step) {
		pid_t child = fork();

		assert_int_not_equal(child, -1);
		if (child == 0)
			_exit(confine_in(uses, mapped() + room));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) != UNCONFINED)
			break;
		unconfined++;
	}
	assert_int_equal(WEXITSTATUS(status), THROUGH);
	return unconfined;
}

/* Where libseccomp would end the process, or make a filter that is none of ours. */
static void
without_memory_there_is_no_filter(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* which has reserved too much for such a limit */
#endif
	assert_in_range(count_unconfined(FOR_SIGNER), 1, 1000);
	assert_in_range(
	    count_unconfined(FOR_WORKER | FOR_SYSLOG | FOR_ACCOUNTS | FOR_ACLS), 1, 1000);
}

static void
abort_ends_a_process_as_ever(void **state)
{
	int status = end_of(attempts_abort, FOR_SIGNER);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

#ifdef __x86_64__
/* The numbers of another architecture, x32 here, are other calls. */
static int
try_other_architecture(void)
{
	const long x32 = 1 << 30;

	return syscall(x32 | SYS_getpid) == -1 ? errno : 0;
}

static void
another_architecture_ends_the_process(void **state)
{
	int status = end_of(try_other_architecture, FOR_WORKER);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}
#endif

/* A thread that was there before is confined with the rest. */
static void *
wait_and_open(void *pipe)
{
	static int answer;
	char byte;

	answer = read(*(int *)pipe, &byte, 1) == 1 ? attempts_open() : EIO;
	return &answer;
}

static int
try_in_other_thread(void)
{
	struct error e;
	int ends[2], *answer;
	void *returned;
	pthread_t id;

	if (pipe(ends) == -1 || pthread_create(&id, NULL, wait_and_open, ends) != 0 ||
	    syscalls_confine(FOR_SIGNER, &e) == -1 || write(ends[1], "", 1) != 1 ||
	    pthread_join(id, &returned) != 0)
		return EIO;
	answer = returned;
	return *answer;
}

static void
all_threads_are_confined(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_int_not_equal(child, -1);
	if (child == 0)
		_exit(try_in_other_thread());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), ENOSYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_use_lets_through_what_it_needs),
	    cmocka_unit_test(a_module_is_let_through),
	    cmocka_unit_test(without_memory_there_is_no_filter),
	    cmocka_unit_test(abort_ends_a_process_as_ever),
#ifdef __x86_64__
	    cmocka_unit_test(another_architecture_ends_the_process),
#endif
	    cmocka_unit_test(all_threads_are_confined),
	};

	return cmocka_run_group_tests_name("syscalls", tests, NULL, NULL);
}
