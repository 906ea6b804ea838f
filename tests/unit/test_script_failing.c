/* identity: each system call fails in turn, while a script is run and a directory's server is
 * connected. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "identity/ldap_socket.h"
#include "identity/script_run.h"
#include "tests/unit/faults.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PATIENCE = 20 }; /* seconds */

static int64_t
later(void)
{
	return clock_monotonic(&clock_system) + PATIENCE * NANOSECONDS;
}

/* --- scripts -------------------------------------------------------------------------- */

/* echo(1) says what it is asked. */
static void
run(void (*on)(void))
{
	struct script_run r = {.path = "echo", .user = "jane", .deadline = later()};
	struct buffer output;
	struct error e = {0};
	int rc;

	r.fd = open("/bin/echo", O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(r.fd, -1);
	buffer_init(&output, 64);
	on();
	rc = script_run(&r, &output, &e);
	faults_check(rc, &e);
	if (rc == 0) {
		assert_int_equal(output.length, 5);
		assert_memory_equal(output.data, "jane\n", 5);
	}
	buffer_free(&output);
	close(r.fd);
}

static void
run_here(void *context)
{
	(void)context;
	run(faults_on);
}

static void
run_there(void *context)
{
	(void)context;
	run(faults_on_in_children);
}

static void
a_script_is_heard_to_its_end_or_not_at_all(void **state)
{
	(void)state;
	faults_sweep_by(EIO, run_here, NULL);
	faults_sweep_by(EINTR, run_here, NULL);
	faults_sweep_by(FAULTS_SHORT, run_here, NULL);
}

static void
a_script_that_cannot_be_executed_is_said(void **state)
{
	(void)state;
	faults_sweep_by(EIO, run_there, NULL);
}

/* --- sockets -------------------------------------------------------------------------- */

struct server {
	int fd, port;
};

static void
listen_at(struct server *s)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->fd, 128), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &size), 0);
	s->port = ntohs(a.sin_port);
}

static void
connect_to(void *context)
{
	const struct server *s = context;
	struct error e = {0};
	int fd;

	faults_on();
	fd = ldap_socket_connect("127.0.0.1", s->port, later(), &e);
	faults_check(fd == -1 ? -1 : 0, &e);
	assert_true(fd != -1 || e.code == ERROR_UNAVAILABLE);
	if (fd != -1)
		close(fd);
}

static void
a_server_is_connected_or_what_is_wrong_is_said(void **state)
{
	struct server s;
	struct error e;

	(void)state;
	listen_at(&s);
	faults_sweep(connect_to, &s);
	close(s.fd);
	/* Nobody listens there any more, and nothing has such a name. */
	assert_int_equal(ldap_socket_connect("127.0.0.1", s.port, later(), &e), -1);
	assert_non_null(strstr(e.text, "cannot be connected"));
	assert_int_equal(ldap_socket_connect("a..b", s.port, later(), &e), -1);
	assert_non_null(strstr(e.text, "is not found"));
}

static void
connect_to_path(void *context)
{
	struct error e = {0};
	int fd;

	faults_on();
	fd = ldap_socket_connect_local(context, &e);
	faults_off();
	assert_int_equal(fd, -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
}

static void
a_path_without_a_server_is_said(void **state)
{
	char path[200] = "/";
	struct error e;

	(void)state;
	faults_sweep_by(EIO, connect_to_path, (char[]){"/dev/null/ldapi"});
	memset(path + 1, 'a', sizeof(path) - 2);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(ldap_socket_connect_local(path, &e), -1);
	assert_string_equal(e.text, "the socket's path is too long");
}

static void
waiting_ends_when_the_time_is_over(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(ldap_socket_wait(ends[0], POLLIN, clock_monotonic(&clock_system)), 0);
	assert_int_equal(ldap_socket_wait(ends[0], POLLIN,
			     clock_monotonic(&clock_system) + NANOSECONDS / 100),
	    0);
	assert_int_equal(ldap_socket_wait(ends[1], POLLOUT, INT64_MAX), 1);
	close(ends[0]);
	close(ends[1]);
}

static void
what_stays_on_the_machine_is_known(void **state)
{
	static const struct {
		const char *host;
		bool leaves;
	} rows[] = {
	    {"localhost", false},
	    {"LocalHost", false},
	    {"127.0.0.1", false},
	    {"127.255.255.255", false},
	    {"::1", false},
	    {"0:0:0:0:0:0:0:1", false},
	    {"126.0.0.1", true},
	    {"128.0.0.1", true},
	    {"0.0.0.0", true},
	    {"::", true},
	    {"::2", true},
	    {"1::1", true},
	    {"0:1::1", true},
	    {"0:0:0:1::1", true},
	    {"::1:0:1", true},
	    {"::1:0:0:1", true},
	    {"::1:1", true},
	    {"::ffff:127.0.0.1", true},
	    {"localhost.example", true},
	    {"ldap.example", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (ldap_socket_leaves(rows[i].host) != rows[i].leaves)
			fail_msg("%s", rows[i].host);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_script_is_heard_to_its_end_or_not_at_all),
	    cmocka_unit_test(a_script_that_cannot_be_executed_is_said),
	    cmocka_unit_test(a_server_is_connected_or_what_is_wrong_is_said),
	    cmocka_unit_test(a_path_without_a_server_is_said),
	    cmocka_unit_test(waiting_ends_when_the_time_is_over),
	    cmocka_unit_test(what_stays_on_the_machine_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
