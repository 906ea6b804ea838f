/* identity: which files are run to ask for groups. */
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
#include <unistd.h>

#include "identity/script_file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
paths_stay_in_the_directory(void **state)
{
	static const struct {
		const char *directory, *file;
		const char *path; /* NULL: refused */
	} rows[] = {
	    {"/etc/groups.d", "a", "/etc/groups.d/a"},
	    {"/etc/groups.d//", "a", "/etc/groups.d/a"},
	    {"/etc/groups.d", "b/a", "/etc/groups.d/b/a"},
	    {"/etc/groups.d", "/etc/groups.d/a", "/etc/groups.d/a"},
	    {"/", "a", "/a"},
	    {"/", "/a", "/a"},
	    {"/etc/groups.d", "..a", "/etc/groups.d/..a"},
	    {"/etc/groups.d", "a..", "/etc/groups.d/a.."},
	    {"/etc/groups.d", "a/..b", "/etc/groups.d/a/..b"},
	    {"/etc/groups.d", "..", NULL},
	    {"/etc/groups.d", "../a", NULL},
	    {"/etc/groups.d", "a/../../b", NULL},
	    {"/etc/groups.d", "a/..", NULL},
	    {"/etc/../groups.d", "a", NULL},
	    {"/etc/groups.d", "/etc/groups.da", NULL},
	    {"/etc/groups.d", "/etc/a", NULL},
	    {"/etc/groups.d", "/bin/sh", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char path[LIMIT_PATH];
		struct error e = {0};
		int rc = script_file_path(path, rows[i].directory, rows[i].file, &e);

		if (rc != (rows[i].path != NULL ? 0 : -1))
			fail_msg("%s in %s: %s", rows[i].file, rows[i].directory, path);
		assert_string_equal(path, rc == 0 ? rows[i].path : "");
		assert_int_equal(e.code, rc == 0 ? ERROR_NONE : ERROR_CONFIG);
	}
}

static void
a_path_that_is_too_long_is_refused_not_cut(void **state)
{
	char file[LIMIT_PATH + 1];
	char path[LIMIT_PATH];
	struct error e = {0};

	(void)state;
	memset(file, 'a', sizeof(file));
	file[LIMIT_PATH - strlen("/d/")] = '\0';
	assert_int_equal(script_file_path(path, "/d", file, &e), -1);
	assert_non_null(strstr(e.text, "the path is too long"));
	file[LIMIT_PATH - strlen("/d/") - 1] = '\0';
	assert_int_equal(script_file_path(path, "/d", file, &e), 0);
}

/* What is in the folder; the script's mode is 0700. */
static const struct made {
	const char *name;
	mode_t mode;
	const char *reason; /* NULL: it is run */
} made[] = {
    {"good", 0700, NULL},
    {"by-others", 0722, "others may write it (mode 0722): chmod go-w"},
    {"no-program", 0600, "cannot be executed"},
    {"missing", 0, "No such file"},
    {"link", 0, "is a symbolic link"},
    {"folder", 0, "not a regular file"},
    {"good/below", 0, "Not a directory"},
    {"open/script", 0700, "others may write it (mode 0777)"},
    {"foreign", 0700, "belongs to uid 65534"},
};

static void
make_all(const char *folder)
{
	char path[LIMIT_PATH];

	assert_int_equal(chdir(folder), 0);
	assert_int_equal(symlink("good", "link"), 0);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(mkdir("open", 0700), 0);
	for (size_t i = 0; i < COUNT(made); i++) {
		int fd;

		if (made[i].mode == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, made[i].name);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_int_not_equal(fd, -1);
		assert_int_equal(fchmod(fd, made[i].mode), 0);
		close(fd);
	}
	assert_int_equal(chmod("open", 0777), 0);
	if (geteuid() == 0)
		assert_int_equal(chown("foreign", 65534, (gid_t)-1), 0);
}

static void
remove_all(const char *folder)
{
	for (size_t i = COUNT(made); i > 0; i--)
		(void)remove(made[i - 1].name);
	assert_int_equal(rmdir("open"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void
files_that_others_could_change_are_not_run(void **state)
{
	char folder[] = "/tmp/test_script_file.XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(folder));
	make_all(folder);
	for (size_t i = 0; i < COUNT(made); i++) {
		struct error e = {0};
		int fd;

		/* To be somebody else's takes root. */
		if (strcmp(made[i].name, "foreign") == 0 && geteuid() != 0)
			continue;
		fd = script_file_open(folder, made[i].name, &e);
		if ((fd != -1) != (made[i].reason == NULL) ||
		    (fd == -1 && strstr(e.text, made[i].reason) == NULL))
			fail_msg("%s: %s", made[i].name, e.text);
		if (fd != -1)
			close(fd);
	}
	remove_all(folder);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_stay_in_the_directory),
	    cmocka_unit_test(a_path_that_is_too_long_is_refused_not_cut),
	    cmocka_unit_test(files_that_others_could_change_are_not_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
