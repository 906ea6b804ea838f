/* authserver-token: how a web server is told who asks, and what may not tell it. */
#define _GNU_SOURCE /* asprintf, mkdtemp */
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
#include "tools/authserver-token/credentials.h"

/* Kerberos is the business of tests that have a server of it. */
int
principal_append(struct buffer *to, struct error *e)
{
	if (failures_hit("principal"))
		return error_set(e, ERROR_NO_PERMISSION, "no ticket");
	return buffer_append(to, "jane@EXAMPLE", 12);
}

struct fixture {
	char folder[32];
	char *file, *netrc;
	struct request request;
};

static int
make(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (f == NULL)
		return -1;
	memcpy(f->folder, "/tmp/test_secret.XXXXXX", 24);
	if (mkdtemp(f->folder) == NULL || asprintf(&f->file, "%s/file", f->folder) == -1 ||
	    asprintf(&f->netrc, "%s/.netrc", f->folder) == -1)
		return -1;
	f->request.url = "https://tokens.example";
	return 0;
}

static int
clean(void **state)
{
	struct fixture *f = *state;

	(void)failures_set(NULL, 0, 0, 0);
	(void)unlink(f->file);
	(void)unlink(f->netrc);
	(void)rmdir(f->folder);
	free(f->file);
	free(f->netrc);
	free(f);
	return 0;
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
expect(
    const struct fixture *f, const char *home, enum credentials_kind kind, const char *identity)
{
	struct credentials c;
	struct error e;

	if (credentials_open(&c, &f->request, home, &e) == -1)
		fail_msg("%s", e.text);
	assert_int_equal(c.kind, kind);
	assert_memory_equal(c.identity.data, identity, strlen(identity));
	credentials_close(&c);
}

static void
refuse(const struct fixture *f, enum error_code code, const char *text)
{
	struct credentials c;
	struct error e;

	assert_int_equal(credentials_open(&c, &f->request, NULL, &e), -1);
	assert_int_equal(e.code, code);
	if (strstr(e.text, text) == NULL)
		fail_msg("%s", e.text);
	assert_null(c.password.data);
	assert_int_equal(c.netrc, -1);
}

static void
local_socket_is_told_by_the_kernel(void **state)
{
	struct fixture *f = *state;
	char uid[32];

	f->request.url = NULL;
	(void)snprintf(uid, sizeof(uid), "uid %u", (unsigned int)geteuid());
	expect(f, NULL, CREDENTIALS_NONE, uid);
	(void)failures_set("memory", 0, 1, ENOMEM);
	refuse(f, ERROR_UNAVAILABLE, "memory is short");
}

static void
ticket_is_that_of_a_principal(void **state)
{
	struct fixture *f = *state;

	f->request.negotiate = true;
	expect(f, NULL, CREDENTIALS_TICKET, "ticket jane@EXAMPLE");
	(void)failures_set("principal", 0, 1, 0);
	refuse(f, ERROR_NO_PERMISSION, "no ticket");
	(void)failures_set("memory", 0, 1, ENOMEM);
	refuse(f, ERROR_UNAVAILABLE, "memory is short");
}

static void
password_is_the_first_line_of_a_file_of_ours_alone(void **state)
{
	struct fixture *f = *state;
	struct credentials c;
	struct error e;

	f->request.user = "jane";
	refuse(f, ERROR_CONFIG, "give password-file");
	f->request.password_file = f->file;
	refuse(f, ERROR_NO_INPUT, "No such file");
	write_file(f->file, "first\r\nsecond\n", 0600);
	expect(f, NULL, CREDENTIALS_PASSWORD, "password jane");
	assert_int_equal(credentials_open(&c, &f->request, NULL, &e), 0);
	assert_string_equal(c.password.data, "first");
	credentials_close(&c);
	write_file(f->file, "first", 0640);
	refuse(f, ERROR_CONFIG, "others may read it (mode 0640)");
	write_file(f->file, "\nsecond\n", 0600);
	refuse(f, ERROR_CONFIG, "the first line is empty");
	write_file(f->file, "", 0600);
	refuse(f, ERROR_CONFIG, "the first line is empty");
}

static void
netrc_is_a_file_of_ours_alone(void **state)
{
	struct fixture *f = *state;

	f->request.netrc_file = f->file;
	refuse(f, ERROR_NO_INPUT, "No such file");
	write_file(f->file, "machine x login y password z\n", 0644);
	refuse(f, ERROR_CONFIG, "others may read it (mode 0644)");
	assert_int_equal(chmod(f->file, 0600), 0);
	expect(f, NULL, CREDENTIALS_NETRC, "netrc ");
	(void)failures_set("fstat", 0, 1, EIO);
	refuse(f, ERROR_NO_INPUT, "Input/output error");
	(void)failures_set("memory", 0, 1, ENOMEM);
	refuse(f, ERROR_UNAVAILABLE, "memory is short");
	f->request.netrc_file = f->folder;
	refuse(f, ERROR_CONFIG, "not a regular file");
	if (geteuid() != 0)
		return;
	f->request.netrc_file = f->file;
	assert_int_equal(chown(f->file, 65534, (gid_t)-1), 0);
	refuse(f, ERROR_CONFIG, "belongs to uid 65534");
}

static void
netrc_at_home_is_taken_when_it_is_there(void **state)
{
	struct fixture *f = *state;
	char home[LIMIT_PATH];

	memset(home, 'x', sizeof(home));
	home[0] = '/';
	home[sizeof(home) - 1] = '\0';
	expect(f, NULL, CREDENTIALS_NONE, "nobody");
	expect(f, "relative", CREDENTIALS_NONE, "nobody");
	expect(f, home, CREDENTIALS_NONE, "nobody");
	expect(f, f->folder, CREDENTIALS_NONE, "nobody");
	write_file(f->netrc, "", 0600);
	expect(f, f->folder, CREDENTIALS_NETRC, "netrc ");
	(void)failures_set("memory", 0, 1, ENOMEM);
	refuse(f, ERROR_UNAVAILABLE, "memory is short");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(local_socket_is_told_by_the_kernel, make, clean),
	    cmocka_unit_test_setup_teardown(ticket_is_that_of_a_principal, make, clean),
	    cmocka_unit_test_setup_teardown(
		password_is_the_first_line_of_a_file_of_ours_alone, make, clean),
	    cmocka_unit_test_setup_teardown(netrc_is_a_file_of_ours_alone, make, clean),
	    cmocka_unit_test_setup_teardown(
		netrc_at_home_is_taken_when_it_is_there, make, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
