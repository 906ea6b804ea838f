#define _GNU_SOURCE /* CLONE_NEWUSER, syscall, MAP_ANONYMOUS */
#include "tests/unit/attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/syscalls.h"

/* To fail with that error is what the kernel does without a filter; 0: it does not fail. */
static int
result(long rc, int without)
{
	return rc == -1 && errno != without ? errno : 0;
}

/* Of one call. */
#define ATTEMPT(name, call, without)          \
	int name(void)                        \
	{                                     \
		return result(call, without); \
	}
#define OWN_ATTEMPT(name, call, without) static ATTEMPT(try_##name, call, without)

ATTEMPT(attempts_open, open("/dev/null", O_RDONLY), 0)
OWN_ATTEMPT(openat, syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY), 0)

static int
try_stat(void)
{
	struct stat st;

	return result(stat("/", &st), 0);
}

OWN_ATTEMPT(unlink, unlink("/nowhere"), 0)
OWN_ATTEMPT(mkdir, mkdir("/nowhere/at/all", 0700), 0)
OWN_ATTEMPT(chroot, chroot("/nowhere"), 0)
ATTEMPT(attempts_socket, socket(AF_INET, SOCK_STREAM, 0), 0)
OWN_ATTEMPT(socket6, socket(AF_INET6, SOCK_DGRAM, 0), 0)
OWN_ATTEMPT(unix_socket, socket(AF_UNIX, SOCK_STREAM, 0), 0)
OWN_ATTEMPT(netlink, socket(AF_NETLINK, SOCK_RAW, 0), 0)

static int
try_pair(void)
{
	int pair[2];

	return result(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

/* From which anything could be sent anywhere. */
static int
try_datagrams(void)
{
	int pair[2];

	return result(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
}

OWN_ATTEMPT(datagram_socket, socket(AF_UNIX, SOCK_DGRAM, 0), 0)

static int
try_address(void)
{
	struct sockaddr to = {.sa_family = AF_UNIX};

	return result(sendto(STDERR_FILENO, "", 1, 0, &to, sizeof(to)), ENOTSOCK);
}

/* By TCP, and so past Landlock. */
static int
try_fast_open(void)
{
	const struct msghdr nothing = {0};

	return result(sendmsg(STDERR_FILENO, &nothing, MSG_FASTOPEN), ENOTSOCK);
}

static int
try_packet(void)
{
	const struct msghdr nothing = {0};

	return result(sendmsg(STDERR_FILENO, &nothing, MSG_NOSIGNAL), ENOTSOCK);
}

static int
try_option(void)
{
	int size = 1024;

	return result(setsockopt(-1, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), EBADF);
}

/* A program for the kernel. */
OWN_ATTEMPT(option_filter, setsockopt(-1, SOL_SOCKET, SO_ATTACH_FILTER, "", 0), EBADF)

/* Of another level, with the number of one that may be set. */
OWN_ATTEMPT(option_level, setsockopt(-1, IPPROTO_TCP, SO_SNDBUF, "", 0), EBADF)
OWN_ATTEMPT(half_close, shutdown(-1, SHUT_WR), EBADF)
OWN_ATTEMPT(close, shutdown(-1, SHUT_RDWR), EBADF)
OWN_ATTEMPT(close_reading, shutdown(-1, SHUT_RD), EBADF)
OWN_ATTEMPT(flags, fcntl(STDERR_FILENO, F_GETFL), 0)
OWN_ATTEMPT(flags_set, fcntl(STDERR_FILENO, F_SETFD, 0), 0)

/* Of the kernel, which the C library asks in its own way. */
OWN_ATTEMPT(owner, syscall(SYS_fcntl, STDERR_FILENO, F_SETOWN, getppid()), 0)

static int
try_owner_ex(void)
{
	const struct f_owner_ex owner = {F_OWNER_PID, getppid()};

	return result(syscall(SYS_fcntl, STDERR_FILENO, F_SETOWN_EX, &owner), 0);
}

OWN_ATTEMPT(signal, syscall(SYS_fcntl, STDERR_FILENO, F_SETSIG, SIGKILL), 0)

static int
try_connect(void)
{
	struct sockaddr to = {.sa_family = AF_UNIX};

	return result(connect(-1, &to, sizeof(to)), EBADF);
}

static int
try_bind(void)
{
	struct sockaddr to = {.sa_family = AF_UNIX};

	return result(bind(-1, &to, sizeof(to)), EBADF);
}

OWN_ATTEMPT(listen, listen(-1, 1), EBADF)
OWN_ATTEMPT(accept, accept4(-1, NULL, NULL, 0), EBADF)

int
attempts_execve(void)
{
	char name[] = "true";
	char *const command[] = {name, NULL};

	return result(execve("/bin/true", command, command + 1), 0);
}

static int
try_execveat(void)
{
	char name[] = "true";
	char *const command[] = {name, NULL};

	return result(syscall(SYS_execveat, AT_FDCWD, "/bin/true", command, command + 1, 0), 0);
}

ATTEMPT(attempts_ptrace, ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0)

static int
try_read_process(void)
{
	char byte, other;
	struct iovec to = {&byte, 1}, from = {&other, 1};

	return result(process_vm_readv(getppid(), &to, 1, &from, 1, 0), 0);
}

OWN_ATTEMPT(bpf, syscall(SYS_bpf, 0, NULL, 0), 0)
OWN_ATTEMPT(io_uring, syscall(SYS_io_uring_setup, 1, NULL), 0)
OWN_ATTEMPT(unshare, syscall(SYS_unshare, 0), 0)

int
attempts_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return result(child, 0);
}

static void *
idle(void *nothing)
{
	return nothing;
}

int
attempts_thread(void)
{
	pthread_t id;

	if (pthread_create(&id, NULL, idle, NULL) != 0)
		return ENOSYS;
	(void)pthread_detach(id);
	return 0;
}

/* As fork(2) would, but that the child is in a namespace. */
int
attempts_namespace(void)
{
	long child = syscall(
	    SYS_clone, (unsigned long)(CLONE_NEWUSER | SIGCHLD), NULL, NULL, NULL, NULL);

	if (child == 0)
		_exit(0);
	return result(child, 0);
}

int
attempts_clone3(void)
{
	/* What the kernel would say to it is EINVAL. */
	return result(syscall(SYS_clone3, NULL, (size_t)0), EINVAL);
}

ATTEMPT(attempts_kill, kill(getppid(), 0), 0)
OWN_ATTEMPT(tgkill, syscall(SYS_tgkill, getppid(), getppid(), 0), 0)

int
attempts_abort(void)
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
	return result(ioctl(-1, TIOCSTI, "x"), 0);
}

static int
try_data_as_code(void)
{
	void *page = mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? EINVAL : result(mprotect(page, 4096, PROT_EXEC), 0);
}

OWN_ATTEMPT(dumpable, prctl(PR_SET_DUMPABLE, 1), 0)
OWN_ATTEMPT(setuid, setuid(getuid()), 0)
OWN_ATTEMPT(mlock, syscall(SYS_munlockall), 0)
OWN_ATTEMPT(chmod, fchmod(-1, 0600), EBADF)
OWN_ATTEMPT(futimens, syscall(SYS_utimensat, -1, NULL, NULL, 0), EBADF)
OWN_ATTEMPT(utimensat, utimensat(AT_FDCWD, "/nowhere", NULL, 0), 0)
OWN_ATTEMPT(acl, syscall(SYS_fsetxattr, -1, "user.x", "", 0, 0), EBADF)

int
attempts_memory(void)
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

	return result(syscall(SYS_clock_gettime, CLOCK_REALTIME, &now), 0) == 0 &&
		       nanosleep(&moment, NULL) == 0
		   ? 0
		   : errno;
}

static int
try_random(void)
{
	char byte;

	return result(syscall(SYS_getrandom, &byte, 1, 0), 0);
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

OWN_ATTEMPT(log, write(STDERR_FILENO, "", 0), 0)

enum {
	NOBODY = 0,
	BOTH = FOR_SIGNER | FOR_WORKER,
	WORKERS = FOR_WORKER | FOR_SYSLOG | FOR_ACLS,
	READERS = WORKERS | FOR_ACCOUNTS,
	ALL = READERS | FOR_SIGNER,
	BEYOND = FOR_SYSLOG | FOR_ACCOUNTS,
};

const struct trial attempts_trials[] = {
    /* what is needed */
    {"memory", attempts_memory, ALL, false},
    {"time", try_time, ALL, false},
    {"getrandom", try_random, ALL, false},
    {"send and recv", try_message, ALL, false},
    {"write", try_log, ALL, false},
    {"sendmsg", try_packet, ALL, false},
    {"shutdown, SHUT_WR", try_half_close, WORKERS, false},
    {"setsockopt, SO_SNDBUF", try_option, READERS, false},
    {"openat", try_openat, READERS, false},
    {"open", attempts_open, READERS, false},
    {"stat", try_stat, READERS, false},
    {"fchmod", try_chmod, WORKERS, false},
    {"futimens", try_futimens, WORKERS, false},
    {"accept4", try_accept, WORKERS, false},
    {"socketpair", try_pair, WORKERS, false},
    {"fsetxattr", try_acl, FOR_ACLS, false},
    {"a Unix socket", try_unix_socket, BEYOND, false},
    {"a Unix socket of datagrams", try_datagram_socket, FOR_SYSLOG, false},
    {"connect", try_connect, BEYOND, false},
    {"fcntl, F_GETFL", try_flags, READERS, false},
    {"fcntl, F_SETFD", try_flags_set, READERS, false},
    {"code from a file", try_code, FOR_ACCOUNTS, false},
    {"mprotect", try_data_as_code, FOR_ACCOUNTS, false},
    /* what nobody needs */
    {"an IPv4 socket", attempts_socket, NOBODY, false},
    {"an IPv6 socket", try_socket6, NOBODY, false},
    {"a pair for datagrams", try_datagrams, NOBODY, false},
    {"sendmsg that connects", try_fast_open, NOBODY, false},
    {"setsockopt, SO_ATTACH_FILTER", try_option_filter, NOBODY, false},
    {"setsockopt of TCP", try_option_level, NOBODY, false},
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
    {"fork", attempts_fork, NOBODY, false},
    {"clone3", attempts_clone3, NOBODY, false},
    {"pthread_create", attempts_thread, NOBODY, false},
    {"kill", attempts_kill, NOBODY, false},
    {"tgkill", try_tgkill, NOBODY, false},
    {"to be dumpable", try_dumpable, NOBODY, false},
    {"setuid", try_setuid, NOBODY, false},
    {"munlockall", try_mlock, NOBODY, false},
    /* what is certainly an intruder's */
    {"execve", attempts_execve, NOBODY, true},
    {"execveat", try_execveat, NOBODY, true},
    {"ptrace", attempts_ptrace, NOBODY, true},
    {"process_vm_readv", try_read_process, NOBODY, true},
    {"bpf", try_bpf, NOBODY, true},
    {"chroot", try_chroot, NOBODY, true},
    {"io_uring_setup", try_io_uring, NOBODY, true},
    {"unshare", try_unshare, NOBODY, true},
    {"clone into a namespace", attempts_namespace, NOBODY, true},
};

const size_t attempts_count = sizeof(attempts_trials) / sizeof(attempts_trials[0]);
