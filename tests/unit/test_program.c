/* base: where our programs are. The test installs itself, and what is installed looks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/program.h"

/* PREFIX/bin, where the executable is, and PREFIX/lib/authserver. */
struct fixture {
	char prefix[64];
	char bin[96];
	char lib[96];
	char libexec[128];
	char self[128];
};

static struct fixture fixture;

static int
copy_self(const char *path)
{
	char bytes[64 * 1024];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	ssize_t n = -1;

	while (from != -1 && to != -1 && (n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)n) != n)
			break;
	close(from);
	close(to);
	return n == 0 ? 0 : -1;
}

static int
setup(void **state)
{
	struct fixture *f = &fixture;

	*state = f;
	(void)snprintf(f->prefix, sizeof(f->prefix), "/tmp/test_program.XXXXXX");
	if (mkdtemp(f->prefix) == NULL)
		return -1;
	(void)snprintf(f->bin, sizeof(f->bin), "%.63s/bin", f->prefix);
	(void)snprintf(f->lib, sizeof(f->lib), "%.63s/lib", f->prefix);
	(void)snprintf(f->libexec, sizeof(f->libexec), "%.95s/authserver", f->lib);
	(void)snprintf(f->self, sizeof(f->self), "%.95s/test_program", f->bin);
	if (mkdir(f->bin, 0700) == -1 || mkdir(f->lib, 0700) == -1 ||
	    mkdir(f->libexec, 0700) == -1)
		return -1;
	return copy_self(f->self);
}

static int
teardown(void **state)
{
	const struct fixture *f = *state;
	static const char *const folders[] = {"bin", "lib/authserver"};
	char path[256];

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%.63s/%s/helper", f->prefix, folders[i]);
		if (unlink(path) == -1)
			(void)rmdir(path);
	}
	(void)unlink(f->self);
	(void)rmdir(f->bin);
	(void)rmdir(f->libexec);
	(void)rmdir(f->lib);
	return rmdir(f->prefix);
}

static void
put_file(const char *folder)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/helper", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0700);
	assert_int_not_equal(fd, -1);
	close(fd);
}

/* What the executable that is installed finds: a path, or its reason. */
static void
look(const struct fixture *f, const char *name, char found[1024])
{
	size_t length = 0;
	int pair[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(pair), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)dup2(pair[1], STDOUT_FILENO);
		(void)execl(f->self, f->self, "find", name, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	while ((n = read(pair[0], found + length, 1023 - length)) > 0)
		length += (size_t)n;
	found[length] = '\0';
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
assert_found(const struct fixture *f, const char *relative)
{
	char found[1024], want[256];

	(void)snprintf(want, sizeof(want), "%.95s/%s", f->bin, relative);
	look(f, "helper", found);
	assert_string_equal(found, want);
}

static void
assert_missing(const struct fixture *f)
{
	char found[1024], want[512];

	(void)snprintf(want, sizeof(want),
	    "%d helper is neither in %s/ nor in ../lib/authserver from there: install it",
	    ERROR_UNAVAILABLE, f->bin);
	look(f, "helper", found);
	assert_string_equal(found, want);
}

static void
program_is_found_beside_the_executable(void **state)
{
	const struct fixture *f = *state;

	put_file(f->bin);
	assert_found(f, "helper");
}

static void
program_is_found_where_it_is_installed(void **state)
{
	const struct fixture *f = *state;

	put_file(f->libexec);
	assert_found(f, "../lib/authserver/helper");
}

static void
program_beside_the_executable_comes_first(void **state)
{
	const struct fixture *f = *state;

	put_file(f->libexec);
	put_file(f->bin);
	assert_found(f, "helper");
}

static void
program_that_is_missing_is_named(void **state)
{
	assert_missing(*state);
}

static void
folder_is_no_program(void **state)
{
	const struct fixture *f = *state;
	char path[256];

	(void)snprintf(path, sizeof(path), "%.95s/helper", f->bin);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_missing(f);
	put_file(f->libexec);
	assert_found(f, "../lib/authserver/helper");
}

/* Cut where a path ends, this would be one of a program that is there. */
static void
name_that_is_too_long_is_not_cut(void **state)
{
	static const char end[] = "helper-and-more";
	const struct fixture *f = *state;
	char name[LIMIT_PATH + 64], found[1024];
	size_t length = LIMIT_PATH - 1 - strlen("helper") - strlen(f->bin) - 1;

	put_file(f->bin);
	memset(name, '/', length);
	memcpy(name + length, end, sizeof(end));
	look(f, name, found);
	assert_int_equal(strtol(found, NULL, 10), ERROR_UNAVAILABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What the copy does. */
static int
find(const char *name)
{
	char path[LIMIT_PATH];
	struct error e = {0};

	if (program_find(path, name, &e) == 0)
		printf("%s", path);
	else
		printf("%d %s", (int)e.code, e.text);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
	    TEST(program_is_found_beside_the_executable),
	    TEST(program_is_found_where_it_is_installed),
	    TEST(program_beside_the_executable_comes_first),
	    TEST(program_that_is_missing_is_named),
	    TEST(folder_is_no_program),
	    TEST(name_that_is_too_long_is_not_cut),
	};

	if (argc == 3 && strcmp(argv[1], "find") == 0)
		return find(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
