/* authserver-keep: what is done when a file has changed, and what of it cannot be. */
#define _GNU_SOURCE /* asprintf, mkdtemp, memfd_create */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/failures.h"
#include "tools/authserver-keep/hooks.h"

/* What starts a program is prepared in steps, each of which may fail. */
#define STEP(name, parameters, arguments)                                       \
	int __real_##name parameters;                                           \
	int __wrap_##name parameters;                                           \
	int __wrap_##name parameters                                            \
	{                                                                       \
		return failures_hit("step") ? ENOMEM : __real_##name arguments; \
	}

STEP(posix_spawnattr_init, (posix_spawnattr_t * a), (a))
STEP(posix_spawnattr_setflags, (posix_spawnattr_t * a, short f), (a, f))
STEP(posix_spawnattr_setpgroup, (posix_spawnattr_t * a, pid_t p), (a, p))
STEP(posix_spawnattr_setsigmask, (posix_spawnattr_t * a, const sigset_t *s), (a, s))
STEP(posix_spawnattr_setsigdefault, (posix_spawnattr_t * a, const sigset_t *s), (a, s))
STEP(posix_spawn_file_actions_init, (posix_spawn_file_actions_t * a), (a))
STEP(posix_spawn_file_actions_addopen,
    (posix_spawn_file_actions_t * a, int fd, const char *p, int f, mode_t m), (a, fd, p, f, m))
STEP(
    posix_spawn_file_actions_adddup2, (posix_spawn_file_actions_t * a, int o, int n), (a, o, n))
STEP(posix_spawn_file_actions_addchdir_np, (posix_spawn_file_actions_t * a, const char *p),
    (a, p))
STEP(posix_spawn_file_actions_addclosefrom_np, (posix_spawn_file_actions_t * a, int n), (a, n))

struct fixture {
	struct log log;
	struct hooks *hooks;
	char folder[32];
	char *file; /* in the folder */
};

static int
make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (f == NULL)
		return -1;
	memcpy(f->folder, "/tmp/test_hooks.XXXXXX", 23);
	f->log = (struct log){.fd = memfd_create("log", MFD_CLOEXEC), .clock = &clock_system};
	f->hooks = hooks_new(&f->log);
	if (f->log.fd == -1 || f->hooks == NULL || mkdtemp(f->folder) == NULL ||
	    asprintf(&f->file, "%s/file", f->folder) == -1)
		return -1;
	return 0;
}

static int
clean(void **state)
{
	struct fixture *f = *state;

	(void)failures_set(NULL, 0, 0, 0);
	hooks_free(f->hooks);
	close(f->log.fd);
	(void)unlink(f->file);
	(void)rmdir(f->folder);
	free(f->file);
	free(f);
	return 0;
}

/* How often the log has the text; it is emptied. */
static int
logged(struct fixture *f, const char *text)
{
	char log[8192];
	ssize_t n = pread(f->log.fd, log, sizeof(log) - 1, 0);
	int count = 0;

	assert_true(n >= 0);
	log[n] = '\0';
	for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
		count++;
	if (n > 0 && count == 0)
		print_message("%s", log);
	assert_int_equal(ftruncate(f->log.fd, 0), 0);
	(void)lseek(f->log.fd, 0, SEEK_SET);
	return count;
}

static void
write_file(const struct fixture *f, const char *text)
{
	int fd = open(f->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static struct keep_section
command(const char *name, char **words, size_t count)
{
	return (struct keep_section){
	    .name = (char *)(uintptr_t)name, .command = {words, count}, .timeout = 60};
}

static void
how_a_command_ends_is_logged_unless_it_is_well(void **state)
{
	static const struct {
		const char *script, *said;
	} rows[] = {{"exit 3", "Command of keep 'web' for /file: exit status 3"},
	    {"kill -9 $$", "Command of keep 'web' for /file: ended by signal 9"},
	    {"[ \"$AUTHSERVER_FILE $AUTHSERVER_SUBJECT\" = '/file jane' ] || exit 1", NULL}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *words[] = {"/bin/sh", "-c", (char *)(uintptr_t)rows[i].script};
		const struct keep_section s = command("web", words, 3);

		hooks_add(f->hooks, &s, "/file", "jane");
		hooks_wait(f->hooks);
		assert_int_equal(logged(f, rows[i].said != NULL ? rows[i].said : "Command"),
		    rows[i].said != NULL);
	}
}

static void
command_that_is_not_there_is_logged(void **state)
{
	char *words[] = {"/nowhere/program"};
	const struct keep_section s = command("web", words, 1);
	struct fixture *f = *state;

	hooks_add(f->hooks, &s, "/file", "jane");
	hooks_wait(f->hooks);
	assert_int_equal(logged(f, "/nowhere/program: No such file or directory"), 1);
}

static void
command_that_takes_too_long_is_killed(void **state)
{
	char *words[] = {"/bin/sleep", "60"};
	struct keep_section s = command("web", words, 2);
	struct fixture *f = *state;

	s.timeout = 0;
	assert_true(hooks_next(f->hooks) == INT64_MAX);
	hooks_add(f->hooks, &s, "/file", "jane");
	hooks_turn(f->hooks);
	assert_true(hooks_next(f->hooks) <= clock_monotonic(&clock_system));
	hooks_wait(f->hooks);
	assert_int_equal(logged(f, "killed, for it took more seconds than 0"), 1);
}

/* Each line of the file is one run of the command. */
static int
count_runs(const struct fixture *f)
{
	char text[256];
	int fd = open(f->file, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text));

	close(fd);
	assert_true(n >= 0);
	return (int)n;
}

static void
command_waits_while_the_same_runs_for_its_file(void **state)
{
	char alone[] = "mkdir $AUTHSERVER_SUBJECT.d || exit 1; printf x >>$AUTHSERVER_SUBJECT; "
		       "sleep 0.1; rmdir $AUTHSERVER_SUBJECT.d";
	char free_for_all[] = "printf x >>$AUTHSERVER_SUBJECT";
	char *words[] = {"/bin/sh", "-c", alone}, *others[] = {"/bin/sh", "-c", free_for_all};
	struct keep_section s = command("web", words, 3), t = command("mail", others, 3);
	struct fixture *f = *state;

	write_file(f, "");
	hooks_add(f->hooks, &s, "/file", f->file);
	hooks_turn(f->hooks);
	/* It runs: one more has to be, and one for whatever else changes meanwhile. */
	hooks_add(f->hooks, &s, "/file", f->file);
	hooks_add(f->hooks, &s, "/file", f->file);
	/* Other files and other sections are no part of this. */
	s.command.items = others;
	hooks_add(f->hooks, &s, "/other", f->file);
	hooks_add(f->hooks, &t, "/file", f->file);
	hooks_turn(f->hooks);
	assert_true(hooks_next(f->hooks) < INT64_MAX);
	hooks_wait(f->hooks);
	assert_int_equal(count_runs(f), 4);
	assert_int_equal(logged(f, "Command"), 0);
}

static void
no_more_than_eight_run_at_once(void **state)
{
	char *words[] = {"/bin/sleep", "60"};
	struct keep_section s = command("web", words, 2);
	struct fixture *f = *state;
	char path[16];

	for (int i = 0; i < 9; i++) {
		(void)snprintf(path, sizeof(path), "/file%d", i);
		s.timeout = i < 8 ? 60 : 0;
		hooks_add(f->hooks, &s, path, "jane");
	}
	hooks_turn(f->hooks);
	/* The ninth, whose time would be over, has not begun; all end with hooks_free(). */
	assert_true(hooks_next(f->hooks) > clock_monotonic(&clock_system));
}

static void
signal_is_sent_once_for_all_files(void **state)
{
	struct fixture *f = *state;
	struct keep_section s = {.name = "web", .pid_file = f->file, .signal = SIGUSR1};
	sigset_t set;
	char number[32];

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	(void)snprintf(number, sizeof(number), "%d\n", (int)getpid());
	write_file(f, number);
	hooks_add(f->hooks, &s, "/a", "a");
	hooks_add(f->hooks, &s, "/b", "b");
	hooks_wait(f->hooks);
	assert_int_equal(logged(f, "signal"), 0);
	assert_int_equal(sigtimedwait(&set, NULL, &(struct timespec){0}), SIGUSR1);
}

static void
file_that_names_no_process_is_logged(void **state)
{
	static const char *const texts[] = {
	    "", "\n", "1", "0", "-5", "x", "99999999999", "5 6"};
	struct fixture *f = *state;
	struct keep_section s = {.name = "web", .pid_file = f->file, .signal = SIGUSR1};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(f, texts[i]);
		hooks_add(f->hooks, &s, "/a", "a");
		hooks_wait(f->hooks);
		assert_int_equal(logged(f, "holds no process number"), 1);
	}
	/* One that is no process's: beyond what the kernel gives. */
	write_file(f, "2147483647\n");
	hooks_add(f->hooks, &s, "/a", "a");
	hooks_wait(f->hooks);
	assert_int_equal(logged(f, "process 2147483647: No such process"), 1);
	assert_int_equal(chmod(f->file, 0666), 0);
	hooks_add(f->hooks, &s, "/a", "a");
	hooks_wait(f->hooks);
	assert_int_equal(logged(f, "No signal for keep 'web': "), 1);
}

static void
short_memory_is_logged_and_leaves_nothing(void **state)
{
	char *words[] = {"/bin/sh", "-c", "exit 1"};
	struct fixture *f = *state;
	struct keep_section s = command("web", words, 3);
	int turn;

	for (turn = 0; turn < 20; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		hooks_add(f->hooks, &s, "/file", "jane");
		if (failures_set(NULL, 0, 0, 0) == 0)
			break;
		hooks_wait(f->hooks);
		assert_int_equal(logged(f, "out of memory"), 1);
	}
	assert_true(turn >= 5);
	/* What has been added can still not be started. */
	(void)failures_set("memory", 0, 1, ENOMEM);
	hooks_wait(f->hooks);
	assert_int_equal(logged(f, "/bin/sh: Cannot allocate memory"), 1);
	s = (struct keep_section){.name = "web", .pid_file = f->file, .signal = SIGUSR1};
	for (turn = 0; turn < 20; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		hooks_add(f->hooks, &s, "/file", "jane");
		if (failures_set(NULL, 0, 0, 0) == 0)
			break;
		assert_int_equal(logged(f, "out of memory"), 1);
	}
	assert_int_equal(turn, 3);
	(void)failures_set("memory", 0, 1, ENOMEM);
	assert_null(hooks_new(&f->log));
}

static void
command_that_cannot_be_prepared_is_logged(void **state)
{
	char *words[] = {"/bin/true"};
	const struct keep_section s = command("web", words, 1);
	struct fixture *f = *state;
	int turn;

	for (turn = 0; turn < 20; turn++) {
		(void)failures_set("step", turn, 1, ENOMEM);
		hooks_add(f->hooks, &s, "/file", "jane");
		hooks_wait(f->hooks);
		if (failures_set(NULL, 0, 0, 0) == 0)
			break;
		assert_int_equal(logged(f, "/bin/true: Cannot allocate memory"), 1);
	}
	assert_int_equal(turn, 10);
	assert_int_equal(logged(f, "Command"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		how_a_command_ends_is_logged_unless_it_is_well, make, clean),
	    cmocka_unit_test_setup_teardown(command_that_is_not_there_is_logged, make, clean),
	    cmocka_unit_test_setup_teardown(command_that_takes_too_long_is_killed, make, clean),
	    cmocka_unit_test_setup_teardown(
		command_waits_while_the_same_runs_for_its_file, make, clean),
	    cmocka_unit_test_setup_teardown(no_more_than_eight_run_at_once, make, clean),
	    cmocka_unit_test_setup_teardown(signal_is_sent_once_for_all_files, make, clean),
	    cmocka_unit_test_setup_teardown(file_that_names_no_process_is_logged, make, clean),
	    cmocka_unit_test_setup_teardown(
		short_memory_is_logged_and_leaves_nothing, make, clean),
	    cmocka_unit_test_setup_teardown(
		command_that_cannot_be_prepared_is_logged, make, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
