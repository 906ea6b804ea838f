#define _GNU_SOURCE /* CLONE_NEWUSER, syscall */
#include "fcgi/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/seccomp.h>
#include <seccomp.h>

/*
 * What becomes of a call that the table does not name: it fails with ENOSYS, as if the kernel
 * had it not. That is the one error for which the C library, whose next version may make calls
 * that this one does not, has another way. EPERM would be taken for an answer; to be killed
 * would turn an upgrade of a library into a service that dies as often as it is started.
 * An intruder gains nothing by asking on. What no library of ours ever does by itself, on the
 * other hand, is the work of one, and there every further moment with the key in memory is his:
 * the process ends. The monitor says so, and starts another one, later each time.
 */
#define REFUSED SCMP_ACT_ERRNO(ENOSYS)
#define DEADLY SCMP_ACT_KILL_PROCESS

/* Which of its arguments the flags of clone(2) are. */
#ifdef __s390__
enum { CLONE_FLAGS = 1 };
#else
enum { CLONE_FLAGS = 0 };
#endif

enum {
	ALL = FOR_SIGNER | FOR_WORKER | FOR_ACCOUNTS,
	READERS = FOR_WORKER | FOR_ACCOUNTS, /* who opens files */
	BEYOND = FOR_SYSLOG | FOR_ACCOUNTS,  /* what opens sockets of its own */
};

struct call {
	const char *name;
	unsigned int uses;
};

/*
 * Names that an architecture does not have are passed over. The order counts for nothing: the
 * filter is a binary tree by number, and the kernel keeps a bitmap of what is always allowed.
 */
static const struct call allowed[] = {
    /* memory, but for what mmap and mprotect are asked: below */
    {"brk", ALL},
    {"madvise", ALL},
    {"mremap", ALL},
    {"munmap", ALL},
    /* threads that are there: to wait, to be scheduled */
    {"futex", ALL},
    {"futex_time64", ALL},
    {"get_robust_list", ALL},
    {"membarrier", ALL},
    {"rseq", ALL},
    {"sched_getaffinity", ALL},
    {"sched_yield", ALL},
    {"set_robust_list", ALL},
    /* time; the calls count where the kernel has no faster way */
    {"clock_getres", ALL},
    {"clock_getres_time64", ALL},
    {"clock_gettime", ALL},
    {"clock_gettime64", ALL},
    {"clock_nanosleep", ALL},
    {"clock_nanosleep_time64", ALL},
    {"gettimeofday", ALL},
    {"nanosleep", ALL},
    {"time", ALL},
    {"getrandom", ALL},
    /* signals, and the end */
    {"exit", ALL},
    {"exit_group", ALL},
    {"pause", ALL},
    {"restart_syscall", ALL},
    {"rt_sigaction", ALL},
    {"rt_sigprocmask", ALL},
    {"rt_sigreturn", ALL},
    {"sigaltstack", ALL},
    {"sigreturn", ALL},
    /* who we are */
    {"getegid", ALL},
    {"getegid32", ALL},
    {"geteuid", ALL},
    {"geteuid32", ALL},
    {"getgid", ALL},
    {"getgid32", ALL},
    {"getpid", ALL},
    {"getppid", ALL},
    {"gettid", ALL},
    {"getuid", ALL},
    {"getuid32", ALL},
    /* descriptors that are there */
    {"close", ALL},
    {"getsockopt", ALL},
    {"poll", ALL},
    {"ppoll", ALL},
    {"ppoll_time64", ALL},
    {"read", ALL},
    {"readv", ALL},
    {"recv", ALL},
    {"recvfrom", ALL},
    {"recvmsg", ALL},
    {"send", ALL},
    {"write", ALL},
    {"writev", ALL},
    /* connections that come in */
    {"accept4", FOR_WORKER},
    {"epoll_ctl", READERS},
    {"epoll_pwait", READERS},
    {"epoll_pwait2", READERS},
    {"epoll_wait", READERS},
    {"getpeername", READERS},
    {"getsockname", READERS},
    /* files; which ones, Landlock says */
    {"fchmod", FOR_WORKER},
    {"fchown", FOR_WORKER},
    {"fchown32", FOR_WORKER},
    {"fstat", READERS},
    {"fsync", FOR_WORKER},
    {"fstat64", READERS},
    {"fstatat64", READERS},
    {"getdents64", READERS},
    {"linkat", FOR_WORKER},
    {"lseek", READERS},
    {"_llseek", READERS},
    {"lstat", READERS},
    {"lstat64", READERS},
    {"newfstatat", READERS},
    {"open", READERS},
    {"openat", READERS},
    {"pread64", READERS},
    {"pwrite64", FOR_WORKER},
    {"renameat2", FOR_WORKER},
    {"stat", READERS},
    {"stat64", READERS},
    {"statx", READERS},
    {"unlinkat", FOR_WORKER},
    {"fremovexattr", FOR_ACLS},
    {"fsetxattr", FOR_ACLS},
    /* what NSS and its modules, and syslog(3), do; socket() itself is below */
    {"connect", BEYOND},
    {"access", FOR_ACCOUNTS},
    {"epoll_create1", FOR_ACCOUNTS},
    {"faccessat", FOR_ACCOUNTS},
    {"faccessat2", FOR_ACCOUNTS},
    {"flock", FOR_ACCOUNTS},
    {"fstatfs", FOR_ACCOUNTS},
    {"fstatfs64", FOR_ACCOUNTS},
    {"getrlimit", FOR_ACCOUNTS},
    {"readlink", FOR_ACCOUNTS},
    {"readlinkat", FOR_ACCOUNTS},
    {"statfs", FOR_ACCOUNTS},
    {"statfs64", FOR_ACCOUNTS},
    {"timerfd_create", FOR_ACCOUNTS},
    {"timerfd_settime", FOR_ACCOUNTS},
    {"ugetrlimit", FOR_ACCOUNTS},
    {"uname", FOR_ACCOUNTS},
};

/* An argument, and its value in the bits that count. */
struct condition {
	unsigned int argument;
	uint64_t bits;
	uint64_t value;
};

/* Allowed where both hold; the second is none where it has no bits. */
struct narrowed {
	const char *name;
	unsigned int uses;
	struct condition where[2];
};

/* Instead of a value: our own process. */
#define OURSELVES UINT64_MAX

/* The type of a socket but for its flags. */
#define TYPE 0xf

static const struct narrowed narrowed[] = {
    /* no code that was not there before */
    {"mmap", ALL, {{2, PROT_EXEC, 0}}},
    {"mmap2", ALL, {{2, PROT_EXEC, 0}}},
    {"mprotect", ALL, {{2, PROT_EXEC, 0}}},
    /* libraries: code that cannot be written */
    {"mmap", FOR_ACCOUNTS, {{2, PROT_EXEC | PROT_WRITE, PROT_EXEC}}},
    {"mmap2", FOR_ACCOUNTS, {{2, PROT_EXEC | PROT_WRITE, PROT_EXEC}}},
    {"mprotect", FOR_ACCOUNTS, {{2, PROT_EXEC | PROT_WRITE, PROT_EXEC}}},
    /* what stdio and resolvers ask, and nothing that types into a terminal */
    {"ioctl", FOR_ACCOUNTS, {{1, UINT32_MAX, FIONREAD}}},
    {"ioctl", FOR_ACCOUNTS, {{1, UINT32_MAX, TCGETS}}},
    /* abort(3) */
    {"tgkill", ALL, {{0, UINT32_MAX, OURSELVES}}},
    /* to the other end alone */
    {"sendto", ALL, {{4, UINT64_MAX, 0}}},
    /* whose address no filter sees, but that none is connected to as it is sent */
    {"sendmsg", ALL, {{2, MSG_FASTOPEN, 0}}},
    /* not what makes of a socket that listens one that could be connected */
    {"shutdown", FOR_WORKER, {{1, UINT32_MAX, SHUT_WR}}},
    /* on this host alone; the pair is what requests of several pieces go through. Datagrams
     * could be sent to whoever's socket, which syslog(3) needs. */
    {"socketpair", FOR_WORKER, {{0, UINT32_MAX, AF_UNIX}, {1, TYPE, SOCK_STREAM}}},
    {"socket", BEYOND, {{0, UINT32_MAX, AF_UNIX}, {1, TYPE, SOCK_STREAM}}},
    {"socket", FOR_SYSLOG, {{0, UINT32_MAX, AF_UNIX}, {1, TYPE, SOCK_DGRAM}}},
    {"setsockopt", READERS, {{1, UINT32_MAX, SOL_SOCKET}, {2, UINT32_MAX, SO_SNDBUF}}},
    {"setsockopt", READERS, {{1, UINT32_MAX, SOL_SOCKET}, {2, UINT32_MAX, SO_SNDTIMEO}}},
    /* flags and locks, not who is sent signals (F_SETOWN) */
    {"fcntl", READERS, {{1, UINT32_MAX, F_DUPFD_CLOEXEC}}},
    {"fcntl", READERS, {{1, UINT32_MAX, F_GETFD}}},
    {"fcntl", READERS, {{1, UINT32_MAX, F_GETFL}}},
    {"fcntl", READERS, {{1, UINT32_MAX, F_OFD_SETLK}}},
    {"fcntl", READERS, {{1, UINT32_MAX, F_OFD_SETLKW}}},
    {"fcntl", READERS, {{1, UINT32_MAX, F_SETFD}}},
    {"fcntl", READERS, {{1, UINT32_MAX, F_SETFL}}},
    {"fcntl64", READERS, {{1, UINT32_MAX, F_DUPFD_CLOEXEC}}},
    {"fcntl64", READERS, {{1, UINT32_MAX, F_GETFD}}},
    {"fcntl64", READERS, {{1, UINT32_MAX, F_GETFL}}},
    {"fcntl64", READERS, {{1, UINT32_MAX, F_OFD_SETLK}}},
    {"fcntl64", READERS, {{1, UINT32_MAX, F_OFD_SETLKW}}},
    {"fcntl64", READERS, {{1, UINT32_MAX, F_SETFD}}},
    {"fcntl64", READERS, {{1, UINT32_MAX, F_SETFL}}},
    /* futimens(3): of a file that is open */
    {"utimensat", FOR_WORKER, {{1, UINT64_MAX, 0}}},
    {"utimensat_time64", FOR_WORKER, {{1, UINT64_MAX, 0}}},
    /* asking for limits, not setting them */
    {"prlimit64", FOR_ACCOUNTS, {{2, UINT64_MAX, 0}}},
};

/* Whatever a process is for, these are somebody else's doing. */
static const char *const deadly[] = {
    "acct",
    "add_key",
    "bpf",
    "chroot",
    "delete_module",
    "execve",
    "execveat",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "init_module",
    "io_uring_setup",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pidfd_getfd",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "reboot",
    "request_key",
    "setns",
    "swapoff",
    "swapon",
    "umount2",
    "unshare",
    "userfaultfd",
};

/* Nor is a process in namespaces of its own any of theirs: by these flags of clone(2). */
static const uint64_t namespaces[] = {CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS,
    CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS};

/* An architecture without the call has nothing to be told of it: -EDOM, and no number. */
static int
add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned int count,
    const struct scmp_arg_cmp *conditions)
{
	int number = seccomp_syscall_resolve_name(name);
	int rc = number == __NR_SCMP_ERROR
		     ? 0
		     : seccomp_rule_add_array(filter, action, number, count, conditions);

	return rc == -EDOM ? 0 : rc;
}

static struct scmp_arg_cmp
compare(const struct condition *c)
{
	return (struct scmp_arg_cmp){.arg = c->argument,
	    .op = SCMP_CMP_MASKED_EQ,
	    .datum_a = c->bits,
	    .datum_b = c->value == OURSELVES ? (uint64_t)getpid() : c->value};
}

static int
add_narrowed(scmp_filter_ctx filter, const struct narrowed *n)
{
	const struct scmp_arg_cmp conditions[] = {compare(&n->where[0]), compare(&n->where[1])};

	return add(filter, SCMP_ACT_ALLOW, n->name, n->where[1].bits != 0 ? 2 : 1, conditions);
}

/* What clone3(2) is asked lies in memory, where no filter looks; without it the C library takes
 * clone(2). */
static int
add_namespaces(scmp_filter_ctx filter, bool module)
{
	int rc = module ? add(filter, REFUSED, "clone3", 0, NULL) : 0;

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]) && rc == 0; i++) {
		const struct scmp_arg_cmp condition = {.arg = CLONE_FLAGS,
		    .op = SCMP_CMP_MASKED_EQ,
		    .datum_a = namespaces[i],
		    .datum_b = namespaces[i]};

		rc = add(filter, DEADLY, "clone", 1, &condition);
	}
	return rc;
}

/* libseccomp takes no rule that says what the filter does anyway. */
static int
fill(scmp_filter_ctx filter, unsigned int uses)
{
	bool module = (uses & FOR_MODULE) != 0; /* everything but what is deadly */
	int rc = 0;

	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]) && rc == 0; i++)
		rc = add(filter, DEADLY, deadly[i], 0, NULL);
	if (rc == 0)
		rc = add_namespaces(filter, module);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && rc == 0; i++)
		if (!module && (allowed[i].uses & uses) != 0)
			rc = add(filter, SCMP_ACT_ALLOW, allowed[i].name, 0, NULL);
	for (size_t i = 0; i < sizeof(narrowed) / sizeof(narrowed[0]) && rc == 0; i++)
		if (!module && (narrowed[i].uses & uses) != 0)
			rc = add_narrowed(filter, &narrowed[i]);
	return rc;
}

bool
syscalls_available(void)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;

	/* Needed for all threads at once, so that prctl(2) alone would not do. */
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* libseccomp 2.5 does not survive that its memory ends: it dies of it, or makes another filter
 * than it was asked for. So there has to be more than twice of what it takes for the largest.
 */
static bool
have_memory(void)
{
	const size_t enough = 512 * 1024;
	void *memory =
	    mmap(NULL, enough, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory != MAP_FAILED && munmap(memory, enough) == 0;
}

int
syscalls_confine(unsigned int uses, struct error *e)
{
	uint32_t otherwise = (uses & FOR_MODULE) != 0 ? SCMP_ACT_ALLOW : REFUSED;
	scmp_filter_ctx filter = have_memory() ? seccomp_init(otherwise) : NULL;
	int rc = filter == NULL ? -ENOMEM : 0;

	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, DEADLY);
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0) /* a binary tree; a slower filter is as good */
		(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = fill(filter, uses);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc == 0)
		return 0;
	return error_set(e, ERROR_INTERNAL, "seccomp: %s", strerror(-rc));
}
