/* store: files that are replaced, and never missing or in part. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/keep_file.h"
#include "tests/unit/stores.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NAME ".auth_token"
#define DRAFT ".tmp-.auth_token"

static const struct keep_form plain = {.mode = 0640, .owner = (uid_t)-1, .group = (gid_t)-1};

static void
replace(struct stores_fixture *f, const char *text)
{
	struct stat st;
	struct error e;

	stores_check(
	    keep_file_replace(&f->directory, NAME, &plain, text, strlen(text), &st, &e), &e);
}

static void
assert_holds(struct stores_fixture *f, const char *text)
{
	struct buffer file;
	struct stat st;
	struct error e;

	buffer_init(&file, 64);
	assert_int_equal(keep_file_read(&f->directory, NAME, &file, &st, &e), 1);
	assert_string_equal(file.data, text);
	buffer_free(&file);
}

static void
assert_refused(struct stores_fixture *f, enum error_code code, const char *reason)
{
	struct stat st;
	struct error e = {0};

	assert_int_equal(keep_file_replace(&f->directory, NAME, &plain, "new", 3, &st, &e), -1);
	assert_int_equal(e.code, code);
	if (strstr(e.text, reason) == NULL)
		fail_msg("%s", e.text);
}

static void
a_file_has_its_mode_and_owner_whatever_the_umask(void **state)
{
	static const mode_t umasks[] = {0, 077, 0777};
	struct stores_fixture *f = *state;
	struct keep_form form = plain;
	struct stat st, seen;
	struct error e;

	if (geteuid() == 0) {
		form.owner = STORES_NOBODY;
		form.group = 12345;
	}
	for (size_t i = 0; i < COUNT(umasks); i++) {
		mode_t before = umask(umasks[i]);
		int rc = keep_file_replace(&f->directory, NAME, &form, "token", 5, &st, &e);

		(void)umask(before);
		stores_check(rc, &e);
		seen = stores_look(f, NAME);
		assert_int_equal(seen.st_ino, st.st_ino);
		assert_int_equal(seen.st_mode, S_IFREG | 0640);
		assert_true(keep_file_has_form(&seen, &form));
		assert_int_equal(stores_count(f), 1);
	}
	form.mode = 0600;
	assert_false(keep_file_has_form(&seen, &form));
	form.mode = 0640;
	form.owner = 4711;
	assert_false(keep_file_has_form(&seen, &form));
}

static void
a_file_is_replaced_and_who_has_it_open_reads_on(void **state)
{
	struct stores_fixture *f = *state;
	char text[8] = "";
	int fd;

	replace(f, "first");
	fd = openat(f->directory.fd, NAME, O_RDONLY);
	replace(f, "second");
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "first");
	close(fd);
	assert_holds(f, "second");
}

static void
a_planted_entry_is_replaced_and_not_followed(void **state)
{
	struct stores_fixture *f = *state;
	char victim[600];
	struct buffer file;
	struct stat st;
	struct error e;

	(void)snprintf(victim, sizeof(victim), "%s/victim", f->folder);
	close(open(victim, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(symlinkat(victim, f->directory.fd, NAME), 0);
	buffer_init(&file, 64);
	assert_int_equal(keep_file_read(&f->directory, NAME, &file, &st, &e), 0);
	replace(f, "token");
	assert_true(S_ISREG(stores_look(f, NAME).st_mode));
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_size, 0);
	/* A fifo holds up neither who reads nor who writes. */
	assert_int_equal(unlinkat(f->directory.fd, NAME, 0), 0);
	assert_int_equal(mkfifoat(f->directory.fd, NAME, 0600), 0);
	assert_int_equal(keep_file_read(&f->directory, NAME, &file, &st, &e), 0);
	replace(f, "token");
	assert_holds(f, "token");
	buffer_free(&file);
}

static void
a_file_that_is_too_long_is_not_read(void **state)
{
	struct stores_fixture *f = *state;
	struct buffer file;
	struct stat st;
	struct error e;

	replace(f, "0123456789");
	buffer_init(&file, 9);
	assert_int_equal(keep_file_read(&f->directory, NAME, &file, &st, &e), 0);
	buffer_free(&file);
}

static void
what_a_killed_process_left_goes(void **state)
{
	struct stores_fixture *f = *state;
	struct error e;

	replace(f, "old");
	stores_put(f, DRAFT);
	stores_check(keep_file_clear(&f->directory, NAME, &e), &e);
	assert_false(stores_has(f, DRAFT));
	assert_holds(f, "old");
	stores_check(keep_file_clear(&f->directory, NAME, &e), &e);
	/* And what is in the way of the next one. */
	stores_put(f, DRAFT);
	replace(f, "new");
	assert_false(stores_has(f, DRAFT));
	assert_holds(f, "new");
}

static void
what_another_process_writes_now_stays(void **state)
{
	struct stores_fixture *f = *state;
	struct error e;
	int fd;

	replace(f, "old");
	stores_put(f, DRAFT);
	fd = openat(f->directory.fd, DRAFT, O_WRONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_refused(f, ERROR_UNAVAILABLE, "another authserver-keep writes it now");
	assert_int_equal(keep_file_clear(&f->directory, NAME, &e), -1);
	assert_true(stores_has(f, DRAFT));
	close(fd);
	replace(f, "new");
	assert_holds(f, "new");
}

static void
make_socket(const struct stores_fixture *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_in_range(
	    snprintf(address.sun_path, sizeof(address.sun_path), "%s/" DRAFT, f->path), 1,
	    sizeof(address.sun_path) - 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void
what_is_not_ours_is_left_alone_and_named(void **state)
{
	struct stores_fixture *f = *state;

	replace(f, "old");
	assert_int_equal(symlinkat("/etc/passwd", f->directory.fd, DRAFT), 0);
	assert_refused(f, ERROR_CONFIG, "/" DRAFT ": is in the way");
	assert_true(S_ISLNK(stores_look(f, DRAFT).st_mode));
	assert_int_equal(unlinkat(f->directory.fd, DRAFT, 0), 0);
	assert_int_equal(mkfifoat(f->directory.fd, DRAFT, 0600), 0);
	assert_refused(f, ERROR_CONFIG, "is in the way");
	assert_int_equal(unlinkat(f->directory.fd, DRAFT, 0), 0);
	make_socket(f);
	assert_refused(f, ERROR_CONFIG, "is in the way");
	assert_int_equal(unlinkat(f->directory.fd, DRAFT, 0), 0);
	/* A hard link would let go of somebody else's file. */
	stores_put(f, "other");
	assert_int_equal(linkat(f->directory.fd, "other", f->directory.fd, DRAFT, 0), 0);
	assert_refused(f, ERROR_CONFIG, "is in the way");
	assert_int_equal(unlinkat(f->directory.fd, DRAFT, 0), 0);
	assert_int_equal(mkdirat(f->directory.fd, DRAFT, 0700), 0);
	assert_refused(f, ERROR_CONFIG, "is in the way");
	assert_holds(f, "old");
}

static void
a_name_that_is_too_long_is_refused(void **state)
{
	struct stores_fixture *f = *state;
	char name[LIMIT_FILE_NAME];
	struct stat st;
	struct error e;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(keep_file_replace(&f->directory, name, &plain, "", 0, &st, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	name[sizeof(name) - sizeof(".tmp-")] = '\0';
	stores_check(keep_file_replace(&f->directory, name, &plain, "", 0, &st, &e), &e);
}

static void
replace_injected(struct stores_fixture *f, const void *argument)
{
	const struct stores_injection *i = argument;
	struct keep_form form = {.mode = 0640, .owner = geteuid(), .group = (gid_t)-1};
	struct stat st;
	struct error e = {0};

	stores_inject(i);
	CHILD_ASSERT(keep_file_replace(&f->directory, NAME, &form, "new", 3, &st, &e) == -1);
	if (e.code != i->code)
		(void)dprintf(STDERR_FILENO, "%s: code %d: %s\n", i->name, (int)e.code, e.text);
	CHILD_ASSERT(e.code == i->code);
}

static void
a_refusal_of_the_system_leaves_the_old_file(void **state)
{
	static const struct stores_injection cases[] = {
	    {"open", __NR_openat, 2, O_EXCL, O_EXCL, ENOSPC, ERROR_UNAVAILABLE},
	    {"open", __NR_openat, 2, O_EXCL, O_EXCL, EMFILE, ERROR_UNAVAILABLE},
	    {"open", __NR_openat, 2, O_EXCL, O_EXCL, EROFS, ERROR_UNAVAILABLE},
	    {"open", __NR_openat, 2, O_EXCL, O_EXCL, EACCES, ERROR_NO_PERMISSION},
	    {"lock", STORES_ON(flock), ENOLCK, ERROR_UNAVAILABLE},
	    {"write", STORES_ON(write), ENOSPC, ERROR_UNAVAILABLE},
	    {"write", STORES_ON(write), EDQUOT, ERROR_UNAVAILABLE},
	    {"write", STORES_ON(write), EIO, ERROR_UNAVAILABLE},
	    {"owner", STORES_ON(fchown), EPERM, ERROR_CONFIG},
	    {"owner", STORES_ON(fchown), EIO, ERROR_UNAVAILABLE},
	    {"mode", STORES_ON(fchmod), EIO, ERROR_UNAVAILABLE},
	    {"rename", STORES_ON(renameat), ENOSPC, ERROR_UNAVAILABLE},
	    {"rename", STORES_ON(renameat), EROFS, ERROR_UNAVAILABLE},
	};
	struct stores_fixture *f = *state;

	replace(f, "old");
	for (size_t i = 0; i < COUNT(cases); i++) {
		stores_in_child(replace_injected, f, &cases[i]);
		if (stores_count(f) != 1)
			fail_msg("%s %d left something", cases[i].name, cases[i].number);
		assert_holds(f, "old");
	}
}

/* On a file system of its own, which the child takes along when it goes. */
static void
fill_up(struct stores_fixture *f, const void *argument)
{
	struct directory d;
	struct stat st;
	struct error e = {0};
	char bytes[4096] = "";
	int fd;

	(void)argument;
	CHILD_ASSERT(unshare(CLONE_NEWNS) == 0);
	CHILD_ASSERT(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHILD_ASSERT(mount("keep", f->path, "tmpfs", 0, "size=16k,mode=0750") == 0);
	CHILD_ASSERT(directory_open(&d, f->path, 0, (gid_t)-1, &e) == 0);
	CHILD_ASSERT(keep_file_replace(&d, NAME, &plain, "old", 3, &st, &e) == 0);
	fd = openat(d.fd, "ballast", O_WRONLY | O_CREAT, 0600);
	while (write(fd, bytes, sizeof(bytes)) > 0)
		;
	CHILD_ASSERT(keep_file_replace(&d, NAME, &plain, bytes, sizeof(bytes), &st, &e) == -1);
	CHILD_ASSERT(e.code == ERROR_UNAVAILABLE);
	CHILD_ASSERT(strstr(e.text, "No space left") != NULL);
	CHILD_ASSERT(fstatat(d.fd, DRAFT, &st, 0) == -1 && errno == ENOENT);
	CHILD_ASSERT(fstatat(d.fd, NAME, &st, 0) == 0 && st.st_size == 3);
	/* And goes on by itself. */
	CHILD_ASSERT(ftruncate(fd, 0) == 0);
	CHILD_ASSERT(keep_file_replace(&d, NAME, &plain, bytes, sizeof(bytes), &st, &e) == 0);
}

static void
a_full_file_system_keeps_the_old_file(void **state)
{
	if (geteuid() != 0)
		skip();
	stores_in_child(fill_up, *state, NULL);
}

/* Writes for ever. */
static void
write_on(struct stores_fixture *f, pid_t parent, char letter)
{
	char text[3000];
	struct stat st;
	struct error e;

	/* Should the test fail; and should it have ended before this. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	memset(text, letter, sizeof(text));
	for (;;)
		(void)keep_file_replace(
		    &f->directory, NAME, &plain, text, sizeof(text), &st, &e);
}

/* Three that write the same file at once and are killed in the midst of it, again and again. */
static void
whoever_writes_and_dies_no_part_is_ever_seen(void **state)
{
	enum { WRITERS = 3, ROUNDS = 20, READS = 50 };
	struct stores_fixture *f = *state;
	pid_t parent = getpid(), writers[WRITERS];
	struct buffer file;
	bool begun = false; /* one of them has written */
	struct stat st;
	struct error e;

	replace(f, "aaa");
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < WRITERS; i++) {
			writers[i] = fork();
			if (writers[i] == 0)
				write_on(f, parent, (char)('a' + i));
		}
		/* On a busy machine they may be killed before they have begun. */
		for (int n = 0; n < READS || !begun; n++) {
			buffer_init(&file, 4096);
			assert_int_equal(
			    keep_file_read(&f->directory, NAME, &file, &st, &e), 1);
			begun = begun || file.length == 3000;
			assert_int_equal(file.length, begun ? 3000 : 3);
			for (size_t i = 0; i < file.length; i++)
				assert_int_equal(file.data[i], file.data[0]);
			assert_int_equal(st.st_mode, S_IFREG | 0640);
			buffer_free(&file);
		}
		for (int i = 0; i < WRITERS; i++) {
			(void)kill(writers[i], SIGKILL);
			assert_int_equal(waitpid(writers[i], NULL, 0), writers[i]);
		}
	}
	/* One at the most is left, and goes. */
	assert_true(stores_count(f) <= 2);
	stores_check(keep_file_clear(&f->directory, NAME, &e), &e);
	assert_int_equal(stores_count(f), 1);
}

static void
a_file_is_removed_once(void **state)
{
	struct stores_fixture *f = *state;
	struct error e;

	replace(f, "old");
	assert_int_equal(keep_file_remove(&f->directory, NAME, &e), 1);
	assert_int_equal(keep_file_remove(&f->directory, NAME, &e), 0);
	assert_int_equal(mkdirat(f->directory.fd, NAME, 0700), 0);
	assert_int_equal(keep_file_remove(&f->directory, NAME, &e), -1);
}

static void
a_form_is_kind_and_mode_and_owner_and_group(void **state)
{
	const struct stat st = {
	    .st_mode = S_IFREG | 0640, .st_uid = geteuid(), .st_gid = getegid(), .st_nlink = 1};
	const struct {
		struct keep_form form;
		bool has;
	} rows[] = {
	    {{0640, (uid_t)-1, (gid_t)-1}, true},
	    {{0640, geteuid(), getegid()}, true},
	    {{0600, (uid_t)-1, (gid_t)-1}, false},
	    {{0640, geteuid() + 1, (gid_t)-1}, false},
	    {{0640, (uid_t)-1, getegid() + 1}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(keep_file_has_form(&st, &rows[i].form), rows[i].has);
}

static void
a_name_that_leaves_no_room_for_a_draft_is_refused(void **state)
{
	const struct stores_fixture *f = *state;
	char name[LIMIT_FILE_NAME];
	struct error e;

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(keep_file_clear(&f->directory, name, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_enter_open, stores_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(a_file_has_its_mode_and_owner_whatever_the_umask),
	    TEST(a_file_is_replaced_and_who_has_it_open_reads_on),
	    TEST(a_planted_entry_is_replaced_and_not_followed),
	    TEST(a_file_that_is_too_long_is_not_read),
	    TEST(what_a_killed_process_left_goes),
	    TEST(what_another_process_writes_now_stays),
	    TEST(what_is_not_ours_is_left_alone_and_named),
	    TEST(a_name_that_is_too_long_is_refused),
	    TEST(a_refusal_of_the_system_leaves_the_old_file),
	    TEST(a_full_file_system_keeps_the_old_file),
	    TEST(whoever_writes_and_dies_no_part_is_ever_seen),
	    TEST(a_file_is_removed_once),
	    TEST(a_form_is_kind_and_mode_and_owner_and_group),
	    TEST(a_name_that_leaves_no_room_for_a_draft_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
