/* authserver-keep: what lies at the path of a file that is kept. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/keeps.h"
#include "tools/authserver-keep/inspect.h"

/* The subject is 7, or none. */
#define SEVEN KEEPS_HEADER "eyJzdWIiOjd9.YQ"
#define NONE KEEPS_HEADER "e30.YQ"

static void
token_is_ours_to_remove_when_it_names_the_subject(void **state)
{
	static const struct {
		const char *text;
		size_t length; /* 0: that of the text */
		enum keep_format format;
		bool is;
	} rows[] = {
	    {KEEPS_JANE, 0, KEEP_JWT, true},
	    {NONE, 0, KEEP_JWT, false},
	    {SEVEN, 0, KEEP_JWT, false},
	    {"", 0, KEEP_JWT, false},
	    {"jane", 0, KEEP_JWT, false},
	    {KEEPS_JANE "\0x", sizeof(KEEPS_JANE) + 1, KEEP_JWT, false},
	    {"{\"access_token\":\"" KEEPS_JANE "\"}", 0, KEEP_JSON, true},
	    {"{\"access_token\":7}", 0, KEEP_JSON, false},
	    {"[]", 0, KEEP_JSON, false},
	    {KEEPS_JANE, 0, KEEP_JSON, false},
	};
	struct keeps_fixture *f = *state;
	struct directory d;
	char path[64], link_path[64];

	assert_int_equal(directory_open(&d, f->folder, 0, (gid_t)-1, &f->e), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		keeps_write(f, "file", rows[i].text,
		    rows[i].length != 0 ? rows[i].length : strlen(rows[i].text));
		if (inspect_is_token(&d, "file", rows[i].format, "jane") != rows[i].is)
			fail_msg("row %zu", i);
		assert_false(inspect_is_token(&d, "file", rows[i].format, "joe"));
	}
	/* With a second name it is somebody else's, too. */
	keeps_write(f, "file", KEEPS_JANE, strlen(KEEPS_JANE));
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
	struct keeps_fixture *f = *state;
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
#define TEST(test) cmocka_unit_test_setup_teardown(test, keeps_enter, keeps_leave)
	const struct CMUnitTest tests[] = {
	    TEST(token_is_ours_to_remove_when_it_names_the_subject),
	    TEST(file_whose_place_or_form_is_wrong_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
