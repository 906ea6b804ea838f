/* fcgi: what Landlock leaves of the files, by trying it in a process that has its rules. */
#define _GNU_SOURCE /* O_TMPFILE, renameat2 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/landlock.h"

enum { UNCONFINED = 255 };

/* Directories with a file each, "old": tokens that are made, state that is kept, a log that is
 * begun anew, and what is nobody's business. */
struct fixture {
	char top[64];
	int tokens;
	int state;
	int outside;
	int log;
	int open; /* a file outside that was open before */
};

static int
make(const struct fixture *f, const char *name)
{
	int top = open(f->top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int directory, file;

	assert_int_equal(mkdirat(top, name, 0700), 0);
	directory = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(directory, -1);
	file = openat(directory, "old", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(file, "old", 3), 3);
	close(file);
	close(top);
	return directory;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	(void)snprintf(f->top, sizeof(f->top), "/tmp/landlock.XXXXXX");
	assert_non_null(mkdtemp(f->top));
	f->tokens = make(f, "tokens");
	f->state = make(f, "state");
	f->outside = make(f, "outside");
	f->log = make(f, "log");
	f->open = openat(f->outside, "old", O_RDONLY | O_CLOEXEC);
	*state = f;
	return 0;
}

static void
clear(const struct fixture *f, int directory, const char *name)
{
	static const char *const names[] = {"old", "new", "moved"};
	int top = open(f->top, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(directory, names[i], 0);
	close(directory);
	(void)unlinkat(top, name, AT_REMOVEDIR);
	close(top);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	close(f->open);
	clear(f, f->tokens, "tokens");
	clear(f, f->state, "state");
	clear(f, f->outside, "outside");
	clear(f, f->log, "log");
	(void)rmdir(f->top);
	free(f);
	return 0;
}

/* What is tried: 0 when it was done, else errno. */
typedef int attempt(const struct fixture *f);

static int
result(long rc)
{
	return rc == -1 ? errno : 0;
}

static int
in_top(const struct fixture *f, const char *name, int flags)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", f->top, name);
	return result(open(path, flags, 0600));
}

/* As a token is published. */
static int
publish_token(const struct fixture *f)
{
	char link[64];
	int fd = openat(f->tokens, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd == -1)
		return errno;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return result(linkat(AT_FDCWD, link, f->tokens, "new", AT_SYMLINK_FOLLOW));
}

/* The same where the file system has no unnamed files. */
static int
publish_named_token(const struct fixture *f)
{
	if (openat(f->tokens, "new", O_WRONLY | O_CREAT | O_EXCL, 0600) == -1 ||
	    linkat(f->tokens, "new", f->tokens, "moved", 0) == -1)
		return errno;
	return result(unlinkat(f->tokens, "new", 0));
}

static int
list_tokens(const struct fixture *f)
{
	return result(openat(f->tokens, ".", O_RDONLY | O_DIRECTORY));
}

static int
read_token(const struct fixture *f)
{
	return result(openat(f->tokens, "old", O_RDONLY));
}

static int
read_token_by_path(const struct fixture *f)
{
	return in_top(f, "tokens/old", O_RDONLY);
}

static int
write_state(const struct fixture *f)
{
	return result(openat(f->state, "old", O_RDWR));
}

static int
replace_state(const struct fixture *f)
{
	if (openat(f->state, "new", O_WRONLY | O_CREAT | O_EXCL, 0600) == -1 ||
	    renameat2(f->state, "new", f->state, "old", RENAME_EXCHANGE) == -1)
		return errno;
	return result(renameat2(f->state, "new", f->state, "moved", RENAME_NOREPLACE));
}

static int
begin_log(const struct fixture *f)
{
	return in_top(f, "log/new", O_WRONLY | O_APPEND | O_CREAT);
}

static int
go_on_with_log(const struct fixture *f)
{
	return in_top(f, "log/old", O_WRONLY | O_APPEND | O_CREAT);
}

static int
read_what_is_open(const struct fixture *f)
{
	char bytes[4];

	return read(f->open, bytes, sizeof(bytes)) == 3 ? 0 : EIO;
}

static int
look_at_a_path(const struct fixture *f)
{
	struct stat st;

	return result(stat(f->top, &st));
}

static int
read_outside(const struct fixture *f)
{
	return result(openat(f->outside, "old", O_RDONLY));
}

static int
write_outside(const struct fixture *f)
{
	return result(openat(f->outside, "old", O_WRONLY));
}

static int
make_outside(const struct fixture *f)
{
	return result(openat(f->outside, "new", O_WRONLY | O_CREAT, 0600));
}

static int
remove_outside(const struct fixture *f)
{
	return result(unlinkat(f->outside, "old", 0));
}

static int
list_outside(const struct fixture *f)
{
	return result(openat(f->outside, ".", O_RDONLY | O_DIRECTORY));
}

static int
reopen_outside(const struct fixture *f)
{
	char link[64];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", f->open);
	return result(open(link, O_RDONLY));
}

static int
read_accounts(const struct fixture *f)
{
	(void)f;
	return result(open("/etc/passwd", O_RDONLY));
}

/* EXDEV is what the kernel says where no rule could ever allow it. */
static int
refused(long rc)
{
	return rc == -1 && errno == EXDEV ? EACCES : result(rc);
}

static int
move_out(const struct fixture *f)
{
	return refused(renameat(f->tokens, "old", f->outside, "new"));
}

static int
link_in(const struct fixture *f)
{
	return refused(linkat(f->outside, "old", f->tokens, "new", 0));
}

static int
make_symbolic_link(const struct fixture *f)
{
	return result(symlinkat("/etc/passwd", f->tokens, "new"));
}

static int
make_directory(const struct fixture *f)
{
	return result(mkdirat(f->tokens, "new", 0700));
}

static int
make_pipe(const struct fixture *f)
{
	return result(mkfifoat(f->state, "new", 0600));
}

static int
remove_log(const struct fixture *f)
{
	return result(unlinkat(f->log, "old", 0));
}

static int
read_log(const struct fixture *f)
{
	return in_top(f, "log/old", O_RDONLY);
}

static int
run_program(const struct fixture *f)
{
	char name[] = "true";
	char *const command[] = {name, NULL};

	(void)f;
	return result(execve("/bin/true", command, command + 1));
}

static int
connect_by_tcp(const struct fixture *f)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(1)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)f;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1 &&
		       errno == ECONNREFUSED
		   ? 0
		   : errno;
}

static int
bind_to_tcp(const struct fixture *f)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)f;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return result(bind(fd, (const struct sockaddr *)&to, sizeof(to)));
}

static int
signal_another(const struct fixture *f)
{
	(void)f;
	return result(kill(getppid(), 0)) == EPERM ? EACCES : 0;
}

static const struct trial {
	const char *name;
	attempt *attempt;
	int expected;
	int since; /* the version of Landlock that refuses it */
} trials[] = {
    {"publish a token", publish_token, 0, 1},
    {"publish a token by a name", publish_named_token, 0, 1},
    {"list tokens", list_tokens, 0, 1},
    {"write state", write_state, 0, 1},
    {"replace state", replace_state, 0, 1},
    {"begin a log", begin_log, 0, 1},
    {"go on with a log", go_on_with_log, 0, 1},
    {"read what is open", read_what_is_open, 0, 1},
    {"look at a path", look_at_a_path, 0, 1},
    {"read a token", read_token, EACCES, 1},
    {"read a token by its path", read_token_by_path, EACCES, 1},
    {"read the log", read_log, EACCES, 1},
    {"remove the log", remove_log, EACCES, 1},
    {"read outside", read_outside, EACCES, 1},
    {"write outside", write_outside, EACCES, 1},
    {"make a file outside", make_outside, EACCES, 1},
    {"remove a file outside", remove_outside, EACCES, 1},
    {"list outside", list_outside, EACCES, 1},
    {"open anew what is open", reopen_outside, EACCES, 1},
    {"read accounts", read_accounts, EACCES, 1},
    {"move a token out", move_out, EACCES, 1},
    {"link a file in", link_in, EACCES, 1},
    {"make a symbolic link", make_symbolic_link, EACCES, 1},
    {"make a directory", make_directory, EACCES, 1},
    {"make a pipe", make_pipe, EACCES, 1},
    {"run a program", run_program, EACCES, 1},
    {"bind to TCP", bind_to_tcp, EACCES, 4},
    {"connect by TCP", connect_by_tcp, EACCES, 4},
    {"signal another process", signal_another, EACCES, 6},
};

/* The rights of a worker, as sandbox.c gives them. */
static int
confine(const struct fixture *f)
{
	const unsigned int token = MAY_CREATE | MAY_REMOVE | MAY_LIST;
	char log[128];
	const struct place places[] = {{f->tokens, NULL, token},
	    {f->state, NULL, token | MAY_READ | MAY_WRITE}, {-1, log, MAY_CREATE},
	    {-1, NULL, MAY_READ}, {-1, "/nowhere", MAY_READ}};
	struct error e;

	(void)snprintf(log, sizeof(log), "%s/log", f->top);
	return landlock_confine(places, sizeof(places) / sizeof(places[0]), &e);
}

static int
end_of(const struct fixture *f, attempt *tried)
{
	pid_t child = fork();
	int status;

	assert_int_not_equal(child, -1);
	if (child == 0)
		_exit(confine(f) == -1 ? UNCONFINED : tried(f));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Each in directories of its own, since a try changes them when it is let through. */
static void
a_process_has_the_files_it_was_given_and_no_others(void **state)
{
	int version = landlock_version();

	(void)state;
	if (version == 0)
		skip();
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		const struct trial *t = &trials[i];
		void *fixture;
		int end;

		setup(&fixture);
		end = end_of(fixture, t->attempt);
		teardown(&fixture);
		if (t->since <= version && end != t->expected)
			fail_msg("%s: ends with %d instead of %d", t->name, end, t->expected);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_process_has_the_files_it_was_given_and_no_others),
	};

	return cmocka_run_group_tests_name("landlock", tests, NULL, NULL);
}
