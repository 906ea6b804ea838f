/* authserver-keep: which files are kept, and which of them a scan looks at or removes. */
#define _GNU_SOURCE /* asprintf */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/failures.h"
#include "tests/unit/keeps.h"
#include "tools/authserver-keep/keeper.h"

/* How often the log has the text; it is emptied. */
static int
logged(struct keeps_fixture *f, const char *text)
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

/* Has the fixture's issuer keep three sections: two subjects by group, and one of their files
 * by another name. */
static void
set_sections(struct keeps_fixture *f, char *path)
{
	static char staff[] = "staff", jane[] = "jane", one[] = "one", two[] = "two",
		    three[] = "three", where[] = "conf:1";
	static char joe[] = "joe", *both[] = {jane, joe, NULL};

	keeps_members = both;
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
	struct keeps_fixture *f = *state;
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
	struct keeps_fixture *f = *state;
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
	struct keeps_fixture *f = *state;
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
	struct keeps_fixture *f = *state;
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
	struct keeps_fixture *f = *state;
	const struct keeper_options options = {0};
	struct keeper k = {.options = &options, .log = &f->log, .issuer = &f->issuer};
	struct stat st, marks[CHANGES];
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	set_sections(f, path);
	keeps_write(f, "a-jane.jwt", KEEPS_JANE, strlen(KEEPS_JANE));
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
	struct keeps_fixture *f = *state;
	struct keeper_options options = {.names = other};
	struct keeper k = {.options = &options, .log = &f->log, .issuer = &f->issuer};

	(void)snprintf(path, sizeof(path), "%s/file", f->folder);
	(void)snprintf(file, sizeof(file), "%s/a-jane.jwt", f->folder);
	set_sections(f, path);
	f->sections[0].remove = true;
	keeps_members = left;
	keeps_write(f, "a-jane.jwt", KEEPS_JANE, strlen(KEEPS_JANE));
	/* What lies under the name of who is gone, and is no token of theirs, is not ours. */
	keeps_write(f, "a-eve.jwt", KEEPS_JANE, strlen(KEEPS_JANE));
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
	keeps_write(f, "a-jane.jwt", KEEPS_JANE, strlen(KEEPS_JANE));
	(void)failures_set("getgrnam_r", 0, 2, EIO);
	assert_int_equal(keeper_scan(&k, &f->e), 0);
	assert_int_equal(access(file, F_OK), 0);
	kept_list_free(&k.list);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, keeps_enter, keeps_leave)
	const struct CMUnitTest tests[] = {
	    TEST(file_is_of_the_first_section_that_names_it),
	    TEST(sections_can_be_named),
	    TEST(subjects_stay_while_their_group_cannot_be_looked_up),
	    TEST(list_that_cannot_be_made_is_an_error),
	    TEST(file_is_looked_at_again_when_somebody_has_changed_it),
	    TEST(file_of_who_left_the_group_goes_where_a_section_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
