#define _GNU_SOURCE /* vasprintf */
#include "tests/unit/failures.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	const char *name;
	int turn, times, number;
	int count;
} plan;

int
failures_set(const char *name, int turn, int times, int number)
{
	int count = plan.count;

	plan.name = name;
	plan.turn = turn;
	plan.times = times;
	plan.number = number;
	plan.count = 0;
	return count;
}

int
failures_count(void)
{
	return plan.count;
}

bool
failures_hit(const char *name)
{
	if (plan.name == NULL || strcmp(plan.name, name) != 0 || plan.turn-- > 0 ||
	    plan.count == plan.times)
		return false;
	plan.count++;
	errno = plan.number;
	return true;
}

#define WRAP(type, name, as, parameters, arguments, failed)                   \
	type __real_##name parameters;                                        \
	type __wrap_##name parameters;                                        \
	type __wrap_##name parameters                                         \
	{                                                                     \
		return failures_hit(as) ? (failed) : __real_##name arguments; \
	}

WRAP(void *, malloc, "memory", (size_t n), (n), NULL)
WRAP(void *, calloc, "memory", (size_t n, size_t size), (n, size), NULL)
WRAP(void *, realloc, "memory", (void *b, size_t n), (b, n), NULL)
WRAP(char *, strdup, "memory", (const char *s), (s), NULL)
WRAP(char *, getcwd, "getcwd", (char *b, size_t n), (b, n), NULL)
WRAP(char *, mkdtemp, "mkdtemp", (char *path), (path), NULL)
WRAP(DIR *, fdopendir, "fdopendir", (int fd), (fd), NULL)
WRAP(struct passwd *, getpwnam, "getpwnam", (const char *name), (name), NULL)
WRAP(struct group *, getgrgid, "getgrgid", (gid_t gid), (gid), NULL)
WRAP(pid_t, fork, "fork", (void), (), -1)
WRAP(int, fchown, "fchown", (int fd, uid_t u, gid_t g), (fd, u, g), -1)
WRAP(int, fchmod, "fchmod", (int fd, mode_t m), (fd, m), -1)
WRAP(int, fstat, "fstat", (int fd, struct stat *st), (fd, st), -1)
WRAP(int, fchownat, "fchownat", (int at, const char *p, uid_t u, gid_t g, int f),
    (at, p, u, g, f), -1)
WRAP(int, fchmodat, "fchmodat", (int at, const char *p, mode_t m, int f), (at, p, m, f), -1)
WRAP(int, socket, "socket", (int d, int t, int p), (d, t, p), -1)
WRAP(int, bind, "bind", (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n), -1)
WRAP(int, listen, "listen", (int fd, int n), (fd, n), -1)
WRAP(int, setsockopt, "setsockopt", (int fd, int l, int o, const void *v, socklen_t n),
    (fd, l, o, v, n), -1)
WRAP(ssize_t, send, "send", (int fd, const void *b, size_t n, int f), (fd, b, n, f), -1)
WRAP(ssize_t, write, "write", (int fd, const void *b, size_t n), (fd, b, n), -1)

/* With _FORTIFY_SOURCE it has another name. */
int __wrap_asprintf(char **to, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **to, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int
__wrap_asprintf(char **to, const char *format, ...)
{
	va_list list;
	int n;

	if (failures_hit("memory"))
		return -1;
	va_start(list, format);
	n = vasprintf(to, format, list);
	va_end(list);
	return n;
}

int
__wrap___asprintf_chk(char **to, int flag, const char *format, ...)
{
	va_list list;
	int n;

	(void)flag;
	if (failures_hit("memory"))
		return -1;
	va_start(list, format);
	n = vasprintf(to, format, list);
	va_end(list);
	return n;
}
