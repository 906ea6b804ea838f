/*
 * What a program of "make coverage" has for its counters: a file that all processes of the
 * program map from their first moment on. So nothing has to be written in the end, and what a
 * process has counted is there however it ended, by _exit() or a signal, and whatever it could
 * no longer open by then: behind seccomp, Landlock, another user or another root.
 *
 * COUNTERS is a folder that tests/coverage makes; where there is none, such as in a container,
 * nothing is counted. Two of its variables make this program nothing but the keeper of its
 * file: COVERAGE=make makes it, COVERAGE=save has it added to gcc's own files. Linked into
 * nothing that is installed.
 */
#include <fcntl.h>
#include <gcov.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* By counters.lds. */
extern char counters_start[], counters_end[];

/* What the compiler has every object call in the end. */
void __wrap___gcov_exit(void);

void
__wrap___gcov_exit(void)
{
}

/* -1: no file of this program's name. */
static int
open_counters(int flags)
{
	char self[PATH_MAX], path[sizeof(COUNTERS) + PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *name;

	if (length == -1)
		return -1;
	self[length] = '\0';
	name = strrchr(self, '/');
	if (name == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s%s", COUNTERS, name);
	return open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0666);
}

/* Programs count as whoever they run as. */
static int
make_counters(off_t size)
{
	int fd = open_counters(O_CREAT | O_EXCL);

	return fd != -1 && fchmod(fd, 0666) == 0 && ftruncate(fd, size) == 0 ? 0 : 1;
}

/* After those of the objects, which say where their counters are, and before main. */
static void __attribute__((constructor)) share_counters(void)
{
	const size_t size = (size_t)(counters_end - counters_start);
	const char *order = getenv("COVERAGE");
	bool save = order != NULL && strcmp(order, "save") == 0;
	/* To save, gcc's files are added to the counters first, where none may see it. */
	int kind = save ? MAP_PRIVATE : MAP_SHARED;
	struct stat st;
	int fd;

	if (order != NULL && strcmp(order, "make") == 0)
		_exit(make_counters((off_t)size));
	fd = open_counters(0);
	/* A program of another build that has the name is none of ours. */
	if (size > 0 && fd != -1 && fstat(fd, &st) == 0 && st.st_size == (off_t)size &&
	    mmap(counters_start, size, PROT_READ | PROT_WRITE, kind | MAP_FIXED, fd, 0) ==
		MAP_FAILED)
		abort();
	if (fd != -1)
		(void)close(fd);
	if (!save)
		return;
	__gcov_dump();
	_exit(0);
}
