/* fcgi and resolver: each call of the system, of libseccomp and for memory fails in turn. What
 * cannot be had is refused and says why, and nothing of it is left. */
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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgi/child.h"
#include "fcgi/exchange.h"
#include "fcgi/handover.h"
#include "fcgi/listener.h"
#include "fcgi/peers.h"
#include "fcgi/slot.h"
#include "fcgi/syscalls.h"
#include "fcgi/worker.h"
#include "resolver/checker.h"
#include "resolver/job.h"
#include "resolver/memory.h"
#include "resolver/serve.h"
#include "tests/unit/keys.h"
#include "tests/unit/patience.h"
#include "tests/unit/refusals.h"

static const struct log quiet = {.fd = -1, .clock = &clock_system};

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

	refusals_on();
	rc = close_if_open(listener_open_verification(context, e));
	refusals_off();
	return rc;
}

/* At a port that nobody else has: this socket keeps it, and does not listen. */
static void
sweep_verification(void)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[32];

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned int)ntohs(a.sin_port));
	refusals_sweep(listen_for_verification, text);
	close(fd);
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
	sweep_verification();
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

/* What comes without a descriptor is nobody's connection. */
static void
message_without_a_descriptor_is_passed_over(void)
{
	struct handover h;

	assert_int_equal(handover_open(&h), 0);
	assert_int_equal(send(h.in, "x", 1, 0), 1);
	assert_int_equal(handover_take(h.out), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(send(h.in, "", 0, 0), 0);
	errno = 0;
	assert_int_equal(handover_take(h.out), -1);
	assert_int_equal(errno, EAGAIN);
	close(h.in);
	close(h.out);
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
	exchange_end(&b);
	return 0;
}

static void
connections_are_carried_or_nothing_is_left(void **state)
{
	(void)state;
	refusals_sweep(hand_over, NULL);
	refusals_sweep(open_bridge, NULL);
	message_without_a_descriptor_is_passed_over();
}

/* Nobody is let in whose account is not known. */
static int
admit(void *context, struct error *e)
{
	char *names[] = {(char[]){"root"}, (char[]){"no-such-account"}, (char[]){"4711"}};
	const struct strings some = {.items = names, .count = 3};
	struct peers p;
	bool web, local;
	int ends[2];

	(void)context;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	refusals_on();
	peers_init(&p, &some, &quiet, &clock_system);
	web = peers_admit_web(&p, ends[0]);
	local = peers_admit_local(&p, geteuid(), 0, 0);
	refusals_off();
	assert_true(local);
	assert_true(web || refusals_hit());
	if (!web)
		error_set(e, ERROR_UNAVAILABLE, "not let in");
	assert_true(p.overflow == 65534);
	assert_true(p.uids[p.count - 1] == 4711);
	close(ends[0]);
	close(ends[1]);
	return web ? 0 : -1;
}

static void
peer_that_is_not_known_is_not_let_in(void **state)
{
	(void)state;
	refusals_sweep(admit, NULL);
	assert_int_equal(peers_uid(-1), (uid_t)-1);
}

static int64_t
read_now(void *state)
{
	return *(const int64_t *)state;
}

static void
peers_that_are_turned_away_are_told_of_once_a_second(void **state)
{
	int64_t now = 100 * NANOSECONDS;
	const struct clock clock = {.realtime = read_now, .monotonic = read_now, .state = &now};
	const struct strings nobody = {0};
	char text[4096];
	int ends[2];
	struct log log = {.clock = &clock};
	struct peers p;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	log.fd = ends[1];
	peers_init(&p, &nobody, &log, &clock);
	assert_false(peers_admit_web(&p, ends[0])); /* no socket: nobody knows whose it is */
	assert_false(peers_admit_local(&p, p.overflow, 0, 0));
	assert_false(peers_admit_local(&p, geteuid(), 1000, 0));
	now += NANOSECONDS;
	assert_false(peers_admit_local(&p, geteuid(), 0, 100000));
	n = read(ends[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "Hung up on a peer of uid 4294967295, which 'peers'"));
	assert_null(strstr(text, "no uid here"));
	assert_non_null(strstr(text, "Hung up on 2 more peers since the last line"));
	assert_non_null(strstr(text, "connections, or all have"));
	close(ends[0]);
	close(ends[1]);
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

/* --- processes --- */

static void
report_well(const void *context, int ready)
{
	refusals_off();
	(void)context;
	(void)child_report(ready, 0, &(struct error){0});
	_exit(0);
}

static int
start_server(void *context, struct error *e)
{
	struct server server = {.name = "server", .run = report_well};
	pid_t pid;

	(void)context;
	refusals_on();
	pid = child_serve(&server, e);
	refusals_off();
	if (pid == -1)
		return -1;
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return 0;
}

static void
server_that_does_not_start_is_ended(void **state)
{
	(void)state;
	refusals_sweep(start_server, NULL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* none is left */
}

/* It is told to end before it begins. */
static int
run_worker(void *context, struct error *e)
{
	static const struct listeners listeners = {.web = -1, .peer = -1, .verification = -1};
	static const struct sandbox none;
	static const struct strings nobody;
	struct worker_parts parts = {.ready = open("/dev/null", O_WRONLY),
	    .gate = -1,
	    .listeners = &listeners,
	    .signer_threads = 1,
	    .lookup_deadline = 1,
	    .peers = &nobody,
	    .service = context,
	    .sandbox = &none,
	    .log = &quiet,
	    .clock = &clock_system,
	    .entropy = &entropy_system};
	struct handover h;
	int signer[2], resolver[2], accounts[2], rc;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, signer), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, resolver), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, accounts), 0);
	assert_int_equal(handover_open(&h), 0);
	parts.signer = signer[0];
	parts.resolver = resolver[0];
	parts.accounts = accounts[0];
	parts.handover = &h;
	assert_int_equal(raise(SIGTERM), 0);
	refusals_on();
	rc = worker_run(&parts, e);
	refusals_off();
	for (int i = 0; i < 2; i++) {
		close(signer[i]);
		close(resolver[i]);
		close(accounts[i]);
	}
	close(h.in);
	close(h.out);
	return rc;
}

static void
worker_starts_or_says_why_not(void **state)
{
	const struct keys_fixture *f = *state;
	struct config c;
	struct service_parts parts = {
	    .config = &c, .log = &quiet, .clock = &clock_system, .entropy = &entropy_system};
	struct service *s;
	struct error e = {0};
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &ends, NULL), 0);
	assert_int_equal(config_init(&c, &e), 0);
	assert_int_equal(config_set(&c, "directory", f->directory, "t", &e), 0);
	if (service_open(&s, &parts, &e) == -1)
		fail_msg("%s", e.text);
	refusals_sweep(run_worker, s);
	service_close(s);
	config_free(&c);
}

static void
process_that_dies_young_is_started_ever_later(void **state)
{
	struct slot s = {.pid = -1};
	int before = -1;

	(void)state;
	for (int i = 0; i < 20; i++) {
		slot_failed(&s);
		assert_in_range(slot_wait(&s), 1, 60001);
		assert_true(s.backoff >= before);
		before = s.backoff;
	}
	slot_failed(&s);
	assert_int_equal(s.backoff, before);
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
	int pidfd = pidfd_open(getpid(), 0);

	(void)state;
	if (pidfd == -1) /* valgrind does not know it */
		skip();
	close(pidfd);
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
	assert_true(rc == -1 || !refusals_hit());
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

static int
wait_for_groups(void *context, struct error *e)
{
	static const struct groups_config groups;
	const struct waiter w = {0};
	struct jobs jobs = {0};
	struct memory *m;
	struct job *j;
	int rc = -1;

	(void)context;
	refusals_on();
	m = memory_new(&groups);
	j = jobs_add(&jobs, "alice", 0);
	if (m != NULL && j != NULL)
		rc = job_wait(j, &w);
	refusals_off();
	if (j != NULL)
		jobs_remove(&jobs, j);
	assert_null(jobs_oldest(&jobs));
	memory_free(m);
	return rc == 0 ? 0 : error_set(e, ERROR_UNAVAILABLE, "out of memory");
}

static void
who_waits_waits_or_does_not(void **state)
{
	(void)state;
	refusals_sweep(wait_for_groups, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(socket_listens_or_says_why_not),
	    TEST(connections_are_carried_or_nothing_is_left),
	    TEST(peer_that_is_not_known_is_not_let_in),
	    TEST(peers_that_are_turned_away_are_told_of_once_a_second),
	    TEST(filter_is_whole_or_not_there),
	    TEST(server_that_does_not_start_is_ended),
	    TEST(worker_starts_or_says_why_not),
	    TEST(process_that_dies_young_is_started_ever_later),
	    TEST(checker_runs_or_says_why_not),
	    TEST(sockets_are_served_or_nothing_is),
	    TEST(who_waits_waits_or_does_not),
	};

	patience_end(120); /* ends a worker that is not told to; it blocks SIGTERM */
	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
