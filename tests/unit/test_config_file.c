/* config: which files are read, and the flags over them. */
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

#include "config/flags.h"

enum { FOREIGN_UID = 65534 };

/* A directory of its own for each test, with the names of a file in it. */
struct fixture {
	char directory[64];
	char file[96];
	char link[96];
	struct config config;
};

static struct fixture fixture;

static int
setup(void **state)
{
	struct error e = {0};

	*state = &fixture;
	umask(022);
	(void)snprintf(fixture.directory, sizeof(fixture.directory), "/tmp/test_config.XXXXXX");
	if (mkdtemp(fixture.directory) == NULL)
		return -1;
	(void)snprintf(fixture.file, sizeof(fixture.file), "%s/t.conf", fixture.directory);
	(void)snprintf(fixture.link, sizeof(fixture.link), "%s/link", fixture.directory);
	return config_init(&fixture.config, &e);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	config_free(&f->config);
	(void)rmdir(f->file);
	(void)unlink(f->file);
	(void)unlink(f->link);
	return rmdir(f->directory);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Asserts that path is refused with code and this text after its name. */
static void
assert_refused(struct fixture *f, const char *path, enum error_code code, const char *text)
{
	char whole[LIMIT_ERROR_TEXT];
	struct error e = {0};

	(void)snprintf(whole, sizeof(whole), "%s%s", path, text);
	assert_int_equal(config_read(&f->config, path, &e), -1);
	assert_string_equal(e.text, whole);
	assert_int_equal(e.code, code);
}

static void
file_is_read_over_the_defaults(void **state)
{
	struct fixture *f = *state;
	struct error e = {0};

	write_file(f->file, "issuer = x\nhosts = { a, b }\n", 0644);
	if (config_read(&f->config, f->file, &e) == -1)
		fail_msg("%s", e.text);
	assert_string_equal(f->config.issuer, "x");
	assert_int_equal(f->config.hosts.count, 2);
	assert_string_equal(f->config.directory, "/tmp/tokens");
}

static void
mistake_in_a_file_names_the_file(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, "issuer = x\nbogus = 1\n", 0600);
	assert_refused(f, f->file, ERROR_CONFIG, ":2: no such option 'bogus'");
}

static void
file_of_no_bytes_is_a_configuration(void **state)
{
	struct fixture *f = *state;
	struct error e = {0};

	write_file(f->file, "", 0600);
	assert_int_equal(config_read(&f->config, f->file, &e), 0);
}

static void
file_that_others_may_write_is_refused(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, "issuer = x\n", 0664);
	assert_refused(
	    f, f->file, ERROR_CONFIG, ": others may write it (mode 0664): chmod go-w it");
	write_file(f->file, "issuer = x\n", 0602);
	assert_refused(
	    f, f->file, ERROR_CONFIG, ": others may write it (mode 0602): chmod go-w it");
	assert_null(f->config.issuer);
}

/* What a link leads to is judged, not the link. */
static void
link_to_a_file_that_others_may_write_is_refused(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, "issuer = x\n", 0666);
	assert_int_equal(symlink("t.conf", f->link), 0);
	assert_refused(
	    f, f->link, ERROR_CONFIG, ": others may write it (mode 0666): chmod go-w it");
}

/* Only root can give a file away, so that for others there is nothing to try. */
static void
file_of_another_user_is_refused(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		return;
	write_file(f->file, "issuer = x\n", 0644);
	assert_int_equal(chown(f->file, FOREIGN_UID, (gid_t)-1), 0);
	assert_refused(f, f->file, ERROR_CONFIG,
	    ": belongs to uid 65534, which could change it: chown it to root");
}

static void
what_is_not_a_regular_file_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->file, 0700), 0);
	assert_refused(f, f->file, ERROR_CONFIG, ": not a regular file");
	assert_refused(f, "/dev/null", ERROR_CONFIG, ": not a regular file");
}

/* A fifo nobody writes to: opening it must not wait. */
static void
fifo_is_refused_without_waiting(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->file, 0600), 0);
	alarm(10); /* ends the test if it waits */
	assert_refused(f, f->file, ERROR_CONFIG, ": not a regular file");
	alarm(0);
}

static void
file_that_is_missing_is_no_input(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, f->file, ERROR_NO_INPUT, ": No such file or directory");
}

/* A file is refused, never cut: what stands behind the bound might matter. */
static void
file_over_the_bound_is_refused_whole(void **state)
{
	static const char end[] = "\nbogus = 1\n";
	char *text = malloc(LIMIT_CONFIG_FILE + sizeof(end));
	struct fixture *f = *state;
	struct error e = {0};

	assert_non_null(text);
	memset(text, '#', LIMIT_CONFIG_FILE);
	text[LIMIT_CONFIG_FILE] = '\0';
	write_file(f->file, text, 0600);
	if (config_read(&f->config, f->file, &e) == -1)
		fail_msg("%s", e.text);
	memcpy(text + LIMIT_CONFIG_FILE, end, sizeof(end));
	write_file(f->file, text, 0600);
	free(text);
	assert_refused(f, f->file, ERROR_CONFIG, ": larger than 1048576 bytes");
}

/* --- flags --- */

static void
parse(struct flags *flags, int argc, const char **argv)
{
	assert_int_equal(
	    argp_parse(&flags_argp, argc, (char **)argv, ARGP_SILENT, NULL, flags), 0);
}

static void
flags_go_over_the_file(void **state)
{
	struct fixture *f = *state;
	char set[] = "hosts=a,b";
	const char *argv[] = {"test", "--config", f->file, "-a", "ES256", "--ttl=1h", "-d",
	    "/run/x", "-g", "users", "-k", "k.pem", "--issuer=y", "--max-age", "30s",
	    "--permit-anonymous", "--set", set};
	struct flags flags = {0};
	struct config c;
	struct error e = {0};

	write_file(f->file,
	    "issuer = x\nworkers = 3\nalgorithm = RS256\nhosts = { c }\n"
	    "permit-anonymous = false\n",
	    0600);
	parse(&flags, (int)(sizeof(argv) / sizeof(argv[0])), argv);
	if (flags_load(&flags, &c, &e) == -1)
		fail_msg("%s", e.text);
	assert_string_equal(c.issuer, "y");
	assert_string_equal(c.algorithm, "ES256");
	assert_string_equal(c.directory, "/run/x");
	assert_string_equal(c.group, "users");
	assert_string_equal(c.private_key, "k.pem");
	assert_int_equal(c.lifetime, 3600);
	assert_int_equal(c.max_age, 30);
	assert_true(c.permit_anonymous);
	assert_int_equal(c.hosts.count, 2);
	assert_string_equal(c.hosts.items[1], "b");
	assert_int_equal(c.workers, 3);
	config_free(&c);
}

static void
flag_given_twice_counts_as_the_last(void **state)
{
	const char *argv[] = {"test", "--issuer=x", "--issuer", "y"};
	struct flags flags = {0};
	struct config c;
	struct error e = {0};

	(void)state;
	parse(&flags, 4, argv);
	assert_int_equal(flags_load(&flags, &c, &e), 0);
	assert_string_equal(c.issuer, "y");
	config_free(&c);
}

static void
flag_with_a_wrong_value_names_the_command_line(void **state)
{
	char set[] = "mode=0777";
	const char *argv[] = {"test", "--set", set};
	struct flags flags = {0};
	struct config c;
	struct error e = {0};

	(void)state;
	parse(&flags, 3, argv);
	assert_int_equal(flags_load(&flags, &c, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(e.text, "command line: mode: '0777' is not an octal string such "
				    "as \"0640\" that gives others nothing");
	config_free(&c);
}

/* --- a command with the same flags --- */

static void
assert_command(const struct flags *f, const char *const *extra, const char *const *want)
{
	char **command = flags_command(f, "/x/program", extra);
	size_t n = 0;

	assert_non_null(command);
	for (; want[n] != NULL; n++) {
		assert_non_null(command[n]);
		assert_string_equal(command[n], want[n]);
	}
	assert_null(command[n]);
	flags_command_free(command);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
command_without_flags_is_the_program(void **state)
{
	const struct flags none = {0};

	(void)state;
	assert_command(&none, (const char *const[]){NULL}, WORDS("/x/program"));
}

static void
command_has_the_file_the_keys_and_what_is_extra(void **state)
{
	char set[] = "hosts=a,b";
	const char *argv[] = {"test", "--permit-anonymous", "--config", "/etc/a b.conf", "-d",
	    "/run/x", "--set", set};
	struct flags flags = {0};

	(void)state;
	parse(&flags, 8, argv);
	assert_command(&flags, WORDS("--check", "--ready=3"),
	    WORDS("/x/program", "--config=/etc/a b.conf", "--set=permit-anonymous=true",
		"--set=directory=/run/x", "--set=hosts=a,b", "--check", "--ready=3"));
}

/* Each is one word, whatever is in it: no shell parts them. */
static void
command_has_values_as_they_are(void **state)
{
	char equals[] = "policy=/a=b=", blanks[] = "issuer= two  words ", empty[] = "group=";
	const char *argv[] = {
	    "test", "--set", equals, "--set", blanks, "--set", empty, "-k", "%s=$(x)"};
	struct flags flags = {0};

	(void)state;
	parse(&flags, 9, argv);
	assert_command(&flags, (const char *const[]){NULL},
	    WORDS("/x/program", "--set=policy=/a=b=", "--set=issuer= two  words ",
		"--set=group=", "--set=private-key=%s=$(x)"));
}

/* The program that gets them comes to the same configuration. */
static void
command_is_read_as_the_flags_were(void **state)
{
	struct fixture *f = *state;
	char set[] = "issuer=a=b c";
	const char *argv[] = {"test", "--config", f->file, "--set", set, "--issuer= last = "};
	struct flags flags = {0}, again = {0};
	char **command;
	struct config c;
	struct error e = {0};
	int count = 0;

	write_file(f->file, "workers = 3\n", 0600);
	parse(&flags, 6, argv);
	command = flags_command(&flags, "program", (const char *const[]){NULL});
	assert_non_null(command);
	while (command[count] != NULL)
		count++;
	parse(&again, count, (const char **)command);
	assert_int_equal(flags_load(&again, &c, &e), 0);
	assert_string_equal(c.issuer, " last = ");
	assert_int_equal(c.workers, 3);
	config_free(&c);
	flags_command_free(command);
}

static void
command_that_is_none_is_freed(void **state)
{
	(void)state;
	flags_command_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(file_is_read_over_the_defaults),
	    TEST(mistake_in_a_file_names_the_file),
	    TEST(file_of_no_bytes_is_a_configuration),
	    TEST(file_that_others_may_write_is_refused),
	    TEST(link_to_a_file_that_others_may_write_is_refused),
	    TEST(file_of_another_user_is_refused),
	    TEST(what_is_not_a_regular_file_is_refused),
	    TEST(fifo_is_refused_without_waiting),
	    TEST(file_that_is_missing_is_no_input),
	    TEST(file_over_the_bound_is_refused_whole),
	    TEST(flags_go_over_the_file),
	    TEST(flag_given_twice_counts_as_the_last),
	    TEST(flag_with_a_wrong_value_names_the_command_line),
	    TEST(command_without_flags_is_the_program),
	    TEST(command_has_the_file_the_keys_and_what_is_extra),
	    TEST(command_has_values_as_they_are),
	    TEST(command_is_read_as_the_flags_were),
	    TEST(command_that_is_none_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
