#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lber.h>
#include <ldap.h>
#include <poll.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct {
	bool on, in_children;
	int number;
	long at, seen;
	bool *hit; /* which children share */
} plan;

/* Whether it is the turn of this call, which may be done in part or not. */
static bool
is_turn(bool divisible)
{
	if (!plan.on || (plan.number == FAULTS_SHORT && !divisible))
		return false;
	plan.seen++;
	if (plan.seen != plan.at)
		return false;
	*plan.hit = true;
	return true;
}

/* --- calls that fail --------------------------------------------------------------- */

/* RESULT NAME(PARAMETERS), called with the arguments. */
#define CALL(result, failed, name, parameters, arguments) \
	result __real_##name parameters;                  \
	result __wrap_##name parameters;                  \
	result __wrap_##name parameters                   \
	{                                                 \
		if (is_turn(false)) {                     \
			errno = plan.number;              \
			return failed;                    \
		}                                         \
		return __real_##name arguments;           \
	}

/* The same where so many bytes are read or written. */
#define TRANSFER(name, parameters, arguments, size)        \
	ssize_t __real_##name parameters;                  \
	ssize_t __wrap_##name parameters;                  \
	ssize_t __wrap_##name parameters                   \
	{                                                  \
		if (is_turn(true)) {                       \
			if (plan.number != FAULTS_SHORT) { \
				errno = plan.number;       \
				return -1;                 \
			}                                  \
			(size) = ((size) + 1) / 2;         \
		}                                          \
		return __real_##name arguments;            \
	}

/* clang-format off */
CALL(int, -1, chdir, (const char *path), (path))
CALL(int, -1, connect, (int fd, const struct sockaddr *a, socklen_t size), (fd, a, size))
CALL(int, -1, dup2, (int from, int to), (from, to))
CALL(int, -1, dup3, (int from, int to, int flags), (from, to, flags))
CALL(int, -1, faccessat, (int at, const char *path, int mode, int flags), (at, path, mode, flags))
CALL(int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
CALL(int, -1, fchmodat, (int at, const char *path, mode_t mode, int flags), (at, path, mode, flags))
CALL(int, -1, fchown, (int fd, uid_t u, gid_t g), (fd, u, g))
CALL(int, -1, fchownat, (int at, const char *path, uid_t u, gid_t g, int flags), (at, path, u, g, flags))
CALL(int, -1, flock, (int fd, int what), (fd, what))
CALL(pid_t, -1, fork, (void), ())
CALL(int, -1, fstat, (int fd, struct stat *st), (fd, st))
CALL(int, -1, fstatat, (int at, const char *path, struct stat *st, int flags), (at, path, st, flags))
CALL(int, -1, fsync, (int fd), (fd))
CALL(int, -1, futimens, (int fd, const struct timespec times[2]), (fd, times))
CALL(ssize_t, -1, getdents64, (int fd, void *to, size_t size), (fd, to, size))
CALL(int, -1, getsockopt, (int fd, int level, int name, void *to, socklen_t *size), (fd, level, name, to, size))
CALL(ssize_t, -1, getxattr, (const char *path, const char *name, void *to, size_t size), (path, name, to, size))
CALL(int, -1, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask))
CALL(int, -1, inotify_init1, (int flags), (flags))
CALL(int, -1, linkat, (int from, const char *old, int to, const char *new, int flags), (from, old, to, new, flags))
CALL(int, -1, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode))
CALL(void *, MAP_FAILED, mmap, (void *at, size_t size, int use, int flags, int fd, off_t from), (at, size, use, flags, fd, from))
CALL(int, -1, pidfd_open, (pid_t pid, unsigned int flags), (pid, flags))
CALL(int, -1, pipe2, (int ends[2], int flags), (ends, flags))
CALL(int, -1, poll, (struct pollfd *fds, nfds_t count, int timeout), (fds, count, timeout))
CALL(int, -1, renameat, (int from, const char *old, int to, const char *new), (from, old, to, new))
CALL(int, -1, renameat2, (int from, const char *old, int to, const char *new, unsigned int flags), (from, old, to, new, flags))
CALL(int, -1, setrlimit, (__rlimit_resource_t what, const struct rlimit *limit), (what, limit))
CALL(int, -1, socket, (int family, int type, int protocol), (family, type, protocol))
CALL(int, -1, socketpair, (int family, int type, int protocol, int ends[2]), (family, type, protocol, ends))
CALL(int, -1, unlinkat, (int at, const char *path, int flags), (at, path, flags))
CALL(pid_t, -1, waitpid, (pid_t pid, int *status, int flags), (pid, status, flags))

/* libldap's, whose errors are none of the system's */
CALL(char *, NULL, ldap_get_dn, (LDAP *ld, LDAPMessage *entry), (ld, entry))
CALL(int, -1, ldap_init_fd, (ber_socket_t fd, int proto, const char *url, LDAP **ld), (fd, proto, url, ld))
CALL(int, -1, ldap_sasl_bind, (LDAP *ld, const char *dn, const char *mechanism, struct berval *secret, LDAPControl **server, LDAPControl **client, int *id), (ld, dn, mechanism, secret, server, client, id))
CALL(int, -1, ldap_search_ext, (LDAP *ld, const char *base, int scope, const char *filter, char **attributes, int types, LDAPControl **server, LDAPControl **client, struct timeval *limit, int most, int *id), (ld, base, scope, filter, attributes, types, server, client, limit, most, id))
CALL(int, -1, ldap_set_option, (LDAP *ld, int option, const void *value), (ld, option, value))
CALL(int, -1, ldap_start_tls, (LDAP *ld, LDAPControl **server, LDAPControl **client, int *id), (ld, server, client, id))

TRANSFER(getrandom, (void *to, size_t size, unsigned int flags), (to, size, flags), size)
TRANSFER(pread, (int fd, void *to, size_t size, off_t at), (fd, to, size, at), size)
TRANSFER(pwrite, (int fd, const void *from, size_t size, off_t at), (fd, from, size, at), size)
TRANSFER(read, (int fd, void *to, size_t size), (fd, to, size), size)
TRANSFER(recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags), size)
TRANSFER(send, (int fd, const void *from, size_t size, int flags), (fd, from, size, flags), size)
TRANSFER(write, (int fd, const void *from, size_t size), (fd, from, size), size)
/* clang-format on */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int at, const char *path, int flags, ...);
int __wrap_openat(int at, const char *path, int flags, ...);
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

/* Whether there is a mode behind the flags. */
#define MAKES(flags) (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE)

int
__wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list more;

	va_start(more, flags);
	if (MAKES(flags))
		mode = va_arg(more, mode_t);
	va_end(more);
	if (is_turn(false)) {
		errno = plan.number;
		return -1;
	}
	return __real_open(path, flags, mode);
}

int
__wrap_openat(int at, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list more;

	va_start(more, flags);
	if (MAKES(flags))
		mode = va_arg(more, mode_t);
	va_end(more);
	if (is_turn(false)) {
		errno = plan.number;
		return -1;
	}
	return __real_openat(at, path, flags, mode);
}

int
__wrap_fcntl(int fd, int command, ...)
{
	bool lock = command == F_OFD_SETLK || command == F_OFD_SETLKW;
	struct flock *range = NULL;
	int value = 0;
	va_list more;

	va_start(more, command);
	if (lock)
		range = va_arg(more, struct flock *);
	else
		value = va_arg(more, int);
	va_end(more);
	if (is_turn(false)) {
		errno = plan.number;
		return -1;
	}
	return lock ? __real_fcntl(fd, command, range) : __real_fcntl(fd, command, value);
}

/* --- one after the other ------------------------------------------------------------ */

static int
count_descriptors(void)
{
	DIR *entries = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(entries);
	while (readdir(entries) != NULL)
		n++;
	closedir(entries);
	return n;
}

static void
begin_child(void)
{
	plan.on = plan.in_children;
}

static void
begin(void)
{
	if (plan.hit != NULL)
		return;
	plan.hit = mmap(
	    NULL, sizeof(*plan.hit), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(plan.hit, MAP_FAILED);
	assert_int_equal(pthread_atfork(NULL, NULL, begin_child), 0);
}

void
faults_sweep_by(int number, void (*work)(void *context), void *context)
{
	begin();
	plan.number = number;
	*plan.hit = true;
	for (plan.at = 1; *plan.hit; plan.at++) {
		int before = count_descriptors();

		plan.seen = 0;
		*plan.hit = false;
		work(context);
		faults_off();
		if (count_descriptors() != before)
			fail_msg("errno %d of call %ld: a descriptor leaks", number, plan.at);
	}
}

void
faults_sweep(void (*work)(void *context), void *context)
{
	static const int numbers[] = {EIO, EINTR, EPERM, EACCES, ENOENT, EEXIST, EAGAIN, ENOSPC,
	    EMFILE, EINVAL, FAULTS_SHORT};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		faults_sweep_by(numbers[i], work, context);
}

void
faults_on(void)
{
	plan.on = true;
}

void
faults_on_in_children(void)
{
	plan.in_children = true;
}

void
faults_off(void)
{
	plan.on = false;
	plan.in_children = false;
}

bool
faults_hit(void)
{
	return *plan.hit;
}

int
faults_number(void)
{
	return plan.number;
}

void
faults_check(int rc, const struct error *e)
{
	faults_off();
	if (rc == 0 || (rc == -1 && *plan.hit && e->code != ERROR_NONE && *e->text != '\0'))
		return;
	fail_msg("errno %d of call %ld: %d, code %d: %s", plan.number, plan.at, rc,
	    (int)e->code, e->text);
}
