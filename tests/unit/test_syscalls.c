/* fcgi: what the filters of system calls let through, by trying it in a process that has one.
 */
#define _GNU_SOURCE /* CLONE_NEWUSER, syscall, MAP_ANONYMOUS */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/syscalls.h"

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

/* How a process ends whose try went through, and one that could not get its filter. */
enum { THROUGH = 0, UNCONFINED = 255 };

/* What is tried: 0 when it was done, else errno. */
typedef int attempt(void);

static int
result(long rc)
{
	return rc == -1 ? errno : 0;
}

static int
try_open(void)
{
	return result(open("/dev/null", O_RDONLY));
}

static int
try_openat(void)
{
	return result(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY));
}

static int
try_stat(void)
{
	struct stat st;

	return result(stat("/", &st));
}

static int
try_unlink(void)
{
	return result(unlink("/nowhere"));
}

static int
try_mkdir(void)
{
	return result(mkdir("/nowhere/at/all", 0700));
}

static int
try_chroot(void)
{
	return result(chroot("/nowhere"));
}

static int
try_socket(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int
try_socket6(void)
{
	return result(socket(AF_INET6, SOCK_DGRAM, 0));
}

static int
try_unix_socket(void)
{
	return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int
try_netlink(void)
{
	return result(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int
try_pair(void)
{
	int pair[2];

	return result(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

/* From which anything could be sent anywhere. */
static int
try_datagrams(void)
{
	int pair[2];

	return result(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
}

static int
try_datagram_socket(void)
{
	return result(socket(AF_UNIX, SOCK_DGRAM, 0));
}

static int
try_address(void)
{
	struct sockaddr to = {.sa_family = AF_UNIX};

	return sendto(STDERR_FILENO, "", 1, 0, &to, sizeof(to)) == -1 && errno == ENOTSOCK
		   ? 0
		   : errno;
}

/* By TCP, and so past Landlock. */
static int
try_fast_open(void)
{
	const struct msghdr nothing = {0};

	return sendmsg(STDERR_FILENO, &nothing, MSG_FASTOPEN) == -1 && errno == ENOTSOCK
		   ? 0
		   : errno;
}

static int
try_packet(void)
{
	const struct msghdr nothing = {0};

	return sendmsg(STDERR_FILENO, &nothing, MSG_NOSIGNAL) == -1 && errno == ENOTSOCK
		   ? 0
		   : errno;
}

static int
try_half_close(void)
{
	return shutdown(-1, SHUT_WR) == -1 && errno == EBADF ? 0 : errno;
}

static int
try_close(void)
{
	return shutdown(-1, SHUT_RDWR) == -1 && errno == EBADF ? 0 : errno;
}

static int
try_close_reading(void)
{
	return shutdown(-1, SHUT_RD) == -1 && errno == EBADF ? 0 : errno;
}

static int
try_flags(void)
{
	return result(fcntl(STDERR_FILENO, F_GETFL));
}

static int
try_flags_set(void)
{
	return result(fcntl(STDERR_FILENO, F_SETFD, 0));
}

/* Of the kernel, which the C library asks in its own way. */
static int
try_owner(void)
{
	return result(syscall(SYS_fcntl, STDERR_FILENO, F_SETOWN, getppid()));
}

static int
try_owner_ex(void)
{
	const struct f_owner_ex owner = {F_OWNER_PID, getppid()};

	return result(syscall(SYS_fcntl, STDERR_FILENO, F_SETOWN_EX, &owner));
}

static int
try_signal(void)
{
	return result(syscall(SYS_fcntl, STDERR_FILENO, F_SETSIG, SIGKILL));
}

static int
try_connect(void)
{
	struct sockaddr to = {.sa_family = AF_UNIX};

	return connect(-1, &to, sizeof(to)) == -1 && errno == EBADF ? 0 : errno;
}

static int
try_bind(void)
{
	struct sockaddr to = {.sa_family = AF_UNIX};

	return bind(-1, &to, sizeof(to)) == -1 && errno == EBADF ? 0 : errno;
}

static int
try_listen(void)
{
	return listen(-1, 1) == -1 && errno == EBADF ? 0 : errno;
}

static int
try_accept(void)
{
	return accept4(-1, NULL, NULL, 0) == -1 && errno == EBADF ? 0 : errno;
}

static int
try_execve(void)
{
	char name[] = "true";
	char *const command[] = {name, NULL};

	return result(execve("/bin/true", command, command + 1));
}

static int
try_execveat(void)
{
	char name[] = "true";
	char *const command[] = {name, NULL};

	return result(syscall(SYS_execveat, AT_FDCWD, "/bin/true", command, command + 1, 0));
}

static int
try_ptrace(void)
{
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
try_read_process(void)
{
	char byte, other;
	struct iovec to = {&byte, 1}, from = {&other, 1};

	return result(process_vm_readv(getppid(), &to, 1, &from, 1, 0));
}

static int
try_bpf(void)
{
	return result(syscall(SYS_bpf, 0, NULL, 0));
}

static int
try_io_uring(void)
{
	return result(syscall(SYS_io_uring_setup, 1, NULL));
}

static int
try_unshare(void)
{
	return result(syscall(SYS_unshare, 0));
}

static int
try_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return result(child);
}

static void *
idle(void *nothing)
{
	return nothing;
}

static int
try_thread(void)
{
	pthread_t id;

	if (pthread_create(&id, NULL, idle, NULL) != 0)
		return ENOSYS;
	(void)pthread_detach(id);
	return 0;
}

/* As fork(2) would, but that the child is in a namespace. */
static int
try_namespace(void)
{
	long child = syscall(
	    SYS_clone, (unsigned long)(CLONE_NEWUSER | SIGCHLD), NULL, NULL, NULL, NULL);

	if (child == 0)
		_exit(0);
	return result(child);
}

static int
try_clone3(void)
{
	/* What the kernel would say to it is EINVAL. */
	return syscall(SYS_clone3, NULL, (size_t)0) == -1 && errno == EINVAL ? 0 : errno;
}

static int
try_kill(void)
{
	return result(kill(getppid(), 0));
}

static int
try_tgkill(void)
{
	return result(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int
try_abort(void)
{
	abort();
}

static int
try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		       MAP_FAILED
		   ? errno
		   : 0;
}

static int
try_writable_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0) == MAP_FAILED
		   ? errno
		   : 0;
}

static int
try_typing(void)
{
	/* Of no descriptor: what the kernel would say is EBADF. */
	return result(ioctl(-1, TIOCSTI, "x"));
}

static int
try_data_as_code(void)
{
	void *page = mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? EINVAL : result(mprotect(page, 4096, PROT_EXEC));
}

static int
try_dumpable(void)
{
	return result(prctl(PR_SET_DUMPABLE, 1));
}

static int
try_setuid(void)
{
	return result(setuid(getuid()));
}

static int
try_mlock(void)
{
	return result(syscall(SYS_munlockall));
}

static int
try_chmod(void)
{
	return fchmod(-1, 0600) == -1 && errno == EBADF ? 0 : errno;
}

static int
try_futimens(void)
{
	return syscall(SYS_utimensat, -1, NULL, NULL, 0) == -1 && errno == EBADF ? 0 : errno;
}

static int
try_utimensat(void)
{
	return result(utimensat(AT_FDCWD, "/nowhere", NULL, 0));
}

static int
try_acl(void)
{
	return syscall(SYS_fsetxattr, -1, "user.x", "", 0, 0) == -1 && errno == EBADF ? 0
										      : errno;
}

static int
try_memory(void)
{
	const size_t large = 64 * 1024 * 1024;
	char *small = malloc(100), *big = malloc(large);

	if (small == NULL || big == NULL)
		return ENOMEM;
	small[0] = big[large - 1] = 1;
	big = realloc(big, 2 * large);
	free(small);
	free(big);
	return 0;
}

static int
try_time(void)
{
	const struct timespec moment = {.tv_nsec = 1000};
	struct timespec now;

	return result(syscall(SYS_clock_gettime, CLOCK_REALTIME, &now)) == 0 &&
		       nanosleep(&moment, NULL) == 0
		   ? 0
		   : errno;
}

static int
try_random(void)
{
	char byte;

	return result(syscall(SYS_getrandom, &byte, 1, 0));
}

static int
try_message(void)
{
	char byte = 0;

	return send(STDERR_FILENO, &byte, 0, 0) == -1 && errno == ENOTSOCK &&
		       recv(STDERR_FILENO, &byte, 1, 0) == -1 && errno == ENOTSOCK
		   ? 0
		   : errno;
}

static int
try_log(void)
{
	return result(write(STDERR_FILENO, "", 0));
}

/* What a use lets through, what fails with ENOSYS, and what ends the process. */
struct trial {
	const char *name;
	attempt *attempt;
	unsigned int through; /* uses, each of them tried by itself with its base */
	bool deadly;          /* to all the others, FOR_MODULE among them */
};

enum {
	NOBODY = 0,
	BOTH = FOR_SIGNER | FOR_WORKER,
	WORKERS = FOR_WORKER | FOR_SYSLOG | FOR_ACCOUNTS | FOR_ACLS,
	ALL = WORKERS | FOR_SIGNER,
	BEYOND = FOR_SYSLOG | FOR_ACCOUNTS,
};

static const struct trial trials[] = {
    /* what is needed */
    {"memory", try_memory, ALL, false},
    {"time", try_time, ALL, false},
    {"getrandom", try_random, ALL, false},
    {"send and recv", try_message, ALL, false},
    {"write", try_log, ALL, false},
    {"sendmsg", try_packet, ALL, false},
    {"shutdown, SHUT_WR", try_half_close, WORKERS, false},
    {"openat", try_openat, WORKERS, false},
    {"open", try_open, WORKERS, false},
    {"stat", try_stat, WORKERS, false},
    {"fchmod", try_chmod, WORKERS, false},
    {"futimens", try_futimens, WORKERS, false},
    {"accept4", try_accept, WORKERS, false},
    {"socketpair", try_pair, WORKERS, false},
    {"fsetxattr", try_acl, FOR_ACLS, false},
    {"a Unix socket", try_unix_socket, BEYOND, false},
    {"a Unix socket of datagrams", try_datagram_socket, FOR_SYSLOG, false},
    {"connect", try_connect, BEYOND, false},
    {"fcntl, F_GETFL", try_flags, WORKERS, false},
    {"fcntl, F_SETFD", try_flags_set, WORKERS, false},
    {"code from a file", try_code, FOR_ACCOUNTS, false},
    {"mprotect", try_data_as_code, FOR_ACCOUNTS, false},
    /* what nobody needs */
    {"an IPv4 socket", try_socket, NOBODY, false},
    {"an IPv6 socket", try_socket6, NOBODY, false},
    {"a pair for datagrams", try_datagrams, NOBODY, false},
    {"sendmsg that connects", try_fast_open, NOBODY, false},
    {"shutdown, SHUT_RDWR", try_close, NOBODY, false},
    {"shutdown, SHUT_RD", try_close_reading, NOBODY, false},
    {"sendto with an address", try_address, NOBODY, false},
    {"fcntl, F_SETOWN", try_owner, NOBODY, false},
    {"fcntl, F_SETOWN_EX", try_owner_ex, NOBODY, false},
    {"fcntl, F_SETSIG", try_signal, NOBODY, false},
    {"a netlink socket", try_netlink, NOBODY, false},
    {"bind", try_bind, NOBODY, false},
    {"listen", try_listen, NOBODY, false},
    {"unlink", try_unlink, NOBODY, false},
    {"mkdir", try_mkdir, NOBODY, false},
    {"utimensat", try_utimensat, NOBODY, false},
    {"code that can be written", try_writable_code, NOBODY, false},
    {"typing into a terminal", try_typing, NOBODY, false},
    {"fork", try_fork, NOBODY, false},
    {"clone3", try_clone3, NOBODY, false},
    {"pthread_create", try_thread, NOBODY, false},
    {"kill", try_kill, NOBODY, false},
    {"tgkill", try_tgkill, NOBODY, false},
    {"to be dumpable", try_dumpable, NOBODY, false},
    {"setuid", try_setuid, NOBODY, false},
    {"munlockall", try_mlock, NOBODY, false},
    /* what is certainly an intruder's */
    {"execve", try_execve, NOBODY, true},
    {"execveat", try_execveat, NOBODY, true},
    {"ptrace", try_ptrace, NOBODY, true},
    {"process_vm_readv", try_read_process, NOBODY, true},
    {"bpf", try_bpf, NOBODY, true},
    {"chroot", try_chroot, NOBODY, true},
    {"io_uring_setup", try_io_uring, NOBODY, true},
    {"unshare", try_unshare, NOBODY, true},
    {"clone into a namespace", try_namespace, NOBODY, true},
};

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
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		const struct trial *t = &trials[i];

		for (size_t u = 0; u < sizeof(uses) / sizeof(uses[0]); u++) {
			unsigned int base = uses[u] == FOR_SIGNER ? 0 : FOR_WORKER;
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
	    try_open, try_socket, try_fork, try_thread, try_memory};

	(void)state;
	for (size_t i = 0; i < sizeof(through) / sizeof(through[0]); i++)
		assert_int_equal(end_of(through[i], FOR_MODULE), THROUGH);
	assert_true(WIFSIGNALED(end_of(try_ptrace, FOR_MODULE)));
	assert_true(WIFSIGNALED(end_of(try_execve, FOR_MODULE)));
	assert_true(WIFSIGNALED(end_of(try_namespace, FOR_MODULE)));
	/* Whose flags no filter sees: without it threads and processes are made by clone(2). */
	assert_int_equal(WEXITSTATUS(end_of(try_clone3, FOR_MODULE)), ENOSYS);
}

/* Whether there is a filter then, or none and why. */
static int
confine_in(rlim_t room)
{
	const struct rlimit limit = {room, room};
	struct error e = {0};

	if (setrlimit(RLIMIT_AS, &limit) == -1)
		return EIO;
	return syscalls_confine(FOR_WORKER, &e) == 0 ? THROUGH
	       : strstr(e.text, "memory") != NULL    ? UNCONFINED
						     : EINVAL;
}

/* Where libseccomp would end the process, or make a filter that is none of ours. */
static void
without_memory_there_is_no_filter(void **state)
{
	static const rlim_t step = 16 * 1024;
	int unconfined = 0, ended;

	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* which has reserved too much for such a limit */
#endif
	for (rlim_t room = step;; room += step) {
		pid_t child = fork();
		int status;

		assert_int_not_equal(child, -1);
		if (child == 0)
			_exit(confine_in(mapped() + room));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		ended = WEXITSTATUS(status);
		if (ended != UNCONFINED)
			break;
		unconfined++;
	}
	assert_int_equal(ended, THROUGH);
	assert_in_range(unconfined, 1, 1000);
}

static void
abort_ends_a_process_as_ever(void **state)
{
	int status = end_of(try_abort, FOR_SIGNER);

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

	return result(syscall(x32 | SYS_getpid));
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

	answer = read(*(int *)pipe, &byte, 1) == 1 ? try_open() : EIO;
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
