/* identity: whether a Unix account is good. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "identity/unix_account.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { TODAY = 20779 };

/* The fields of shadow(5) that matter; -1 is an empty one. */
static struct spwd
line(char *password, long changed, long most, long inactive, long expires)
{
	static char name[] = "jane";

	return (struct spwd){.sp_namp = name,
	    .sp_pwdp = password,
	    .sp_lstchg = changed,
	    .sp_min = 0,
	    .sp_max = most,
	    .sp_warn = 7,
	    .sp_inact = inactive,
	    .sp_expire = expires};
}

static void
accounts_are_judged_by_their_line_of_shadow(void **state)
{
	static char hash[] = "$y$j9T$salt$hash", locked[] = "!$y$j9T$salt$hash",
		    twice[] = "!!$6$salt$hash", old[] = "!abcdefghijklm", never[] = "!",
		    system[] = "*", both[] = "!*", redhat[] = "!!", none[] = "";
	static const struct {
		char *password;
		long changed, most, inactive, expires;
		const char *reason; /* NULL: it is good */
	} cases[] = {
	    {hash, 20000, 99999, -1, -1, NULL},
	    {hash, 20000, 99999, -1, TODAY + 1, NULL},
	    {hash, 20000, 99999, -1, TODAY, "has expired"},
	    {hash, 20000, 99999, -1, 1, "has expired"},
	    {hash, 20000, 99999, -1, 0, "has expired"},
	    {locked, 20000, 99999, -1, -1, "is locked"},
	    {twice, 20000, 99999, -1, -1, "is locked"},
	    {old, 20000, 99999, -1, -1, "is locked"},
	    /* Who logs in by other means has no password to be locked. */
	    {never, 20000, 99999, -1, -1, NULL},
	    {system, 20000, 99999, -1, -1, NULL},
	    {both, 20000, 99999, -1, -1, NULL},
	    {redhat, 20000, 99999, -1, -1, NULL},
	    {none, 20000, 99999, -1, -1, NULL},
	    {NULL, 20000, 99999, -1, -1, NULL},
	    {never, 20000, 99999, -1, TODAY, "has expired"},
	    /* A password that is to be changed says nothing of the account, but in the end. */
	    {hash, 0, 99999, -1, -1, NULL},
	    {hash, 0, 90, 5, -1, NULL},
	    {hash, TODAY - 91, 90, -1, -1, NULL},
	    {hash, TODAY - 95, 90, 5, -1, NULL},
	    {hash, TODAY - 96, 90, 5, -1, "is inactive"},
	    {hash, TODAY - 91, 90, 0, -1, "is inactive"},
	    {hash, -1, 90, 5, -1, NULL},
	    {hash, TODAY - 96, -1, 5, -1, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct spwd s = line(cases[i].password, cases[i].changed, cases[i].most,
		    cases[i].inactive, cases[i].expires);
		struct error e = {0};
		int rc = unix_account_judge(&s, TODAY, &e);

		if ((rc == 0) != (cases[i].reason == NULL))
			fail_msg("case %zu: %s", i, rc == 0 ? "taken" : e.text);
		if (rc == 0)
			continue;
		assert_int_equal(e.code, ERROR_DENIED);
		if (strstr(e.text, cases[i].reason) == NULL)
			fail_msg("case %zu: %s", i, e.text);
		/* Not even a part of it is said. */
		assert_null(strstr(e.text, "salt"));
	}
}

static void
who_has_no_account_is_refused(void **state)
{
	struct error e = {0};
	bool blind;

	(void)state;
	assert_int_equal(
	    unix_account_check("no-such-user", TODAY * INT64_C(86400), &blind, &e), -1);
	assert_int_equal(e.code, ERROR_DENIED);
	assert_string_equal(e.text, "there is no account 'no-such-user'");
	assert_int_equal(unix_account_check("root", 0, &blind, &e), 0);
}

/* What the look-up says of root, who is on every host; the line is good on the first day. */
static struct {
	int failure;
	bool found;
	int file;
} said;

int __wrap_stat(const char *path, struct stat *st);

int
__wrap_stat(const char *path, struct stat *st)
{
	assert_string_equal(path, "/etc/shadow");
	assert_non_null(st);
	errno = said.file;
	return said.file == 0 ? 0 : -1;
}

int __wrap_getspnam_r(
    const char *name, struct spwd *entry, char *bytes, size_t size, struct spwd **found);

int
__wrap_getspnam_r(
    const char *name, struct spwd *entry, char *bytes, size_t size, struct spwd **found)
{
	static char hash[] = "*";

	assert_string_equal(name, "root");
	assert_non_null(bytes);
	assert_true(size > 0);
	*entry = line(hash, 0, -1, -1, 1);
	*found = said.found ? entry : NULL;
	return said.failure;
}

static void
an_account_that_cannot_be_looked_up_is_not_good(void **state)
{
	static const struct {
		int failure;
		bool found, blind;
		enum error_code code;
		int file; /* why stat(2) does not find shadow(5); 0: it does */
	} rows[] = {
	    {0, true, false, ERROR_NONE, 0},
	    {0, false, false, ERROR_NONE, 0},
	    {ESRCH, false, false, ERROR_NONE, 0},
	    {EACCES, false, true, ERROR_NONE, 0},
	    /* of a system without the file; of one that has it, or that cannot say */
	    {ENOENT, false, false, ERROR_NONE, ENOENT},
	    {ENOENT, false, false, ERROR_UNAVAILABLE, 0},
	    {ENOENT, false, false, ERROR_UNAVAILABLE, EACCES},
	    {EAGAIN, false, false, ERROR_UNAVAILABLE, 0},
	    {EINTR, false, false, ERROR_UNAVAILABLE, 0},
	    {EIO, false, false, ERROR_UNAVAILABLE, 0},
	    {EMFILE, false, false, ERROR_UNAVAILABLE, 0},
	    {ENFILE, false, false, ERROR_UNAVAILABLE, 0},
	    {ENOMEM, false, false, ERROR_UNAVAILABLE, 0},
	    {ERANGE, false, false, ERROR_UNAVAILABLE, 0},
	    /* of sources that are reached through a socket, and of one that was refused it */
	    {ECONNREFUSED, false, false, ERROR_UNAVAILABLE, 0},
	    {ETIMEDOUT, false, false, ERROR_UNAVAILABLE, 0},
	    {ENOSYS, false, false, ERROR_UNAVAILABLE, 0},
	    {EINVAL, false, false, ERROR_UNAVAILABLE, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error e = {0};
		bool blind;

		said.failure = rows[i].failure;
		said.found = rows[i].found;
		said.file = rows[i].file;
		assert_int_equal(unix_account_check("root", 0, &blind, &e),
		    rows[i].code == ERROR_NONE ? 0 : -1);
		assert_int_equal(e.code, rows[i].code);
		assert_int_equal(blind, rows[i].blind);
	}
}

static bool no_account;
static size_t room = SIZE_MAX; /* the most that can be had at once */

int __real_getpwnam_r(
    const char *name, struct passwd *entry, char *bytes, size_t size, struct passwd **found);
int __wrap_getpwnam_r(
    const char *name, struct passwd *entry, char *bytes, size_t size, struct passwd **found);

int
__wrap_getpwnam_r(
    const char *name, struct passwd *entry, char *bytes, size_t size, struct passwd **found)
{
	if (!no_account)
		return __real_getpwnam_r(name, entry, bytes, size, found);
	*found = NULL;
	return EIO;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
	return size > room ? NULL : __real_malloc(size);
}

static void
what_cannot_be_had_is_no_good_account(void **state)
{
	struct error e = {0};
	bool blind;

	(void)state;
	said.failure = 0;
	said.found = false;
	no_account = true;
	assert_int_equal(unix_account_check("root", 0, &blind, &e), -1);
	no_account = false;
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	e = (struct error){0};
	room = 4096; /* enough for the account, too little for its line of shadow */
	assert_int_equal(unix_account_check("root", 0, &blind, &e), -1);
	room = SIZE_MAX;
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "out of memory");
}

static void
an_account_is_judged_on_the_day(void **state)
{
	struct error e = {0};
	bool blind;

	(void)state;
	said.failure = 0;
	said.found = true;
	assert_int_equal(unix_account_check("root", 24 * 60 * 60 - 1, &blind, &e), 0);
	assert_int_equal(unix_account_check("root", 24 * 60 * 60, &blind, &e), -1);
	assert_string_equal(e.text, "the account 'jane' has expired");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(accounts_are_judged_by_their_line_of_shadow),
	    cmocka_unit_test(who_has_no_account_is_refused),
	    cmocka_unit_test(an_account_that_cannot_be_looked_up_is_not_good),
	    cmocka_unit_test(what_cannot_be_had_is_no_good_account),
	    cmocka_unit_test(an_account_is_judged_on_the_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
