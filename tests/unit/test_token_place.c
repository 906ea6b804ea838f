/* authserver-token: where a token is kept, and where one may be already. */
#define _GNU_SOURCE /* mkdtemp */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/failures.h"
#include "tools/authserver-token/discover.h"
#include "tools/authserver-token/place.h"
#include "tools/authserver-token/private.h"

/* {"alg":"RS512"} with {"exp":2000000000}. */
#define TOKEN "eyJhbGciOiJSUzUxMiJ9.eyJleHAiOjIwMDAwMDAwMDB9.YQ"

static const char key[DIGEST_TEXT] = "0123456789abcdefghijk";

static char folder[32];
static char long_path[LIMIT_PATH + 100];

/* The variables of the environment that discovery asks for. */
static char *token_variable, *file_variable, *folder_variable;

static char *
get(const char *name)
{
	if (strcmp(name, "BEARER_TOKEN") == 0)
		return token_variable;
	return strcmp(name, "BEARER_TOKEN_FILE") == 0 ? file_variable : folder_variable;
}

static int
make(void **state)
{
	(void)state;
	memcpy(folder, "/tmp/test_place.XXXXXX", 23);
	memset(long_path, '/', sizeof(long_path) - 1);
	token_variable = file_variable = NULL;
	folder_variable = folder;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
clean(void **state)
{
	static const char *const names[] = {"authserver", ".authserver", "file"};
	char path[64];

	(void)state;
	(void)failures_set(NULL, 0, 0, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)remove(path);
	}
	(void)snprintf(path, sizeof(path), "%s/bt_u%u", folder, (unsigned int)geteuid());
	(void)remove(path);
	return rmdir(folder);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
place_is_in_a_folder_of_ours(void **state)
{
	struct request r = {.subject = ""}, other = {.subject = "jane"};
	char path[LIMIT_PATH], wanted[96], home[LIMIT_PATH];

	(void)state;
	assert_int_equal(place_find(path, folder, "/nowhere", &r, key), 1);
	(void)snprintf(wanted, sizeof(wanted), "%s/authserver/token", folder);
	assert_string_equal(path, wanted);
	/* Once more, as the folder is there; and what is not for whoever asks. */
	assert_int_equal(place_find(path, folder, NULL, &other, key), 1);
	(void)snprintf(wanted, sizeof(wanted), "%s/authserver/token-0123456789abcdef", folder);
	assert_string_equal(path, wanted);
	assert_int_equal(place_find(path, "relative", folder, &r, key), 1);
	(void)snprintf(wanted, sizeof(wanted), "%s/.authserver/token", folder);
	assert_string_equal(path, wanted);
	assert_int_equal(place_find(path, NULL, "/dev/null", &r, key), 0);
	assert_int_equal(place_find(path, "/nowhere", NULL, &r, key), 0);
	/* A path of ours that leaves no room for what is to be in it. */
	memset(home, '/', sizeof(home));
	memcpy(home + sizeof(home) - 1 - strlen(folder), folder, strlen(folder) + 1);
	assert_int_equal(place_find(path, home, NULL, &r, key), 0);
	if (geteuid() != 0)
		assert_int_equal(place_find(path, "/", NULL, &r, key), 0);
	/* A folder in which nothing can be made. */
	assert_int_equal(place_find(path, "/proc/self", NULL, &r, key), 0);
}

static int
discover(enum rank rank)
{
	const struct discovery d = {.rank = rank, .get = get, .now = 1900000000};
	struct buffer token;
	int found;

	buffer_init(&token, LIMIT_TOKEN);
	found = discover_token(&token, &d);
	if (found == 1)
		assert_string_equal(token.data, TOKEN);
	else
		assert_null(token.data);
	buffer_free(&token);
	return found;
}

static void
token_that_was_given_is_taken_when_nothing_else_is_told(void **state)
{
	char text[] = " " TOKEN "\n", two[] = TOKEN " " TOKEN, none[] = "none", empty[] = "";
	char ended[] = "eyJhbGciOiJSUzUxMiJ9.eyJleHAiOjF9.YQ";
	char path[64];

	(void)state;
	assert_int_equal(discover(RANK_NONE), 0);
	token_variable = text;
	assert_int_equal(discover(RANK_NONE), 1);
	assert_int_equal(discover(RANK_FILE), 1);
	assert_int_equal(discover(RANK_ENVIRONMENT), 0);
	(void)failures_set("memory", 0, 100, ENOMEM);
	assert_int_equal(discover(RANK_FILE), 0);
	(void)failures_set(NULL, 0, 0, 0);
	token_variable = two;
	assert_int_equal(discover(RANK_FILE), 0);
	token_variable = none;
	assert_int_equal(discover(RANK_FILE), 0);
	token_variable = ended;
	assert_int_equal(discover(RANK_FILE), 0);
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	file_variable = empty;
	assert_int_equal(discover(RANK_FILE), 0);
	file_variable = path;
	assert_int_equal(discover(RANK_FILE), 0);
	write_file(path, text, 0644);
	assert_int_equal(discover(RANK_FILE), 1);
	write_file(path, text, 0666);
	assert_int_equal(discover(RANK_FILE), 0);
}

static void
token_that_nobody_named_is_in_a_file_of_ours_and_names_us(void **state)
{
	static char large[LIMIT_TOKEN + 2];
	char path[64];

	(void)state;
	memset(large, ' ', sizeof(large) - 1);
	(void)snprintf(path, sizeof(path), "%s/bt_u%u", folder, (unsigned int)geteuid());
	/* It names nobody. */
	write_file(path, TOKEN, 0600);
	assert_int_equal(discover(RANK_NONE), 0);
	write_file(path, large, 0600);
	assert_int_equal(discover(RANK_NONE), 0);
	folder_variable = long_path;
	assert_int_equal(discover(RANK_NONE), 0);
}

static void
what_the_system_does_not_tell_of_a_file_is_refused(void **state)
{
	struct error e;
	char path[64];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	write_file(path, "", 0600);
	(void)failures_set("fstat", 0, 1, EIO);
	assert_int_equal(private_open(AT_FDCWD, path, O_RDONLY, path, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	(void)failures_set("fstat", 0, 1, EIO);
	assert_int_equal(private_folder(folder, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_int_equal(private_folder(path, &e), -1);
	assert_non_null(strstr(e.text, "Not a directory"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(place_is_in_a_folder_of_ours, make, clean),
	    cmocka_unit_test_setup_teardown(
		token_that_was_given_is_taken_when_nothing_else_is_told, make, clean),
	    cmocka_unit_test_setup_teardown(
		token_that_nobody_named_is_in_a_file_of_ours_and_names_us, make, clean),
	    cmocka_unit_test_setup_teardown(
		what_the_system_does_not_tell_of_a_file_is_refused, make, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
