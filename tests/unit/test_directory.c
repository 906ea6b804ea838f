/* store: what may be the token directory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/directory.h"
#include "tests/unit/stores.h"

/* Expects that the path is refused, with all of the words in the error. */
static void
refuses(const char *path, enum error_code code, const char *component, const char *reason)
{
	struct directory_trial t;
	struct directory d;
	struct error e = {0}, tried = {0};

	assert_int_equal(directory_open(&d, path, 0, (gid_t)-1, &e), -1);
	assert_int_equal(d.fd, -1);
	assert_null(d.path);
	if (e.code != code || strstr(e.text, component) == NULL ||
	    strstr(e.text, reason) == NULL)
		fail_msg("code %d: %s", (int)e.code, e.text);
	if (strstr(reason, "does not exist") != NULL) /* which a start would create */
		return;
	assert_int_equal(directory_try(path, &t, &tried), -1);
	assert_int_equal(tried.code, e.code);
	assert_string_equal(tried.text, e.text);
}

static void
a_missing_directory_is_created_with_mode_and_group_whatever_the_umask(void **state)
{
	static const mode_t umasks[] = {0, 022, 077, 0777};
	struct stores_fixture *f = *state;
	gid_t group = geteuid() == 0 ? 12345 : getegid();
	struct stat st;
	struct error e;

	for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
		mode_t before = umask(umasks[i]);
		int rc = directory_open(&f->directory, f->path, 0710, group, &e);

		(void)umask(before);
		stores_check(rc, &e);
		assert_int_equal(fstat(f->directory.fd, &st), 0);
		assert_int_equal(st.st_mode, S_IFDIR | 0710);
		assert_int_equal(st.st_gid, group);
		assert_int_equal(st.st_uid, geteuid());
		directory_close(&f->directory);
		assert_int_equal(rmdir(f->path), 0);
	}
}

static void
a_trial_creates_nothing(void **state)
{
	struct stores_fixture *f = *state;
	struct directory_trial t;
	struct stat st;
	struct error e = {0};

	stores_check(directory_try(f->path, &t, &e), &e);
	assert_true(t.missing);
	assert_int_equal(stat(f->path, &st), -1);
	assert_int_equal(mkdir(f->path, 0700), 0);
	stores_check(directory_try(f->path, &t, &e), &e);
	assert_false(t.missing);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void
a_directory_that_exists_keeps_its_mode(void **state)
{
	struct stores_fixture *f = *state;
	struct stat st;
	struct error e;

	assert_int_equal(mkdir(f->path, 0700), 0);
	stores_check(directory_open(&f->directory, f->path, 0750, (gid_t)-1, &e), &e);
	assert_int_equal(fstat(f->directory.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void
slashes_and_dots_in_the_path_do_not_matter(void **state)
{
	static const char *const forms[] = {"%s/", "%s//", "%s/.", "%s/./", "//%s"};
	struct stores_fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0750), 0);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char path[1024];
		struct error e;
		int n = 0;

		for (const char *c = forms[i]; *c != '\0'; c++) {
			if (*c == '%' && c[1] == 's') {
				n +=
				    snprintf(path + n, sizeof(path) - (size_t)n, "%s", f->path);
				c++;
			} else {
				path[n++] = *c;
			}
		}
		path[n] = '\0';
		stores_check(directory_open(&f->directory, path, 0, (gid_t)-1, &e), &e);
		assert_string_equal(f->directory.path, f->path);
		directory_close(&f->directory);
	}
}

static void
paths_that_cannot_be_a_token_directory_are_refused(void **state)
{
	struct stores_fixture *f = *state;
	char path[2 * LIMIT_PATH];

	refuses("tokens", ERROR_CONFIG, "tokens", "absolute");
	refuses("", ERROR_CONFIG, "", "absolute");
	refuses("/", ERROR_CONFIG, "/", "cannot be a directory of ours");
	refuses("//.", ERROR_CONFIG, "/", "cannot be a directory of ours");
	(void)snprintf(path, sizeof(path), "%s/../x", f->folder);
	refuses(path, ERROR_CONFIG, f->folder, "'..'");
	(void)snprintf(path, sizeof(path), "%s/..", f->folder);
	refuses(path, ERROR_CONFIG, f->folder, "'..'");
	memset(path, 'a', LIMIT_PATH);
	path[0] = '/';
	path[LIMIT_PATH - LIMIT_FILE_NAME] = '\0';
	refuses(path, ERROR_CONFIG, "/aaaa", "too long");
}

static void
a_missing_directory_or_parent_is_named(void **state)
{
	struct stores_fixture *f = *state;
	char path[1024];
	struct directory_trial t;
	struct error e = {0}, tried = {0};

	refuses(f->path, ERROR_CONFIG, f->path, "does not exist");
	(void)snprintf(path, sizeof(path), "%s/inner", f->path);
	assert_int_equal(directory_open(&f->directory, path, 0750, (gid_t)-1, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_int_equal(strncmp(e.text, f->path, strlen(f->path)), 0);
	assert_int_equal(e.text[strlen(f->path)], ':');
	assert_int_equal(directory_try(path, &t, &tried), -1);
	assert_string_equal(tried.text, e.text);
}

static void
a_link_or_file_in_the_path_is_refused_and_named(void **state)
{
	struct stores_fixture *f = *state;
	char link[1024], path[2048];

	assert_int_equal(mkdir(f->path, 0750), 0);
	(void)snprintf(link, sizeof(link), "%s/link", f->folder);
	assert_int_equal(symlink(f->path, link), 0);
	refuses(link, ERROR_CONFIG, f->path, "is a symbolic link to");
	(void)snprintf(path, sizeof(path), "%s/", link);
	refuses(path, ERROR_CONFIG, link, "is a symbolic link to");
	(void)snprintf(path, sizeof(path), "%s/inner", link);
	refuses(path, ERROR_CONFIG, link, "is a symbolic link to");
	assert_int_equal(unlink(link), 0);
	close(open(link, O_CREAT | O_WRONLY, 0600));
	refuses(link, ERROR_CONFIG, link, "is not a directory");
}

static void
a_parent_that_others_may_write_is_refused_unless_sticky(void **state)
{
	static const struct {
		mode_t mode;
		bool safe;
	} cases[] = {
	    {0755, true},
	    {0700, true},
	    {0777, false},
	    {0775, false},
	    {0757, false},
	    {01777, true},
	    {01770, true},
	    {02775, false},
	};
	struct stores_fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0750), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error e;

		assert_int_equal(chmod(f->folder, cases[i].mode), 0);
		if (!cases[i].safe) {
			refuses(f->path, ERROR_CONFIG, f->folder, "others may write it");
			continue;
		}
		stores_check(directory_open(&f->directory, f->path, 0, (gid_t)-1, &e), &e);
		directory_close(&f->directory);
	}
}

static void
nothing_is_created_below_an_unsafe_parent(void **state)
{
	struct stores_fixture *f = *state;
	struct error e;

	assert_int_equal(chmod(f->folder, 0777), 0);
	assert_int_equal(directory_open(&f->directory, f->path, 0750, (gid_t)-1, &e), -1);
	assert_int_equal(rmdir(f->path), -1);
}

static void
a_directory_that_others_may_write_is_refused_even_if_sticky(void **state)
{
	struct stores_fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0750), 0);
	assert_int_equal(chmod(f->path, 0777), 0);
	refuses(f->path, ERROR_CONFIG, f->path, "everybody may write it");
	assert_int_equal(chmod(f->path, 01777), 0);
	refuses(f->path, ERROR_CONFIG, f->path, "everybody may write it");
}

static void
a_directory_may_be_written_by_our_group_alone(void **state)
{
	struct stores_fixture *f = *state;
	struct error e;

	assert_int_equal(mkdir(f->path, 0750), 0);
	assert_int_equal(chmod(f->path, 0770), 0);
	stores_check(directory_open(&f->directory, f->path, 0, (gid_t)-1, &e), &e);
	directory_close(&f->directory);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(f->path, (uid_t)-1, 54321), 0);
	refuses(f->path, ERROR_CONFIG, f->path, "group 54321, which is not ours");
}

static void
a_component_of_a_foreign_owner_is_refused(void **state)
{
	struct stores_fixture *f = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(f->path, 0750), 0);
	assert_int_equal(chown(f->path, STORES_NOBODY, (gid_t)-1), 0);
	refuses(f->path, ERROR_CONFIG, f->path, "belongs to uid 65534");
	assert_int_equal(chown(f->path, 0, (gid_t)-1), 0);
	assert_int_equal(chown(f->folder, STORES_NOBODY, (gid_t)-1), 0);
	refuses(f->path, ERROR_CONFIG, f->folder, "belongs to uid 65534");
}

static void
a_directory_that_was_replaced_is_noticed(void **state)
{
	struct stores_fixture *f = *state;
	char elsewhere[1024];
	struct error e;

	stores_check(directory_check(&f->directory, &e), &e);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", f->folder);
	assert_int_equal(rename(f->path, elsewhere), 0);
	assert_int_equal(directory_check(&f->directory, &e), -1);
	assert_int_equal(symlink(elsewhere, f->path), 0);
	assert_int_equal(directory_check(&f->directory, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, stores_enter, stores_leave)
#define IN_DIRECTORY(test) \
	cmocka_unit_test_setup_teardown(test, stores_enter_open, stores_leave)

/* As one that is mounted over: the roots of these two have one and the same number. */
static void
a_directory_of_another_file_system_is_not_it(void **state)
{
	char path[] = "/sys";
	struct directory d = {
	    .fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), .path = path};
	struct stat held, there;
	struct error e;

	(void)state;
	if (fstat(d.fd, &held) == -1 || stat(path, &there) == -1 || held.st_ino != there.st_ino)
		skip();
	assert_int_equal(directory_check(&d, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	close(d.fd);
}

static void
a_directory_may_have_an_acl(void **state)
{
	struct stores_fixture *f = *state;
	acl_t acl = acl_from_text("u::rwx,u:1:r-x,g::r-x,m::r-x,o::---");
	struct directory_trial t;
	struct directory d;
	struct error e;

	stores_check(directory_open(&d, f->path, 0750, (gid_t)-1, &e), &e);
	directory_close(&d);
	if (acl_set_file(f->path, ACL_TYPE_ACCESS, acl) == -1) {
		acl_free(acl);
		skip();
	}
	acl_free(acl);
	stores_check(directory_try(f->path, &t, &e), &e);
	assert_true(t.acls);
	assert_false(t.missing);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(a_missing_directory_is_created_with_mode_and_group_whatever_the_umask),
	    IN_FOLDER(a_trial_creates_nothing),
	    IN_FOLDER(a_directory_that_exists_keeps_its_mode),
	    IN_FOLDER(slashes_and_dots_in_the_path_do_not_matter),
	    IN_FOLDER(paths_that_cannot_be_a_token_directory_are_refused),
	    IN_FOLDER(a_missing_directory_or_parent_is_named),
	    IN_FOLDER(a_link_or_file_in_the_path_is_refused_and_named),
	    IN_FOLDER(a_parent_that_others_may_write_is_refused_unless_sticky),
	    IN_FOLDER(nothing_is_created_below_an_unsafe_parent),
	    IN_FOLDER(a_directory_that_others_may_write_is_refused_even_if_sticky),
	    IN_FOLDER(a_directory_may_be_written_by_our_group_alone),
	    IN_FOLDER(a_component_of_a_foreign_owner_is_refused),
	    IN_DIRECTORY(a_directory_that_was_replaced_is_noticed),
	    IN_DIRECTORY(a_directory_of_another_file_system_is_not_it),
	    IN_DIRECTORY(a_directory_may_have_an_acl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
