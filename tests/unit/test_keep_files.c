/* authserver-keep: whose files are kept, which they are, and what lies at their paths. */
#define _GNU_SOURCE /* asprintf, mkdtemp, memfd_create */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/failures.h"
#include "tools/authserver-keep/inspect.h"
#include "tools/authserver-keep/keeper.h"

/* {"alg":"RS512"}, and the subject is jane, 7, or none. */
#define HEADER "eyJhbGciOiJSUzUxMiJ9."
#define JANE HEADER "eyJzdWIiOiJqYW5lIn0.YQ"
#define SEVEN HEADER "eyJzdWIiOjd9.YQ"
#define NONE HEADER "e30.YQ"

/* --- the system, as far as a test says what it has --- */

static char **members; /* of the group "staff" */
static bool types_unknown;

int __wrap_getgrnam_r(
    const char *name, struct group *g, char *space, size_t size, struct group **found);
struct dirent *__real_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d);
int __real_dup(int fd);
int __wrap_dup(int fd);

int
__wrap_getgrnam_r(
    const char *name, struct group *g, char *space, size_t size, struct group **found)
{
	(void)space;
	(void)size;
	*found = NULL;
	if (failures_hit("getgrnam_r"))
		return errno;
	if (strcmp(name, "staff") != 0)
		return 0;
	*g = (struct group){.gr_gid = 50, .gr_mem = members};
	*found = g;
	return 0;
}

struct dirent *
__wrap_readdir(DIR *d)
{
	struct dirent *entry = failures_hit("readdir") ? NULL : __real_readdir(d);

	if (entry != NULL && types_unknown)
		entry->d_type = DT_UNKNOWN;
	return entry;
}

int
__wrap_dup(int fd)
{
	return failures_hit("dup") ? -1 : __real_dup(fd);
}

struct fixture {
	char folder[32];
	char *pattern; /* of files in the folder */
	struct log log;
	struct issuer issuer;
	struct keep_section sections[3];
	struct error e;
};

static int
make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (f == NULL)
		return -1;
	memcpy(f->folder, "/tmp/test_files.XXXXXX", 23);
	f->log = (struct log){.fd = memfd_create("log", MFD_CLOEXEC), .clock = &clock_system};
	f->issuer.config.keeps = (struct keep_sections){f->sections, 0};
	types_unknown = false;
	if (mkdtemp(f->folder) == NULL || f->log.fd == -1 ||
	    asprintf(&f->pattern, "%s/a-${subject}.jwt", f->folder) == -1)
		return -1;
	return subject_grammar_new(&f->issuer.grammar, NULL, &f->e);
}

static int
clean(void **state)
{
	static const char *const names[] = {"a", "b", "link", "file", "more", "a-jane.jwt",
	    "a-joe.jwt", "a-.jwt", "a-eve.txt", "a-eve.jwt", "b-bob.jwt"};
	struct fixture *f = *state;
	char path[64];

	(void)failures_set(NULL, 0, 0, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", f->folder, names[i]);
		(void)remove(path);
	}
	subject_grammar_free(f->issuer.grammar);
	close(f->log.fd);
	free(f->pattern);
	if (rmdir(f->folder) == -1)
		return -1;
	free(f);
	return 0;
}

static void
write_file(const struct fixture *f, const char *name, const char *text, size_t length)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, length), length);
	close(fd);
}

/* How often the log has the text; it is emptied. */
static int
logged(struct fixture *f, const char *text)
{
	char log[8192];
	ssize_t n = pread(f->log.fd, log, sizeof(log) - 1, 0);
	int count = 0;

	assert_true(n >= 0);
	log[n] = '\0';
	for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
		count++;
	assert_int_equal(ftruncate(f->log.fd, 0), 0);
	(void)lseek(f->log.fd, 0, SEEK_SET);
	return count;
}

/* --- whose --- */

/* Lists the subjects of the section: their names with a blank behind each. */
static const char *
list(struct fixture *f, const struct keep_section *s)
{
	static char text[256];
	struct subjects subjects;

	*text = '\0';
	if (subjects_list(&subjects, s, f->issuer.grammar, &f->e) == -1) {
		assert_int_equal(subjects.count, 0);
		return NULL;
	}
	for (size_t i = 0; i < subjects.count; i++) {
		assert_true(subjects_have(&subjects, subjects.items[i]));
		(void)strcat(strcat(text, subjects.items[i]), " ");
	}
	assert_false(subjects_have(&subjects, "nobody at all"));
	subjects_free(&subjects);
	return text;
}

static void
members_of_a_group_are_subjects(void **state)
{
	char group[] = "staff", none[] = "none", joe[] = "joe", jane[] = "jane", odd[] = "a/b";
	char *some[] = {joe, jane, odd, joe, NULL}, *nobody[] = {NULL};
	struct keep_section s = {.group_members = group};
	struct fixture *f = *state;
	int turn;

	members = some;
	assert_string_equal(list(f, &s), "jane joe ");
	/* What does not fit is asked for once more, but not for ever. */
	(void)failures_set("getgrnam_r", 0, 1, ERANGE);
	assert_string_equal(list(f, &s), "jane joe ");
	(void)failures_set("getgrnam_r", 0, 100, ERANGE);
	assert_null(list(f, &s));
	(void)failures_set("getgrnam_r", 0, 1, EIO);
	assert_null(list(f, &s));
	assert_string_equal(f->e.text, "group 'staff' cannot be looked up: Input/output error");
	for (turn = 0; turn < 20; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		if (list(f, &s) != NULL)
			break;
		assert_int_equal(f->e.code, ERROR_UNAVAILABLE);
	}
	assert_true(turn >= 5);
	(void)failures_set(NULL, 0, 0, 0);
	members = nobody;
	assert_string_equal(list(f, &s), "");
	members = NULL;
	assert_string_equal(list(f, &s), "");
	s.group_members = none;
	assert_null(list(f, &s));
	assert_string_equal(f->e.text, "group 'none' does not exist");
}

static void
names_of_directories_are_subjects(void **state)
{
	static const char *const calls[] = {"readdir", "dup", "fdopendir"};
	struct fixture *f = *state;
	char nowhere[] = "/nowhere";
	struct keep_section s = {.directories = f->folder};
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/b", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/a", f->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(f, "file", "", 0);
	(void)snprintf(path, sizeof(path), "%s/link", f->folder);
	assert_int_equal(symlink("/", path), 0);
	assert_string_equal(list(f, &s), "a b ");
	/* Some file systems do not say what is what. */
	types_unknown = true;
	assert_string_equal(list(f, &s), "a b ");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		(void)failures_set(calls[i], 0, 1, EIO);
		assert_null(list(f, &s));
		assert_non_null(strstr(f->e.text, f->folder));
	}
	s.directories = nowhere;
	assert_null(list(f, &s));
}

static void
subject_is_the_one_that_is_named(void **state)
{
	char name[] = "web", subject[] = "jane";
	struct keep_section s = {.name = name};
	struct fixture *f = *state;

	assert_string_equal(list(f, &s), "web ");
	s.subject = subject;
	assert_string_equal(list(f, &s), "jane ");
}

static void
who_is_gone_is_known_by_the_files(void **state)
{
	static const char *const names[] = {
	    "a-jane.jwt", "a-joe.jwt", "a-.jwt", "a-eve.txt", "b-bob.jwt", "a"};
	struct fixture *f = *state;
	char jane[] = "jane", nowhere[] = "/nowhere/${subject}";
	char *one[] = {jane};
	struct keep_section s = {.file = f->pattern};
	struct subjects there = {one, 1}, gone;
	const struct subject_grammar *g = f->issuer.grammar;
	int turn;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		write_file(f, names[i], "", 0);
	for (turn = 0; turn < 10; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		if (subjects_list_gone(&gone, &s, g, &there, &f->e) == 0)
			break;
		assert_int_equal(gone.count, 0);
	}
	(void)failures_set(NULL, 0, 0, 0);
	assert_true(turn >= 2);
	assert_int_equal(gone.count, 1);
	assert_string_equal(gone.items[0], "joe");
	subjects_free(&gone);
	there.count = 0;
	assert_int_equal(subjects_list_gone(&gone, &s, g, &there, &f->e), 0);
	assert_int_equal(gone.count, 2);
	assert_string_equal(gone.items[0], "jane");
	subjects_free(&gone);
	s.file = nowhere;
	assert_int_equal(subjects_list_gone(&gone, &s, g, &there, &f->e), -1);
}

/* --- which --- */

/* Has the fixture's issuer keep three sections: two subjects by group, and one of their files
 * by another name. */
static void
set_sections(struct fixture *f, char *path)
{
	static char staff[] = "staff", jane[] = "jane", one[] = "one", two[] = "two",
		    three[] = "three", where[] = "conf:1";
	static char joe[] = "joe", *both[] = {jane, joe, NULL};

	members = both;
	f->sections[0] = (struct keep_section){
	    .name = one, .where = where, .group_members = staff, .file = f->pattern};
	f->sections[1] = (struct keep_section){.name = two, .where = where, .file = path};
	f->sections[2] =
	    (struct keep_section){.name = three, .where = where, .file = f->folder};
	f->issuer.config.keeps.count = 3;
}

static void
file_is_of_the_first_section_that_names_it(void **state)
{
	struct fixture *f = *state;
	struct kept_list none = {0}, l, m;
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/a-joe.jwt", f->folder);
	set_sections(f, path);
	assert_int_equal(kept_list_make(&l, &none, &f->issuer, NULL, false, &f->log, &f->e), 0);
	assert_int_equal(l.count, 3);
	assert_ptr_equal(l.items[1].section, &f->sections[0]);
	assert_ptr_equal(l.items[2].section, &f->sections[0]);
	assert_string_equal(l.items[2].path, path);
	assert_int_equal(logged(f, "Not kept: two: conf:1: "), 1);
	/* It is not said again, until it was well in between. */
	assert_int_equal(kept_list_make(&m, &l, &f->issuer, NULL, false, &f->log, &f->e), 0);
	assert_int_equal(logged(f, "Not kept"), 0);
	kept_list_free(&l);
	assert_int_equal(kept_list_make(&l, &m, &f->issuer, NULL, true, &f->log, &f->e), 0);
	assert_int_equal(logged(f, "Not kept"), 1);
	kept_list_free(&l);
	kept_list_free(&m);
}

static void
sections_can_be_named(void **state)
{
	char two[] = "two", four[] = "four";
	char *names[] = {two, NULL}, *wrong[] = {two, four, NULL}, *all[] = {NULL};
	struct fixture *f = *state;
	struct kept_list none = {0}, l;
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	set_sections(f, path);
	assert_int_equal(
	    kept_list_make(&l, &none, &f->issuer, names, false, &f->log, &f->e), 0);
	assert_int_equal(l.count, 1);
	assert_string_equal(l.items[0].path, path);
	kept_list_free(&l);
	assert_int_equal(kept_list_make(&l, &none, &f->issuer, all, false, &f->log, &f->e), 0);
	assert_int_equal(l.count, 4);
	kept_list_free(&l);
	assert_int_equal(
	    kept_list_make(&l, &none, &f->issuer, wrong, false, &f->log, &f->e), -1);
	assert_string_equal(f->e.text, "the configuration has no section keep 'four'");
	kept_list_free(&l);
}

static void
subjects_stay_while_their_group_cannot_be_looked_up(void **state)
{
	char no_group[] = "none", path[64];
	struct fixture *f = *state;
	struct kept_list none = {0}, l, m;

	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	set_sections(f, path);
	assert_int_equal(kept_list_make(&l, &none, &f->issuer, NULL, false, &f->log, &f->e), 0);
	l.items[1].inspected = true;
	l.items[1].expires = 77;
	l.items[1].failed = 3;
	(void)failures_set("getgrnam_r", 0, 1, EIO);
	assert_int_equal(kept_list_make(&m, &l, &f->issuer, NULL, false, &f->log, &f->e), 0);
	assert_int_equal(m.count, 4);
	assert_int_equal(logged(f, "Not kept: one: conf:1: group 'staff' cannot be"), 1);
	/* With what is known of each. */
	assert_true(m.items[1].inspected);
	assert_int_equal(m.items[1].expires, 77);
	assert_int_equal(m.items[1].failed, 3);
	kept_list_free(&l);
	assert_int_equal(kept_list_make(&l, &m, &f->issuer, NULL, true, &f->log, &f->e), 0);
	assert_false(l.items[1].inspected);
	assert_int_equal(l.items[1].failed, 0);
	/* The group that a file should have is missing: none of them can be written. */
	f->sections[1].group = no_group;
	kept_list_free(&m);
	assert_int_equal(kept_list_make(&m, &l, &f->issuer, NULL, false, &f->log, &f->e), 0);
	assert_int_equal(m.count, 4);
	assert_true(m.items[3].no_group);
	kept_list_free(&l);
	kept_list_free(&m);
}

static void
list_that_cannot_be_made_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct kept_list none = {0}, l;
	char path[64], *deep;
	int turn;

	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	set_sections(f, path);
	for (turn = 0; turn < 40; turn++) {
		int rc;

		(void)failures_set("memory", turn, 1, ENOMEM);
		rc = kept_list_make(&l, &none, &f->issuer, NULL, false, &f->log, &f->e);
		if (failures_set(NULL, 0, 0, 0) == 0)
			break;
		/* A section whose subjects do not fit is complained of. */
		if (rc == -1)
			assert_int_equal(f->e.code, ERROR_UNAVAILABLE);
		else
			assert_int_equal(logged(f, "memory"), 1);
		kept_list_free(&l);
	}
	assert_in_range(turn, 10, 39);
	assert_int_equal(l.count, 4);
	kept_list_free(&l);
	assert_true(asprintf(&deep, "/%04095d/${subject}", 0) > 0);
	f->sections[1].file = deep;
	assert_int_equal(
	    kept_list_make(&l, &none, &f->issuer, NULL, false, &f->log, &f->e), -1);
	assert_string_equal(f->e.text, "conf:1: file is too long a path");
	kept_list_free(&l);
	free(deep);
}

/* What a scan finds of a file of which the mark is known. */
static bool
is_still_known(struct keeper *k, size_t i, const struct stat *mark, struct error *e)
{
	k->list.items[i].inspected = true;
	k->list.items[i].mark = *mark;
	assert_int_equal(keeper_scan(k, e), 0);
	return k->list.items[i].inspected;
}

static void
file_is_looked_at_again_when_somebody_has_changed_it(void **state)
{
	enum { CHANGES = 8 };
	struct fixture *f = *state;
	const struct keeper_options options = {0};
	struct keeper k = {.options = &options, .log = &f->log, .issuer = &f->issuer};
	struct stat st, marks[CHANGES];
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	set_sections(f, path);
	write_file(f, "a-jane.jwt", JANE, strlen(JANE));
	assert_int_equal(keeper_scan(&k, &f->e), 0);
	assert_int_equal(k.list.count, 4);
	assert_int_equal(lstat(k.list.items[1].path, &st), 0);
	for (int i = 0; i < CHANGES; i++)
		marks[i] = st;
	marks[0].st_ino++;
	marks[1].st_dev++;
	marks[2].st_size++;
	marks[3].st_mode ^= 0040;
	marks[4].st_uid++;
	marks[5].st_gid++;
	marks[6].st_mtim.tv_sec++;
	marks[7].st_mtim.tv_nsec ^= 1;
	assert_true(is_still_known(&k, 1, &st, &f->e));
	for (int i = 0; i < CHANGES; i++)
		assert_false(is_still_known(&k, 1, &marks[i], &f->e));
	/* One that is gone, and one that never was. */
	assert_false(is_still_known(&k, 2, &st, &f->e));
	assert_true(is_still_known(&k, 2, &(struct stat){0}, &f->e));
	(void)failures_set("memory", 0, 1, ENOMEM);
	assert_int_equal(keeper_scan(&k, &f->e), -1);
	assert_int_equal(k.list.count, 4);
	kept_list_free(&k.list);
}

static void
file_of_who_left_the_group_goes_where_a_section_says_so(void **state)
{
	char joe[] = "joe", two[] = "two", one[] = "one", path[64], file[64];
	char *left[] = {joe, NULL}, *other[] = {two, NULL}, *this[] = {two, one, NULL};
	struct fixture *f = *state;
	struct keeper_options options = {.names = other};
	struct keeper k = {.options = &options, .log = &f->log, .issuer = &f->issuer};

	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	(void)snprintf(file, sizeof(file), "%s/a-jane.jwt", f->folder);
	set_sections(f, path);
	f->sections[0].remove = true;
	members = left;
	write_file(f, "a-jane.jwt", JANE, strlen(JANE));
	/* What lies under the name of who is gone, and is no token of theirs, is not ours. */
	write_file(f, "a-eve.jwt", JANE, strlen(JANE));
	assert_int_equal(keeper_scan(&k, &f->e), 0);
	assert_int_equal(logged(f, "emove"), 0);
	options = (struct keeper_options){.names = this, .dry_run = true};
	assert_int_equal(keeper_scan(&k, &f->e), 0);
	assert_int_equal(logged(f, "Would remove token: "), 1);
	assert_int_equal(access(file, F_OK), 0);
	options.dry_run = false;
	assert_int_equal(keeper_scan(&k, &f->e), 0);
	assert_int_equal(logged(f, "a-jane.jwt: jane is not in group staff any more"), 1);
	assert_int_equal(access(file, F_OK), -1);
	/* While the members are not known, nobody is gone. */
	write_file(f, "a-jane.jwt", JANE, strlen(JANE));
	(void)failures_set("getgrnam_r", 0, 2, EIO);
	assert_int_equal(keeper_scan(&k, &f->e), 0);
	assert_int_equal(access(file, F_OK), 0);
	kept_list_free(&k.list);
}

/* --- what lies there --- */

static void
token_is_ours_to_remove_when_it_names_the_subject(void **state)
{
	static const struct {
		const char *text;
		size_t length; /* 0: that of the text */
		enum keep_format format;
		bool is;
	} rows[] = {
	    {JANE, 0, KEEP_JWT, true},
	    {NONE, 0, KEEP_JWT, false},
	    {SEVEN, 0, KEEP_JWT, false},
	    {"", 0, KEEP_JWT, false},
	    {"jane", 0, KEEP_JWT, false},
	    {JANE "\0x", sizeof(JANE) + 1, KEEP_JWT, false},
	    {"{\"access_token\":\"" JANE "\"}", 0, KEEP_JSON, true},
	    {"{\"access_token\":7}", 0, KEEP_JSON, false},
	    {"[]", 0, KEEP_JSON, false},
	    {JANE, 0, KEEP_JSON, false},
	};
	struct fixture *f = *state;
	struct directory d;
	char path[64], link_path[64];

	assert_int_equal(directory_open(&d, f->folder, 0, (gid_t)-1, &f->e), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file(f, "file", rows[i].text,
		    rows[i].length != 0 ? rows[i].length : strlen(rows[i].text));
		if (inspect_is_token(&d, "file", rows[i].format, "jane") != rows[i].is)
			fail_msg("row %zu", i);
		assert_false(inspect_is_token(&d, "file", rows[i].format, "joe"));
	}
	/* With a second name it is somebody else's, too. */
	write_file(f, "file", JANE, strlen(JANE));
	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	(void)snprintf(link_path, sizeof(link_path), "%s/more", f->folder);
	assert_int_equal(link(path, link_path), 0);
	assert_false(inspect_is_token(&d, "file", KEEP_JWT, "jane"));
	assert_false(inspect_is_token(&d, "none", KEEP_JWT, "jane"));
	directory_close(&d);
}

static void
file_whose_place_or_form_is_wrong_is_an_error(void **state)
{
	struct fixture *f = *state;
	char root[] = "root", nobody[] = "nobody at all", subject[] = KEEP_SUBJECT;
	char path[64], nowhere[] = "/nowhere/file", name[] = "root";
	struct keep_section s = {.mode = 0600, .file = path};
	struct kept k = {.section = &s, .path = nowhere, .subject = name, .group = 7};
	struct keep_form form;
	const char *why;

	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	k.no_group = true;
	assert_int_equal(inspect_file(&k, &f->issuer, true, &why, &f->e), 0);
	assert_string_equal(why, "there is none");
	k.path = path;
	assert_int_equal(inspect_file(&k, &f->issuer, true, &why, &f->e), -1);
	assert_non_null(strstr(f->e.text, "its group was not found"));
	k.no_group = false;
	assert_int_equal(inspect_file(&k, &f->issuer, true, &why, &f->e), 0);
	assert_string_equal(why, "there is none");
	assert_int_equal(chmod(f->folder, 0777), 0);
	assert_int_equal(inspect_file(&k, &f->issuer, true, &why, &f->e), -1);
	assert_int_equal(chmod(f->folder, 0700), 0);
	assert_int_equal(inspect_form(&form, &k, &f->e), 0);
	assert_true(form.owner == (uid_t)-1 && form.group == 7 && form.mode == 0600);
	s.owner = root;
	assert_int_equal(inspect_form(&form, &k, &f->e), 0);
	assert_int_equal(form.owner, 0);
	form.owner = 1;
	s.owner = subject;
	assert_int_equal(inspect_form(&form, &k, &f->e), 0);
	assert_int_equal(form.owner, 0);
	s.owner = nobody;
	assert_int_equal(inspect_form(&form, &k, &f->e), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(members_of_a_group_are_subjects, make, clean),
	    cmocka_unit_test_setup_teardown(names_of_directories_are_subjects, make, clean),
	    cmocka_unit_test_setup_teardown(subject_is_the_one_that_is_named, make, clean),
	    cmocka_unit_test_setup_teardown(who_is_gone_is_known_by_the_files, make, clean),
	    cmocka_unit_test_setup_teardown(
		file_is_of_the_first_section_that_names_it, make, clean),
	    cmocka_unit_test_setup_teardown(sections_can_be_named, make, clean),
	    cmocka_unit_test_setup_teardown(
		subjects_stay_while_their_group_cannot_be_looked_up, make, clean),
	    cmocka_unit_test_setup_teardown(list_that_cannot_be_made_is_an_error, make, clean),
	    cmocka_unit_test_setup_teardown(
		file_is_looked_at_again_when_somebody_has_changed_it, make, clean),
	    cmocka_unit_test_setup_teardown(
		file_of_who_left_the_group_goes_where_a_section_says_so, make, clean),
	    cmocka_unit_test_setup_teardown(
		token_is_ours_to_remove_when_it_names_the_subject, make, clean),
	    cmocka_unit_test_setup_teardown(
		file_whose_place_or_form_is_wrong_is_an_error, make, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
