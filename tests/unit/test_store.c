/*
 * The token directory: names, what may be a directory, publishing, sweeping, the queue of
 * the watch mode. System calls that fail are made so by a seccomp filter in a child.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/acl.h>
#include <acl/libacl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/directory.h"
#include "store/due.h"
#include "store/publish.h"
#include "store/sweep.h"
#include "store/token_name.h"

#define T0 1700000000000000000LL

static const uid_t nobody = 65534;

/* Each test has a folder of its own, which is the parent of its token directory. */
struct fixture {
	char folder[256];
	char path[512]; /* FOLDER/tokens */
	struct directory directory;
};

static void
check(int rc, const struct error *e)
{
	if (rc == -1)
		fail_msg("%s", e->text);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(f->folder, sizeof(f->folder), "%s/test_store.XXXXXX",
	    tmp != NULL && *tmp == '/' ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof(f->path), "%s/tokens", f->folder);
	f->directory = (struct directory){.fd = -1};
	*state = f;
	return 0;
}

static int
set_up_open(void **state)
{
	struct fixture *f;
	struct error e;

	set_up(state);
	f = *state;
	check(directory_open(&f->directory, f->path, 0750, (gid_t)-1, &e), &e);
	return 0;
}

static void
remove_tree(const char *path)
{
	DIR *entries = opendir(path);

	for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
		char inner[1024];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (unlink(inner) == -1)
			remove_tree(inner);
	}
	if (entries != NULL)
		closedir(entries);
	(void)rmdir(path);
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	directory_close(&f->directory);
	remove_tree(f->folder);
	free(f);
	return 0;
}

/* How many entries the token directory has. */
static size_t
count_entries(const struct fixture *f)
{
	DIR *entries = opendir(f->path);
	size_t n = 0;

	assert_non_null(entries);
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(entries);
	return n;
}

static struct stat
look(const struct fixture *f, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(f->directory.fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static bool
exists(const struct fixture *f, const char *name)
{
	struct stat st;

	return fstatat(f->directory.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
put_file(const struct fixture *f, const char *name)
{
	int fd = openat(f->directory.fd, name, O_WRONLY | O_CREAT | O_EXCL, 0640);

	assert_int_not_equal(fd, -1);
	close(fd);
}

/* Runs a test's part in a child, for what a process cannot take back. */
static void
in_child(void (*part)(struct fixture *f, const void *argument), struct fixture *f,
    const void *argument)
{
	pid_t child = fork();
	int status;

	assert_int_not_equal(child, -1);
	if (child == 0) {
		part(f, argument);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* In a child: cmocka's own assertions would go on with the parent's tests. */
#define CHILD_ASSERT(what)                                                                 \
	do {                                                                               \
		if (!(what)) {                                                             \
			(void)dprintf(STDERR_FILENO, "%d: not so: %s\n", __LINE__, #what); \
			_exit(1);                                                          \
		}                                                                          \
	} while (0)

/* A system call that fails with number when the bits of its argument are as said. */
struct injection {
	const char *name;
	unsigned int syscall;
	unsigned int argument;
	uint32_t mask, bits;
	int number;
	enum error_code code;
};

static void
inject(const struct injection *i)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, i->syscall, 0, 4),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		(uint32_t)(offsetof(struct seccomp_data, args) + 8 * i->argument)),
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, i->mask),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, i->bits, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)i->number),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	CHILD_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHILD_ASSERT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static const struct publish_options plain = {.mode = 0640, .group = (gid_t)-1};

/* --- names ------------------------------------------------------------------------ */

static void
subjects_have_the_names_that_are_documented(void **state)
{
	static const struct {
		const char *subject, *name;
	} cases[] = {
	    {"foo", "foo.1700000000000000000.token"},
	    {"a.1700000000000000000", "a.1700000000000000000.1700000000000000000.token"},
	    {"user@REALM", "user@REALM.1700000000000000000.token"},
	    {"a+b-c_d.e", "a+b-c_d.e.1700000000000000000.token"},
	    {"John Doe", "John%20Doe.1700000000000000000.token"},
	    {"J\xc3\xb6rg", "J%C3%B6rg.1700000000000000000.token"},
	    {"100%", "100%25.1700000000000000000.token"},
	    {"a/b", "a%2Fb.1700000000000000000.token"},
	    {".hidden", "%2Ehidden.1700000000000000000.token"},
	    {"-rf", "%2Drf.1700000000000000000.token"},
	    {"..", "%2E..1700000000000000000.token"},
	};
	char name[LIMIT_FILE_NAME];
	int64_t time;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(token_name_format(name, cases[i].subject, T0), 0);
		assert_string_equal(name, cases[i].name);
		time = 0;
		assert_int_equal(token_name_parse(name, &time), 0);
		assert_int_equal(time, T0);
	}
}

static void
a_subject_of_128_bytes_has_a_name(void **state)
{
	char subject[LIMIT_SUBJECT];
	char name[LIMIT_FILE_NAME];

	(void)state;
	memset(subject, 'a', sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = '\0';
	assert_int_equal(token_name_format(name, subject, T0), 0);
	assert_int_equal(strlen(name), 128 + TOKEN_NAME_TAIL);
}

static void
a_name_that_would_be_too_long_is_refused_not_cut(void **state)
{
	char subject[LIMIT_SUBJECT];
	char name[LIMIT_FILE_NAME];

	(void)state;
	memset(subject, ' ', sizeof(subject) - 1);
	subject[76] = '\0'; /* 228 bytes encoded, and the tail: 254 */
	assert_int_equal(token_name_format(name, subject, T0), 0);
	subject[76] = ' ';
	subject[77] = '\0';
	assert_int_equal(token_name_format(name, subject, T0), -1);
}

static void
times_without_19_digits_have_no_name(void **state)
{
	char name[LIMIT_FILE_NAME];

	(void)state;
	assert_int_equal(token_name_format(name, "a", 999999999999999999), -1);
	assert_int_equal(token_name_format(name, "a", 1000000000000000000), 0);
	assert_int_equal(token_name_format(name, "a", INT64_MAX), 0);
	assert_int_equal(token_name_format(name, "a", -1), -1);
	assert_int_equal(token_name_format(name, "", T0), -1);
}

static void
names_that_are_nearly_right_are_not_tokens(void **state)
{
	static const char *const names[] = {
	    "",
	    ".",
	    ".token",
	    ".1700000000000000000.token",
	    "1700000000000000000.token",
	    "a1700000000000000000.token",
	    "a.170000000000000000.token",
	    "a.17000000000000000000.token",
	    "a.+700000000000000000.token",
	    "a.0700000000000000000.token",
	    "a.9999999999999999999.token",
	    "a.170000000000000000x.token",
	    "a. 700000000000000000.token",
	    "a.1700000000000000000.token~",
	    "a.1700000000000000000.token.swp",
	    "a.1700000000000000000.Token",
	    "a.1700000000000000000token",
	    "a.1700000000000000000.toke",
	    "a b.1700000000000000000.token",
	    "a\n.1700000000000000000.token",
	    "J\xc3\xb6rg.1700000000000000000.token",
	    ".a.1700000000000000000.token",
	    "-a.1700000000000000000.token",
	    "a%41.1700000000000000000.token",
	    "a%2f.1700000000000000000.token",
	    "a%2.1700000000000000000.token",
	    "a%.1700000000000000000.token",
	    "a%00.1700000000000000000.token",
	};
	int64_t time;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (token_name_parse(names[i], &time) == 0)
			fail_msg("taken for a token: %s", names[i]);
}

static void
temporary_names_are_known_and_others_are_not(void **state)
{
	static const char *const others[] = {
	    ".tmp-",
	    ".tmp-0123456789abcdef0123456789abcde",
	    ".tmp-0123456789abcdef0123456789abcdef0",
	    ".tmp-0123456789ABCDEF0123456789abcdef",
	    "tmp-0123456789abcdef0123456789abcdef",
	    ".tmp-0123456789abcdef0123456789abcdef.token",
	};
	char name[LIMIT_FILE_NAME], next[LIMIT_FILE_NAME];

	(void)state;
	assert_int_equal(token_name_temporary(name, &entropy_system), 0);
	assert_int_equal(token_name_temporary(next, &entropy_system), 0);
	assert_true(token_name_is_temporary(name));
	assert_string_not_equal(name, next);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(token_name_is_temporary(others[i]));
}

/* --- directories ------------------------------------------------------------------ */

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
	struct fixture *f = *state;
	gid_t group = geteuid() == 0 ? 12345 : getegid();
	struct stat st;
	struct error e;

	for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
		mode_t before = umask(umasks[i]);
		int rc = directory_open(&f->directory, f->path, 0710, group, &e);

		(void)umask(before);
		check(rc, &e);
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
	struct fixture *f = *state;
	struct directory_trial t;
	struct stat st;
	struct error e = {0};

	check(directory_try(f->path, &t, &e), &e);
	assert_true(t.missing);
	assert_int_equal(stat(f->path, &st), -1);
	assert_int_equal(mkdir(f->path, 0700), 0);
	check(directory_try(f->path, &t, &e), &e);
	assert_false(t.missing);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void
a_directory_that_exists_keeps_its_mode(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct error e;

	assert_int_equal(mkdir(f->path, 0700), 0);
	check(directory_open(&f->directory, f->path, 0750, (gid_t)-1, &e), &e);
	assert_int_equal(fstat(f->directory.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void
slashes_and_dots_in_the_path_do_not_matter(void **state)
{
	static const char *const forms[] = {"%s/", "%s//", "%s/.", "%s/./", "//%s"};
	struct fixture *f = *state;

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
		check(directory_open(&f->directory, path, 0, (gid_t)-1, &e), &e);
		assert_string_equal(f->directory.path, f->path);
		directory_close(&f->directory);
	}
}

static void
paths_that_cannot_be_a_token_directory_are_refused(void **state)
{
	struct fixture *f = *state;
	char path[2 * LIMIT_PATH];

	refuses("tokens", ERROR_CONFIG, "tokens", "absolute");
	refuses("", ERROR_CONFIG, "", "absolute");
	refuses("/", ERROR_CONFIG, "/", "cannot be the token directory");
	refuses("//.", ERROR_CONFIG, "/", "cannot be the token directory");
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0750), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error e;

		assert_int_equal(chmod(f->folder, cases[i].mode), 0);
		if (!cases[i].safe) {
			refuses(f->path, ERROR_CONFIG, f->folder, "others may write it");
			continue;
		}
		check(directory_open(&f->directory, f->path, 0, (gid_t)-1, &e), &e);
		directory_close(&f->directory);
	}
}

static void
nothing_is_created_below_an_unsafe_parent(void **state)
{
	struct fixture *f = *state;
	struct error e;

	assert_int_equal(chmod(f->folder, 0777), 0);
	assert_int_equal(directory_open(&f->directory, f->path, 0750, (gid_t)-1, &e), -1);
	assert_int_equal(rmdir(f->path), -1);
}

static void
a_directory_that_others_may_write_is_refused_even_if_sticky(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0750), 0);
	assert_int_equal(chmod(f->path, 0777), 0);
	refuses(f->path, ERROR_CONFIG, f->path, "everybody may write it");
	assert_int_equal(chmod(f->path, 01777), 0);
	refuses(f->path, ERROR_CONFIG, f->path, "everybody may write it");
}

static void
a_directory_may_be_written_by_our_group_alone(void **state)
{
	struct fixture *f = *state;
	struct error e;

	assert_int_equal(mkdir(f->path, 0750), 0);
	assert_int_equal(chmod(f->path, 0770), 0);
	check(directory_open(&f->directory, f->path, 0, (gid_t)-1, &e), &e);
	directory_close(&f->directory);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(f->path, (uid_t)-1, 54321), 0);
	refuses(f->path, ERROR_CONFIG, f->path, "group 54321, which is not ours");
}

static void
a_component_of_a_foreign_owner_is_refused(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(f->path, 0750), 0);
	assert_int_equal(chown(f->path, nobody, (gid_t)-1), 0);
	refuses(f->path, ERROR_CONFIG, f->path, "belongs to uid 65534");
	assert_int_equal(chown(f->path, 0, (gid_t)-1), 0);
	assert_int_equal(chown(f->folder, nobody, (gid_t)-1), 0);
	refuses(f->path, ERROR_CONFIG, f->folder, "belongs to uid 65534");
}

static void
a_directory_that_was_replaced_is_noticed(void **state)
{
	struct fixture *f = *state;
	char elsewhere[1024];
	struct error e;

	check(directory_check(&f->directory, &e), &e);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", f->folder);
	assert_int_equal(rename(f->path, elsewhere), 0);
	assert_int_equal(directory_check(&f->directory, &e), -1);
	assert_int_equal(symlink(elsewhere, f->path), 0);
	assert_int_equal(directory_check(&f->directory, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
}

/* --- publishing ------------------------------------------------------------------- */

static void
a_token_is_published_with_mode_and_group_whatever_the_umask(void **state)
{
	static const mode_t umasks[] = {0, 027, 077, 0777};
	struct fixture *f = *state;
	struct publish_options o = {.mode = 0640, .group = geteuid() == 0 ? 12345 : getegid()};
	char path[LIMIT_PATH], expected[LIMIT_PATH], text[16] = "";
	struct stat st;
	struct error e;
	int fd;

	for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
		mode_t before = umask(umasks[i]);
		int rc = publish_token(
		    &f->directory, &o, "foo", T0 + (int64_t)i, "e30.e30.x", 9, path, &e);

		(void)umask(before);
		check(rc, &e);
		(void)snprintf(expected, sizeof(expected), "%s/foo.170000000000000000%zu.token",
		    f->path, i);
		assert_string_equal(path, expected);
		assert_int_equal(lstat(path, &st), 0);
		assert_int_equal(st.st_mode, S_IFREG | 0640);
		assert_int_equal(st.st_gid, o.group);
		assert_int_equal(st.st_nlink, 1);
	}
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 9);
	assert_string_equal(text, "e30.e30.x");
	close(fd);
}

static void
a_name_that_is_taken_moves_on_and_nothing_is_replaced(void **state)
{
	struct fixture *f = *state;
	char path[LIMIT_PATH];
	struct error e;

	put_file(f, "foo.1700000000000000000.token");
	assert_int_equal(
	    symlinkat("/etc/passwd", f->directory.fd, "foo.1700000000000000001.token"), 0);
	check(publish_token(&f->directory, &plain, "foo", T0, "x", 1, path, &e), &e);
	assert_non_null(strstr(path, "/foo.1700000000000000002.token"));
	assert_int_equal(look(f, "foo.1700000000000000000.token").st_size, 0);
	assert_true(S_ISLNK(look(f, "foo.1700000000000000001.token").st_mode));
}

static void
publish_many(struct fixture *f, const void *argument)
{
	char path[LIMIT_PATH];
	struct error e;

	(void)argument;
	for (int i = 0; i < 5000; i++)
		CHILD_ASSERT(publish_token(&f->directory, &plain, "foo",
				 clock_realtime(&clock_system) / 1000000 * 1000000, "x", 1,
				 path, &e) == 0);
}

static void
two_processes_never_share_a_name(void **state)
{
	struct fixture *f = *state;
	pid_t child = fork();
	int status;

	assert_int_not_equal(child, -1);
	if (child == 0) {
		publish_many(f, NULL);
		_exit(0);
	}
	in_child(publish_many, f, NULL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(count_entries(f), 10000);
}

/* Publishes while a system call fails as injected. */
static void
publish_injected(struct fixture *f, const void *argument)
{
	const struct injection *i = argument;
	char path[LIMIT_PATH];
	struct error e = {0};

	inject(i);
	CHILD_ASSERT(
	    publish_token(&f->directory, &plain, "foo", T0, "token", 5, path, &e) == -1);
	if (e.code != i->code)
		(void)dprintf(STDERR_FILENO, "%s: code %d: %s\n", i->name, (int)e.code, e.text);
	CHILD_ASSERT(e.code == i->code);
	CHILD_ASSERT(*path == '\0');
}

#define ON_TMPFILE __NR_openat, 2, O_TMPFILE, O_TMPFILE
#define ON_ANY(call) __NR_##call, 0, 0, 0

static void
a_refusal_of_the_system_leaves_nothing_behind(void **state)
{
	static const struct injection cases[] = {
	    {"open full", ON_TMPFILE, ENOSPC, ERROR_UNAVAILABLE},
	    {"open quota", ON_TMPFILE, EDQUOT, ERROR_UNAVAILABLE},
	    {"open read-only", ON_TMPFILE, EROFS, ERROR_UNAVAILABLE},
	    {"open descriptors", ON_TMPFILE, EMFILE, ERROR_UNAVAILABLE},
	    {"open system descriptors", ON_TMPFILE, ENFILE, ERROR_UNAVAILABLE},
	    {"open input/output", ON_TMPFILE, EIO, ERROR_UNAVAILABLE},
	    {"open memory", ON_TMPFILE, ENOMEM, ERROR_UNAVAILABLE},
	    {"open permission", ON_TMPFILE, EACCES, ERROR_NO_PERMISSION},
	    {"write full", ON_ANY(write), ENOSPC, ERROR_UNAVAILABLE},
	    {"write quota", ON_ANY(write), EDQUOT, ERROR_UNAVAILABLE},
	    {"write input/output", ON_ANY(write), EIO, ERROR_UNAVAILABLE},
	    {"mode", ON_ANY(fchmod), EIO, ERROR_UNAVAILABLE},
	    {"link full", ON_ANY(linkat), ENOSPC, ERROR_UNAVAILABLE},
	    {"link input/output", ON_ANY(linkat), EIO, ERROR_UNAVAILABLE},
	    {"link read-only", ON_ANY(linkat), EROFS, ERROR_UNAVAILABLE},
	    {"link name taken for good", ON_ANY(linkat), EEXIST, ERROR_UNAVAILABLE},
	    {"link gone", ON_ANY(linkat), ENOENT, ERROR_UNAVAILABLE},
	};
	struct fixture *f = *state;
	char path[LIMIT_PATH];
	struct error e;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		in_child(publish_injected, f, &cases[i]);
		assert_int_equal(count_entries(f), 0);
	}
	check(publish_token(&f->directory, &plain, "foo", T0, "token", 5, path, &e), &e);
}

/* Without O_TMPFILE, or without /proc. */
static const struct injection fallbacks[] = {
    {"not supported", ON_TMPFILE, EOPNOTSUPP, ERROR_NONE},
    {"a directory", ON_TMPFILE, EISDIR, ERROR_NONE},
    {"invalid", ON_TMPFILE, EINVAL, ERROR_NONE},
    {"no /proc", __NR_linkat, 0, UINT32_MAX, (uint32_t)AT_FDCWD, ENOENT, ERROR_NONE},
};

static void
publish_fallback(struct fixture *f, const void *argument)
{
	char path[LIMIT_PATH];
	struct error e = {0};

	inject(argument);
	(void)umask(0777);
	if (publish_token(&f->directory, &plain, "foo", T0, "token", 5, path, &e) == -1)
		(void)dprintf(STDERR_FILENO, "%s\n", e.text);
	CHILD_ASSERT(*path != '\0');
}

static void
a_file_system_without_unnamed_files_serves_as_well(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(fallbacks) / sizeof(fallbacks[0]); i++) {
		struct stat st;

		in_child(publish_fallback, f, &fallbacks[i]);
		assert_int_equal(count_entries(f), 1);
		st = look(f, "foo.1700000000000000000.token");
		assert_int_equal(st.st_mode, S_IFREG | 0640);
		assert_int_equal(st.st_size, 5);
		assert_int_equal(st.st_nlink, 1);
		assert_int_equal(
		    unlinkat(f->directory.fd, "foo.1700000000000000000.token", 0), 0);
	}
}

static void
publish_fallback_injected(struct fixture *f, const void *argument)
{
	inject(&fallbacks[0]);
	publish_injected(f, argument);
}

static void
a_refusal_leaves_no_temporary_file_either(void **state)
{
	static const struct injection cases[] = {
	    {"open", __NR_openat, 2, O_CREAT, O_CREAT, ENOSPC, ERROR_UNAVAILABLE},
	    {"write", ON_ANY(write), ENOSPC, ERROR_UNAVAILABLE},
	    {"mode", ON_ANY(fchmod), EIO, ERROR_UNAVAILABLE},
	    {"close", ON_ANY(close), EIO, ERROR_UNAVAILABLE},
	    {"link", ON_ANY(linkat), EIO, ERROR_UNAVAILABLE},
	    {"link taken", ON_ANY(linkat), EEXIST, ERROR_UNAVAILABLE},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		in_child(publish_fallback_injected, f, &cases[i]);
		assert_int_equal(count_entries(f), 0);
	}
}

static void
publish_without_descriptors(struct fixture *f, const void *argument)
{
	struct rlimit limit = {.rlim_cur = 0, .rlim_max = 1024};
	char path[LIMIT_PATH];
	struct error e = {0};

	(void)argument;
	CHILD_ASSERT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHILD_ASSERT(publish_token(&f->directory, &plain, "foo", T0, "x", 1, path, &e) == -1);
	CHILD_ASSERT(e.code == ERROR_UNAVAILABLE);
	CHILD_ASSERT(strstr(e.text, "open files") != NULL);
	limit.rlim_cur = 1024;
	CHILD_ASSERT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHILD_ASSERT(publish_token(&f->directory, &plain, "foo", T0, "x", 1, path, &e) == 0);
}

static void
running_out_of_descriptors_is_said_and_recovers(void **state)
{
	in_child(publish_without_descriptors, *state, NULL);
}

/* Mounts a small file system on the token directory, in a mount namespace of the child. */
static void
mount_small(struct fixture *f, const char *options)
{
	struct error e = {0};

	CHILD_ASSERT(unshare(CLONE_NEWNS) == 0);
	CHILD_ASSERT(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHILD_ASSERT(mount("tmpfs", f->path, "tmpfs", 0, options) == 0);
	directory_close(&f->directory);
	CHILD_ASSERT(directory_open(&f->directory, f->path, 0, (gid_t)-1, &e) == 0);
}

static void
publish_until_full(struct fixture *f, const void *argument)
{
	static const char bytes[6000]; /* a page and a part of one */
	char path[LIMIT_PATH], first[LIMIT_PATH] = "";
	struct error e = {0};
	size_t n = 0;
	struct stat st;

	mount_small(f, argument);
	while (publish_token(
		   &f->directory, &plain, "foo", T0, bytes, sizeof(bytes), path, &e) == 0) {
		CHILD_ASSERT(stat(path, &st) == 0 && st.st_size == sizeof(bytes));
		if (n++ == 0)
			memcpy(first, path, sizeof(first));
	}
	CHILD_ASSERT(e.code == ERROR_UNAVAILABLE);
	CHILD_ASSERT(n > 0 && n < 100);
	CHILD_ASSERT(count_entries(f) == n);
	CHILD_ASSERT(unlink(first) == 0);
	CHILD_ASSERT(publish_token(&f->directory, &plain, "foo", T0, bytes, sizeof(bytes), path,
			 &e) == 0);
}

static void
a_full_file_system_is_said_and_recovers(void **state)
{
	if (geteuid() != 0)
		skip();
	in_child(publish_until_full, *state, "size=20k,mode=0750");
	in_child(publish_until_full, *state, "nr_inodes=4,mode=0750");
}

static void
publish_read_only(struct fixture *f, const void *argument)
{
	char path[LIMIT_PATH];
	struct error e = {0};

	(void)argument;
	mount_small(f, "mode=0750");
	CHILD_ASSERT(mount("tmpfs", f->path, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) == 0);
	CHILD_ASSERT(publish_token(&f->directory, &plain, "foo", T0, "x", 1, path, &e) == -1);
	CHILD_ASSERT(e.code == ERROR_UNAVAILABLE);
	CHILD_ASSERT(mount("tmpfs", f->path, "tmpfs", MS_REMOUNT, NULL) == 0);
	CHILD_ASSERT(publish_token(&f->directory, &plain, "foo", T0, "x", 1, path, &e) == 0);
}

static void
a_read_only_file_system_is_said_and_recovers(void **state)
{
	if (geteuid() != 0)
		skip();
	in_child(publish_read_only, *state, NULL);
}

static void
a_subject_that_no_file_name_holds_is_refused(void **state)
{
	struct fixture *f = *state;
	char subject[LIMIT_SUBJECT], path[LIMIT_PATH];
	struct error e = {0};

	memset(subject, ' ', sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = '\0';
	assert_int_equal(
	    publish_token(&f->directory, &plain, subject, T0, "x", 1, path, &e), -1);
	assert_int_equal(e.code, ERROR_MALFORMED);
}

static const struct publish_options to_subject = {
    .mode = 0640, .group = (gid_t)-1, .to_subject = true};

static void
access_of_the_subject_is_an_acl_for_its_account(void **state)
{
	struct fixture *f = *state;
	struct passwd *account = getpwnam("nobody");
	char path[LIMIT_PATH], expected[128], *text;
	mode_t before = umask(0777);
	struct error e;
	acl_t acl;
	int rc;

	assert_non_null(account);
	rc = publish_token(&f->directory, &to_subject, "nobody", T0, "x", 1, path, &e);
	(void)umask(before);
	check(rc, &e);
	acl = acl_get_file(path, ACL_TYPE_ACCESS);
	assert_non_null(acl);
	text = acl_to_any_text(acl, NULL, ',', TEXT_NUMERIC_IDS);
	(void)snprintf(expected, sizeof(expected),
	    "user::rw-,user:%u:r--,group::---,mask::r--,other::---", account->pw_uid);
	assert_string_equal(text, expected);
	acl_free(text);
	acl_free(acl);
}

static void
publish_without_acls(struct fixture *f, const void *argument)
{
	const struct injection no_acls = {"", ON_ANY(fsetxattr), EOPNOTSUPP, ERROR_NONE};
	char path[LIMIT_PATH];
	struct error e = {0};

	(void)argument;
	inject(&no_acls);
	(void)publish_token(&f->directory, &to_subject, "daemon", T0, "x", 1, path, &e);
	CHILD_ASSERT(e.code == (geteuid() == 0 ? ERROR_NONE : ERROR_CONFIG));
	e = (struct error){0};
	(void)publish_probe(&f->directory, &to_subject, &e);
	CHILD_ASSERT(e.code == (geteuid() == 0 ? ERROR_NONE : ERROR_CONFIG));
}

static void
access_of_the_subject_without_acls_is_ownership(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	in_child(publish_without_acls, f, NULL);
	if (geteuid() != 0) {
		assert_int_equal(count_entries(f), 0);
		return;
	}
	st = look(f, "daemon.1700000000000000000.token");
	assert_int_equal(st.st_mode, S_IFREG | 0400);
	assert_int_equal(st.st_uid, getpwnam("daemon")->pw_uid);
}

static void
a_subject_without_account_is_denied(void **state)
{
	struct fixture *f = *state;
	char path[LIMIT_PATH];
	struct error e = {0};

	assert_int_equal(publish_token(&f->directory, &to_subject, "no.such.account.here", T0,
			     "x", 1, path, &e),
	    -1);
	assert_int_equal(e.code, ERROR_DENIED);
	assert_int_equal(count_entries(f), 0);
}

static void
probe_as_nobody(struct fixture *f, const void *argument)
{
	struct publish_options o = plain;
	struct error e = {0};

	(void)argument;
	CHILD_ASSERT(setgroups(0, NULL) == 0 && setgid(nobody) == 0 && setuid(nobody) == 0);
	CHILD_ASSERT(publish_probe(&f->directory, &o, &e) == 0);
	o.group = nobody;
	CHILD_ASSERT(publish_probe(&f->directory, &o, &e) == 0);
	o.group = 0;
	CHILD_ASSERT(publish_probe(&f->directory, &o, &e) == -1);
	CHILD_ASSERT(e.code == ERROR_CONFIG && strstr(e.text, "group 0") != NULL);
	CHILD_ASSERT(count_entries(f) == 0);
}

static void
a_group_that_is_not_ours_is_said_by_the_probe(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(f->folder, 0755), 0);
	assert_int_equal(fchown(f->directory.fd, nobody, nobody), 0);
	in_child(probe_as_nobody, f, NULL);
}

/* --- sweeping --------------------------------------------------------------------- */

static int64_t
fixed_time(void *state)
{
	return *(int64_t *)state;
}

/* What one pass at the given age of T0 deletes. */
static size_t
sweep_at(const struct fixture *f, int64_t age, struct sweep_options o)
{
	int64_t now = T0 + age;
	const struct clock clock = {.realtime = fixed_time, .state = &now};
	struct error e;
	size_t count;

	check(sweep_once(&f->directory, &o, &clock, &count, &e), &e);
	return count;
}

static const struct sweep_options ten_seconds = {.max_age = 10 * NANOSECONDS};

static void
a_token_goes_when_it_reaches_its_age_and_not_before(void **state)
{
	struct fixture *f = *state;

	put_file(f, "foo.1700000000000000000.token");
	assert_int_equal(sweep_at(f, 10 * NANOSECONDS - 1, ten_seconds), 0);
	assert_int_equal(sweep_at(f, 10 * NANOSECONDS, ten_seconds), 1);
	assert_int_equal(count_entries(f), 0);
}

static void
a_token_from_the_future_goes_when_it_is_further_than_its_age(void **state)
{
	struct fixture *f = *state;

	put_file(f, "foo.1700000000000000000.token");
	assert_int_equal(sweep_at(f, -10 * NANOSECONDS, ten_seconds), 0);
	assert_int_equal(sweep_at(f, -3600 * NANOSECONDS, ten_seconds), 1);
}

static void
a_subject_that_looks_like_a_name_is_judged_by_its_own_time(void **state)
{
	struct fixture *f = *state;

	put_file(f, "a.1600000000000000000.1700000000000000000.token");
	assert_int_equal(sweep_at(f, NANOSECONDS, ten_seconds), 0);
	assert_int_equal(sweep_at(f, 11 * NANOSECONDS, ten_seconds), 1);
}

static void
age_zero_deletes_every_token(void **state)
{
	struct fixture *f = *state;
	struct sweep_options all = {.max_age = 0};

	put_file(f, "foo.1600000000000000000.token");
	put_file(f, "foo.1700000000000000000.token");
	put_file(f, "foo.1800000000000000000.token");
	assert_int_equal(sweep_at(f, 0, all), 3);
}

static void
a_dry_run_deletes_nothing(void **state)
{
	struct fixture *f = *state;
	struct sweep_options o = ten_seconds;

	o.dry_run = true;
	put_file(f, "foo.1700000000000000000.token");
	assert_int_equal(sweep_at(f, 11 * NANOSECONDS, o), 1);
	assert_int_equal(count_entries(f), 1);
}

static void
what_is_no_token_of_ours_stays(void **state)
{
	struct fixture *f = *state;
	int fd = f->directory.fd;

	put_file(f, "notes.txt");
	put_file(f, "foo.1700000000000000000.token.bak");
	put_file(f, "two.1700000000000000000.token");
	assert_int_equal(linkat(fd, "two.1700000000000000000.token", fd, "other", 0), 0);
	assert_int_equal(symlinkat("other", fd, "link.1700000000000000000.token"), 0);
	assert_int_equal(mkfifoat(fd, "fifo.1700000000000000000.token", 0600), 0);
	assert_int_equal(mkdirat(fd, "dir.1700000000000000000.token", 0700), 0);
	assert_int_equal(sweep_at(f, 3600 * NANOSECONDS, ten_seconds), 0);
	assert_int_equal(count_entries(f), 7);
}

static void
a_foreign_file_stays_unless_it_was_given_to_its_subject(void **state)
{
	struct fixture *f = *state;
	int fd = f->directory.fd;

	if (geteuid() != 0)
		skip();
	put_file(f, "foreign.1700000000000000000.token");
	assert_int_equal(
	    fchownat(fd, "foreign.1700000000000000000.token", nobody, nobody, 0), 0);
	put_file(f, "given.1700000000000000000.token");
	assert_int_equal(fchmodat(fd, "given.1700000000000000000.token", 0400, 0), 0);
	assert_int_equal(fchownat(fd, "given.1700000000000000000.token", nobody, nobody, 0), 0);

	/* Where a group may write, any of its members may have made a private file. */
	assert_int_equal(fchmod(fd, 0770), 0);
	assert_int_equal(sweep_at(f, 3600 * NANOSECONDS, ten_seconds), 0);
	assert_int_equal(fchmod(fd, 0710), 0);
	assert_int_equal(sweep_at(f, 3600 * NANOSECONDS, ten_seconds), 1);
	assert_true(exists(f, "foreign.1700000000000000000.token"));
}

static void
what_a_killed_mint_left_goes_with_its_second_name(void **state)
{
	static const char *const left[] = {
	    ".tmp-0123456789abcdef0123456789abcdef", ".tmp-00000000000000000000000000000000"};
	static const char *const tokens[] = {
	    "foo.1700000000000000000.token", "bar.1700000000000000000.token"};
	static const struct timespec made[] = {
	    {.tv_sec = T0 / NANOSECONDS}, {.tv_sec = T0 / NANOSECONDS}};
	struct fixture *f = *state;
	int fd = f->directory.fd;

	/* Either name may be the first that a listing meets: make them in both orders. */
	put_file(f, left[0]);
	assert_int_equal(linkat(fd, left[0], fd, tokens[0], 0), 0);
	put_file(f, tokens[1]);
	assert_int_equal(linkat(fd, tokens[1], fd, left[1], 0), 0);
	put_file(f, ".tmp-not-ours");
	assert_int_equal(utimensat(fd, left[0], made, 0), 0);
	assert_int_equal(utimensat(fd, left[1], made, 0), 0);
	assert_int_equal(utimensat(fd, ".tmp-not-ours", made, 0), 0);
	assert_int_equal(sweep_at(f, 9 * NANOSECONDS, ten_seconds), 0);
	assert_int_equal(sweep_at(f, 10 * NANOSECONDS, ten_seconds), 4);
	assert_int_equal(count_entries(f), 1);
	assert_true(exists(f, ".tmp-not-ours"));
}

static void
age_zero_spares_the_mint_that_goes_on(void **state)
{
	static const char temporary[] = ".tmp-0123456789abcdef0123456789abcdef";
	static const struct timespec made[] = {
	    {.tv_sec = T0 / NANOSECONDS}, {.tv_sec = T0 / NANOSECONDS}};
	struct fixture *f = *state;
	struct sweep_options all = {.max_age = 0};

	put_file(f, temporary);
	assert_int_equal(utimensat(f->directory.fd, temporary, made, 0), 0);
	assert_int_equal(sweep_at(f, NANOSECONDS / 2, all), 0);
}

static void
sweep_unlink_refused(struct fixture *f, const void *argument)
{
	int64_t now = T0 + 3600 * NANOSECONDS;
	const struct clock clock = {.realtime = fixed_time, .state = &now};
	const struct injection *i = argument;
	struct error e = {0};
	size_t count = 99;

	inject(i);
	CHILD_ASSERT(sweep_once(&f->directory, &ten_seconds, &clock, &count, &e) == -1);
	CHILD_ASSERT(e.code == i->code);
	CHILD_ASSERT(count == 0);
}

static void
a_file_that_cannot_be_deleted_is_an_error(void **state)
{
	static const struct injection cases[] = {
	    {"read-only", ON_ANY(unlinkat), EROFS, ERROR_UNAVAILABLE},
	    {"permission", ON_ANY(unlinkat), EACCES, ERROR_NO_PERMISSION},
	    {"listing", ON_ANY(getdents64), EIO, ERROR_UNAVAILABLE},
	};
	struct fixture *f = *state;

	put_file(f, "foo.1700000000000000000.token");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		in_child(sweep_unlink_refused, f, &cases[i]);
}

static void
deleting_one_file_tells_what_became_of_it(void **state)
{
	struct fixture *f = *state;

	put_file(f, "foo.1700000000000000000.token");
	assert_int_equal(sweep_delete(&f->directory, "foo.1700000000000000000.token", true), 1);
	assert_int_equal(
	    sweep_delete(&f->directory, "foo.1700000000000000000.token", false), 1);
	assert_int_equal(
	    sweep_delete(&f->directory, "foo.1700000000000000000.token", false), 0);
	assert_int_equal(symlinkat("x", f->directory.fd, "foo.1700000000000000000.token"), 0);
	assert_int_equal(
	    sweep_delete(&f->directory, "foo.1700000000000000000.token", false), 0);
}

/* --- the queue of the watch mode -------------------------------------------------- */

static void
a_queue_gives_names_back_in_the_order_in_which_they_are_due(void **state)
{
	enum { COUNT = 20000 }; /* more than a chunk holds */
	struct due_queue *q = due_new();
	char name[LIMIT_FILE_NAME];
	int64_t due, before = 0;

	(void)state;
	assert_non_null(q);
	for (int64_t i = 0; i < COUNT; i++) {
		assert_int_equal(token_name_format(name, "John Doe", T0 + i), 0);
		assert_int_equal(due_add(q, name, i * 7919 % COUNT), 0);
	}
	assert_int_equal(due_add(q, ".tmp-0123456789abcdef0123456789abcdef", COUNT), 0);
	assert_int_equal(due_count(q), COUNT + 1);
	for (int64_t i = 0; i < COUNT; i++) {
		int64_t time;

		assert_int_equal(due_first(q, name, &due), 1);
		assert_true(due >= before);
		before = due;
		assert_int_equal(token_name_parse(name, &time), 0);
		assert_int_equal((time - T0) * 7919 % COUNT, due);
		assert_int_equal(strncmp(name, "John%20Doe.", 11), 0);
		due_drop(q);
	}
	assert_int_equal(due_first(q, name, &due), 1);
	assert_string_equal(name, ".tmp-0123456789abcdef0123456789abcdef");
	due_drop(q);
	assert_int_equal(due_first(q, name, &due), 0);
	assert_int_equal(due_add(q, name, 1), 0);
	assert_int_equal(due_first(q, name, &due), 1);
	due_free(q);
}

static void
an_index_knows_the_names_that_were_added_before_it(void **state)
{
	struct due_queue *q = due_new();
	char name[LIMIT_FILE_NAME];
	struct due_index *known;

	(void)state;
	for (int64_t i = 0; i < 5000; i++) {
		assert_int_equal(token_name_format(name, i % 2 ? "foo" : "bar", T0 + i), 0);
		assert_int_equal(due_add(q, name, i), 0);
	}
	assert_int_equal(due_add(q, ".tmp-0123456789abcdef0123456789abcdef", 1), 0);
	due_drop(q); /* bar.1700000000000000000.token */
	known = due_index_new(q);
	assert_non_null(known);
	assert_int_equal(due_add(q, "new.1700000000000000000.token", 6000), 0);
	assert_true(due_index_has(known, "foo.1700000000000000001.token"));
	assert_true(due_index_has(known, "bar.1700000000000004998.token"));
	assert_true(due_index_has(known, ".tmp-0123456789abcdef0123456789abcdef"));
	assert_false(due_index_has(known, "bar.1700000000000000000.token"));
	assert_false(due_index_has(known, "bar.1700000000000000001.token"));
	assert_false(due_index_has(known, "fo.1700000000000000001.token"));
	assert_false(due_index_has(known, "new.1700000000000000000.token"));
	due_index_free(known);
	due_free(q);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_up_open, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(subjects_have_the_names_that_are_documented),
	    cmocka_unit_test(a_subject_of_128_bytes_has_a_name),
	    cmocka_unit_test(a_name_that_would_be_too_long_is_refused_not_cut),
	    cmocka_unit_test(times_without_19_digits_have_no_name),
	    cmocka_unit_test(names_that_are_nearly_right_are_not_tokens),
	    cmocka_unit_test(temporary_names_are_known_and_others_are_not),
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
	    IN_DIRECTORY(a_token_is_published_with_mode_and_group_whatever_the_umask),
	    IN_DIRECTORY(a_name_that_is_taken_moves_on_and_nothing_is_replaced),
	    IN_DIRECTORY(two_processes_never_share_a_name),
	    IN_DIRECTORY(a_refusal_of_the_system_leaves_nothing_behind),
	    IN_DIRECTORY(a_file_system_without_unnamed_files_serves_as_well),
	    IN_DIRECTORY(a_refusal_leaves_no_temporary_file_either),
	    IN_DIRECTORY(running_out_of_descriptors_is_said_and_recovers),
	    IN_DIRECTORY(a_full_file_system_is_said_and_recovers),
	    IN_DIRECTORY(a_read_only_file_system_is_said_and_recovers),
	    IN_DIRECTORY(a_subject_that_no_file_name_holds_is_refused),
	    IN_DIRECTORY(access_of_the_subject_is_an_acl_for_its_account),
	    IN_DIRECTORY(access_of_the_subject_without_acls_is_ownership),
	    IN_DIRECTORY(a_subject_without_account_is_denied),
	    IN_DIRECTORY(a_group_that_is_not_ours_is_said_by_the_probe),
	    IN_DIRECTORY(a_token_goes_when_it_reaches_its_age_and_not_before),
	    IN_DIRECTORY(a_token_from_the_future_goes_when_it_is_further_than_its_age),
	    IN_DIRECTORY(a_subject_that_looks_like_a_name_is_judged_by_its_own_time),
	    IN_DIRECTORY(age_zero_deletes_every_token),
	    IN_DIRECTORY(a_dry_run_deletes_nothing),
	    IN_DIRECTORY(what_is_no_token_of_ours_stays),
	    IN_DIRECTORY(a_foreign_file_stays_unless_it_was_given_to_its_subject),
	    IN_DIRECTORY(what_a_killed_mint_left_goes_with_its_second_name),
	    IN_DIRECTORY(age_zero_spares_the_mint_that_goes_on),
	    IN_DIRECTORY(a_file_that_cannot_be_deleted_is_an_error),
	    IN_DIRECTORY(deleting_one_file_tells_what_became_of_it),
	    cmocka_unit_test(a_queue_gives_names_back_in_the_order_in_which_they_are_due),
	    cmocka_unit_test(an_index_knows_the_names_that_were_added_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
