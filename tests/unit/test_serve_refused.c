/* base, config, fcgi and resolver: each call of the system, of libseccomp and for memory fails
 * in turn. What cannot be had is refused and says why, and nothing of it is left. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/account.h"
#include "base/courier.h"
#include "base/file.h"
#include "base/file_write.h"
#include "base/host.h"
#include "base/program.h"
#include "fcgi/exchange.h"
#include "fcgi/handover.h"
#include "fcgi/listener.h"
#include "fcgi/peers.h"
#include "fcgi/syscalls.h"
#include "resolver/checker.h"
#include "resolver/serve.h"
#include "tests/unit/keys.h"
#include "tests/unit/refusals.h"

static const struct log quiet = {.fd = -1, .clock = &clock_system};

/* --- base --- */

static int
write_file(void *context, struct error *e)
{
	const struct keys_fixture *f = context;
	const struct file_form replace = {.mode = 0640, .group = getegid(), .replace = true};
	const struct file_form new = {.mode = 0600, .group = (gid_t)-1};
	char path[256], text[16];
	int rc;

	keys_path(f, "file", path);
	keys_write_text(path, "before");
	refusals_on();
	rc = file_write(path, "after", 5, &replace, e);
	refusals_off();
	(void)keys_read_bytes(path, text, sizeof(text));
	assert_string_equal(text, rc == 0 ? "after" : "before");
	assert_int_equal(unlink(path), 0);
	if (rc == -1)
		return -1;
	refusals_on();
	rc = file_write(path, "new", 3, &new, e);
	refusals_off();
	assert_int_equal(unlink(path), rc);
	return rc;
}

static int
read_file(void *context, struct error *e)
{
	const struct keys_fixture *f = context;
	struct buffer text;
	char path[256];
	mode_t mode;
	int rc;

	keys_path(f, "file", path);
	keys_write_text(path, "text");
	buffer_init(&text, 64);
	refusals_on();
	rc = file_read_trusted(path, &text, &mode, e);
	refusals_off();
	if (rc == 0)
		assert_string_equal(text.data, "text");
	buffer_free(&text);
	assert_int_equal(unlink(path), 0);
	return rc;
}

static void
file_is_read_and_written_whole_or_not_at_all(void **state)
{
	refusals_sweep(write_file, *state);
	refusals_sweep(read_file, *state);
}

/* A source that fails is not one that knows nobody. */
static int
look_up(void *context, struct error *e)
{
	char name[64];
	uid_t uid;
	gid_t gid;
	int rc;

	(void)context;
	refusals_on();
	rc = account_user("root", &uid, e) == 0 && account_group("root", &gid, e) == 0 &&
		     account_check_name("root", e) == 0 &&
		     account_name(0, name, sizeof(name), e) == 0
		 ? 0
		 : -1;
	refusals_off();
	if (rc == 0)
		assert_string_equal(name, "root");
	else
		assert_int_equal(e->code, ERROR_UNAVAILABLE);
	return rc;
}

static int
look_up_own_groups(void *context, struct error *e)
{
	bool in;

	(void)context;
	(void)e;
	refusals_on();
	in = account_in_group((gid_t)-2) || !account_in_group(getegid());
	refusals_off();
	assert_false(in);
	return 0;
}

static void
account_that_cannot_be_looked_up_is_not_called_absent(void **state)
{
	(void)state;
	refusals_sweep(look_up, NULL);
	refusals_sweep(look_up_own_groups, NULL);
}

/* Whatever is known of the host, there is something to say. */
static int
ask_for_host(void *context, struct error *e)
{
	char address[HOST_ADDRESS_MAX], name[HOST_NAME_SIZE];
	struct in6_addr parsed;

	(void)context;
	(void)e;
	refusals_on();
	host_primary_address(address);
	host_name(name);
	refusals_off();
	assert_true(inet_pton(AF_INET, address, &parsed) == 1 ||
		    inet_pton(AF_INET6, address, &parsed) == 1);
	assert_true(*name != '\0');
	return 0;
}

static void
host_has_a_name_and_an_address_whatever_fails(void **state)
{
	(void)state;
	refusals_sweep(ask_for_host, NULL);
	refusals_sweep_ever(ask_for_host, NULL);
}

static int
find_program(void *context, struct error *e)
{
	char path[LIMIT_PATH];
	int rc;

	(void)context;
	refusals_on();
	rc = program_find(path, "test_serve_refused", e);
	refusals_off();
	return rc;
}

static void
program_that_cannot_be_looked_for_is_not_run(void **state)
{
	char path[LIMIT_PATH];
	struct error e = {0};

	(void)state;
	refusals_sweep(find_program, NULL);
	assert_int_equal(program_find(path, "none-of-ours", &e), -1);
	assert_non_null(strstr(e.text, "none-of-ours is neither in "));
}

static void
deliver(courier_call *done, void *context, const void *answer, const struct error *e)
{
	(void)done;
	(void)answer;
	(void)e;
	(*(int *)context)++;
}

static int
check(void *answer, size_t size)
{
	(void)answer;
	(void)size;
	return 0;
}

static void
nothing(void)
{
}

/* Each request that was taken is answered, if only by that the other is gone. */
static int
send_request(void *context, struct error *e)
{
	struct courier_parts parts = {.clock = &clock_system,
	    .entropy = &entropy_system,
	    .peer = "the other",
	    .magic = 1,
	    .most = 1,
	    .few = 1,
	    .answer_size = 64,
	    .check = check,
	    .deliver = deliver};
	const struct courier_head question = {.magic = 2, .kind = 1};
	struct courier_head asked = {0};
	struct courier *c;
	int ends[2], answers = 0, taken = 0;
	int rc;

	(void)context;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	parts.fd = ends[0];
	refusals_on();
	rc = courier_new(&c, &parts, e);
	if (rc == 0)
		rc = courier_submit(c, &question, sizeof(question), nothing, &answers, e);
	refusals_off();
	if (rc == 0) {
		taken = 1;
		assert_int_equal(
		    recv(ends[1], &asked, sizeof(asked), MSG_DONTWAIT), sizeof(asked));
		courier_hello(ends[1], 1);
		refusals_on();
		(void)courier_receive(c); /* and is asked again */
		refusals_off();
	}
	close(ends[1]);
	if (c != NULL)
		(void)courier_receive(c);
	assert_int_equal(answers, taken);
	courier_free(c);
	close(ends[0]);
	return rc;
}

static void
request_is_answered_once_or_refused(void **state)
{
	(void)state;
	refusals_sweep(send_request, NULL);
}

/* --- config --- */

static int
read_configuration(void *context, struct error *e)
{
	const struct keys_fixture *f = context;
	static const char *const extra[] = {"--x", NULL};
	char path[256], **command = NULL;
	struct config c = {0};
	struct flags flags = {.config_file = path, .count = 1};
	int rc;

	keys_path(f, "conf", path);
	keys_write_text(path, "issuer = \"https://a.example\"\n"
			      "profile \"p\" {\n    audience = \"a\"\n}\n"
			      "verify \"v\" {\n    keys = \"/k\"\n}\n"
			      "keep \"k\" {\n    file = \"/f\"\n}\n");
	flags.items[0].key = "lifetime";
	flags.items[0].value = "1h";
	refusals_on();
	rc = flags_load(&flags, &c, e);
	if (rc == 0) {
		command = flags_command(&flags, "/program", extra);
		if (command == NULL)
			rc = error_set(e, ERROR_UNAVAILABLE, "out of memory");
	}
	refusals_off();
	if (command != NULL) {
		assert_string_equal(command[0], "/program");
		assert_string_equal(command[2], "--set=lifetime=1h");
		assert_string_equal(command[3], "--x");
		assert_null(command[4]);
	}
	flags_command_free(command);
	config_free(&c);
	return rc;
}

static void
configuration_is_read_whole_or_not_at_all(void **state)
{
	refusals_sweep(read_configuration, *state);
}

/* --- fcgi --- */

static int
close_if_open(int fd)
{
	if (fd == -1)
		return -1;
	close(fd);
	return 0;
}

/* Where a server that is gone left its socket. */
static int
listen_at(void *context, struct error *e)
{
	const struct keys_fixture *f = context;
	struct stat st;
	char path[256];
	int rc;

	keys_path(f, "socket", path);
	assert_int_equal(close_if_open(listener_open(path, NULL, false, e)), 0);
	refusals_on();
	rc = close_if_open(listener_open(path, "root", false, e));
	refusals_off();
	if (rc == 0)
		assert_int_equal(stat(path, &st), 0);
	(void)unlink(path);
	return rc;
}

static int
listen_for_verification(void *context, struct error *e)
{
	int rc;

	(void)context;
	refusals_on();
	rc = close_if_open(listener_open_verification("127.0.0.1:1", e));
	refusals_off();
	return rc;
}

/* As spawn-fcgi passes it. */
static int
take_standard_input(void *context, struct error *e)
{
	int before = dup(STDIN_FILENO), fd, rc;
	const struct keys_fixture *f = context;
	char path[256];

	keys_path(f, "socket", path);
	fd = listener_open(path, NULL, false, e);
	assert_true(fd != -1 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	close(fd);
	refusals_on();
	rc = listener_open(NULL, NULL, false, e);
	refusals_off();
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
	assert_int_equal(unlink(path), 0);
	return rc == -1 ? -1 : 0;
}

static void
socket_listens_or_says_why_not(void **state)
{
	struct error e = {0};
	char path[256];

	refusals_sweep(listen_at, *state);
	if (geteuid() == 0)
		refusals_sweep(listen_for_verification, NULL);
	refusals_sweep(take_standard_input, *state);
	keys_path(*state, "socket", path);
	assert_int_equal(listener_open(path, "no-such-group", false, &e), -1);
	assert_non_null(strstr(e.text, "--socket-group: group 'no-such-group' does not exist"));
	assert_int_equal(unlink(path), -1); /* nor is one left there */
	assert_int_equal(listener_open_verification("192.0.2.1:1", &e), -1);
	assert_string_equal(e.text, "192.0.2.1:1: no loopback address and port");
}

static int
hand_over(void *context, struct error *e)
{
	struct handover h;
	int fd, rc;

	(void)context;
	refusals_on();
	rc = handover_open(&h);
	refusals_off();
	if (rc == -1)
		return error_set(e, ERROR_UNAVAILABLE, "no socketpair");
	fd = dup(STDIN_FILENO);
	refusals_on();
	rc = handover_give(&h, fd);
	refusals_off();
	if (rc == -1) {
		close(fd); /* it is still there */
		error_set(e, ERROR_UNAVAILABLE, "not given");
	}
	/* What nobody took is closed. */
	handover_end(&h);
	close(h.in);
	close(h.out);
	return rc;
}

static int
open_bridge(void *context, struct error *e)
{
	struct bridge b;
	int rc;

	(void)context;
	refusals_on();
	rc = exchange_init(&b);
	refusals_off();
	if (rc == -1)
		return error_set(e, ERROR_UNAVAILABLE, "no bridge");
	close(b.in);
	close(b.out);
	return 0;
}

static void
connections_are_carried_or_nothing_is_left(void **state)
{
	(void)state;
	refusals_sweep(hand_over, NULL);
	refusals_sweep(open_bridge, NULL);
}

/* Nobody is let in whose account is not known. */
static int
admit(void *context, struct error *e)
{
	char *names[] = {(char[]){"root"}, (char[]){"no-such-account"}, (char[]){"4711"}};
	const struct strings some = {.items = names, .count = 3};
	struct peers p;
	char *name;
	bool web;
	int ends[2];

	(void)context;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	refusals_on();
	peers_init(&p, &some, &quiet, &clock_system);
	web = peers_admit_web(&p, ends[0]);
	name = peers_admit_local(&p, geteuid(), 0, 0);
	refusals_off();
	assert_true((web && name != NULL) || refusals_hit());
	if (name == NULL || !web)
		error_set(e, ERROR_UNAVAILABLE, "not let in");
	assert_true(p.overflow == 65534);
	assert_true(p.uids[p.count - 1] == 4711);
	free(name);
	close(ends[0]);
	close(ends[1]);
	return web && name != NULL ? 0 : -1;
}

static void
peer_that_is_not_known_is_not_let_in(void **state)
{
	(void)state;
	refusals_sweep(admit, NULL);
	assert_int_equal(peers_uid(-1), (uid_t)-1);
}

/* refusals.c loads no filter. */
static int
confine(void *context, struct error *e)
{
	int rc;

	refusals_on();
	rc = syscalls_confine(*(const unsigned int *)context, e);
	refusals_off();
	return rc;
}

static void
filter_is_whole_or_not_there(void **state)
{
	unsigned int module = FOR_SIGNER | FOR_MODULE;

	(void)state;
	if (!syscalls_available())
		skip();
	refusals_sweep_ever(confine, &module);
}

/* --- resolver --- */

static int
start_checker(void *context, struct error *e)
{
	char *command[] = {(char[]){"/bin/true"}, NULL};
	struct checker_program p = {.path = "/bin/true", .command = command};
	struct error said = {0};
	struct checker c;
	int rc;

	(void)context;
	p.configuration = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(p.configuration != -1);
	refusals_on();
	rc = checker_start(&c, &p, "question", 8, e);
	refusals_off();
	/* It did not answer, which is no yes. */
	if (rc == 0)
		assert_int_equal(checker_finish(&c, &said), -1);
	assert_int_equal(c.pid, -1);
	close(p.configuration);
	return rc;
}

static void
checker_runs_or_says_why_not(void **state)
{
	(void)state;
	refusals_sweep(start_checker, NULL);
}

/* A desk and a gate are there as long as the process: each works once. */
static int
serve(void *context, struct error *e)
{
	const struct counters *c = context;
	int ends[2][2], sockets[2];
	int rc;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends[i]), 0);
		sockets[i] = ends[i][0];
		close(ends[i][1]); /* so that it ends at once */
	}
	refusals_on();
	rc = serve_sockets(c, sockets, 2, e);
	refusals_off();
	for (int i = 0; i < 2; i++)
		close(sockets[i]);
	return rc;
}

static int
open_gate(void *context, struct error *e)
{
	const struct gate_parts *parts = context;
	struct gate *g;
	int rc;

	refusals_on();
	rc = gate_open(&g, parts, e);
	refusals_off();
	assert_int_equal(g == NULL, rc == -1);
	gate_close(g);
	return rc;
}

static void
sockets_are_served_or_nothing_is(void **state)
{
	static const struct groups_config groups;
	static const struct verify_sections verify;
	static const struct password_config password;
	const struct desk_parts desk = {
	    .groups = &groups, .verify = &verify, .clock = &clock_system, .log = &quiet};
	const struct gate_parts gate = {.config = &password, .clock = &clock_system};
	static struct counters c; /* the desk is there as long as the process */
	struct error e = {0};

	(void)state;
	refusals_sweep(open_gate, (void *)(uintptr_t)&gate);
	assert_int_equal(desk_open(&c.desk, &desk, &e), 0);
	assert_int_equal(gate_open(&c.gate, &gate, &e), 0);
	refusals_sweep(serve, &c);
	gate_close(c.gate);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(file_is_read_and_written_whole_or_not_at_all),
	    TEST(account_that_cannot_be_looked_up_is_not_called_absent),
	    TEST(host_has_a_name_and_an_address_whatever_fails),
	    TEST(program_that_cannot_be_looked_for_is_not_run),
	    TEST(request_is_answered_once_or_refused),
	    TEST(configuration_is_read_whole_or_not_at_all),
	    TEST(socket_listens_or_says_why_not),
	    TEST(connections_are_carried_or_nothing_is_left),
	    TEST(peer_that_is_not_known_is_not_let_in),
	    TEST(filter_is_whole_or_not_there),
	    TEST(checker_runs_or_says_why_not),
	    TEST(sockets_are_served_or_nothing_is),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
