/*
 * identity: a directory whose server does what a real one does rarely, or never should. It runs
 * in a thread of this program and has one user, alice, in the group "staff".
 */
#define _GNU_SOURCE /* usleep */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <lber.h>
#include <ldap.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "identity/ldap_socket.h"
#include "identity/source.h"

/* What the server does when it is asked for a user. */
enum manner {
	ANSWERS,
	ANSWERS_THEN_ENDS,
	ENDS,
	ENDS_MIDWAY,
	SAYS_NOTHING,
	DRIPS,
	FLOODS,
	GIVES_A_PART,
	GIVES_TOO_MUCH,
	TALKS_NONSENSE,
};

struct fixture {
	struct groups_config config;
	struct source *source;
	pthread_t thread;
	int listener;
	_Atomic(enum manner) manner;
	atomic_int bind_result;
	atomic_int connections, searches;
};

/* --- the server --- */

static int
put(int fd, BerElement *ber)
{
	struct berval *bytes = NULL;
	ssize_t n = -1;

	if (ber_flatten(ber, &bytes) == 0)
		n = send(fd, bytes->bv_val, bytes->bv_len, MSG_NOSIGNAL);
	ber_bvfree(bytes);
	ber_free(ber, 1);
	return n > 0 ? 0 : -1;
}

static int
put_result(int fd, int id, int tag, int code)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);

	(void)ber_printf(ber, "{it{ess}}", id, (ber_tag_t)tag, code, "", "");
	return put(fd, ber);
}

static BerElement *
entry(int id, const char *attribute, const char *value)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);

	(void)ber_printf(ber, "{it{s{{s[s]}}}}", id, (ber_tag_t)LDAP_RES_SEARCH_ENTRY,
	    "uid=alice", attribute, value);
	return ber;
}

/* The entry, a byte now and then. */
static void
drip(int fd, int id)
{
	BerElement *ber = entry(id, "group", "staff");
	struct berval *bytes = NULL;

	(void)ber_flatten(ber, &bytes);
	ber_free(ber, 1);
	for (size_t i = 0; i < bytes->bv_len; i++) {
		if (send(fd, bytes->bv_val + i, 1, MSG_NOSIGNAL) != 1)
			break;
		(void)usleep(100 * 1000);
	}
	ber_bvfree(bytes);
}

/* -1 ends the connection. */
static int
search(struct fixture *f, int fd, int id)
{
	enum manner manner = f->manner;
	static char huge[2 * 1024 * 1024];

	switch (manner) {
	case ENDS:
		return -1;
	case ENDS_MIDWAY:
		(void)put(fd, entry(id, "group", "half"));
		f->manner = ANSWERS;
		return -1;
	case SAYS_NOTHING:
		return 0;
	case DRIPS:
		drip(fd, id);
		return -1;
	case FLOODS:
		while (put(fd, entry(id, "other", "x")) == 0)
			;
		return -1;
	case GIVES_A_PART:
		(void)put(fd, entry(id, "group;range=0-0", "staff"));
		break;
	case GIVES_TOO_MUCH:
		memset(huge, 'x', sizeof(huge) - 1);
		(void)put(fd, entry(id, "group", huge));
		break;
	case TALKS_NONSENSE:
		memset(huge, 'H', 256);
		(void)send(fd, huge, 256, MSG_NOSIGNAL);
		break;
	default:
		(void)put(fd, entry(id, "group", "staff"));
	}
	(void)put_result(fd, id, LDAP_RES_SEARCH_RESULT, 0);
	return manner == ANSWERS_THEN_ENDS ? -1 : 0;
}

static void
serve(struct fixture *f, int fd)
{
	Sockbuf *socket = ber_sockbuf_alloc();
	int rc = 0;

	(void)ber_sockbuf_add_io(socket, &ber_sockbuf_io_tcp, LBER_SBIOD_LEVEL_PROVIDER, NULL);
	(void)ber_sockbuf_ctrl(socket, LBER_SB_OPT_SET_FD, &fd);
	while (rc == 0) {
		BerElement *ber = ber_alloc_t(LBER_USE_DER);
		ber_len_t length;
		ber_int_t id = 0;
		ber_tag_t tag = LBER_ERROR;

		if (ber_get_next(socket, &length, ber) == LDAP_TAG_MESSAGE &&
		    ber_scanf(ber, "i", &id) != LBER_ERROR)
			tag = ber_peek_tag(ber, &length);
		ber_free(ber, 1);
		if (tag == LDAP_REQ_BIND) {
			rc = put_result(fd, id, LDAP_RES_BIND, f->bind_result);
		} else if (tag == LDAP_REQ_SEARCH) {
			f->searches++;
			rc = search(f, fd, id);
		} else if (tag != LDAP_REQ_ABANDON) {
			rc = -1;
		}
	}
	ber_sockbuf_free(socket); /* closes fd */
}

/* One connection after the other, until the listener is shut. */
static void *
run(void *context)
{
	struct fixture *f = context;
	int fd;

	while ((fd = accept(f->listener, NULL, NULL)) != -1) {
		f->connections++;
		serve(f, fd);
	}
	return NULL;
}

/* --- the source --- */

static char uri[64], uri_of_another[64];
static char *uris[] = {uri, uri};

/* A listener on loopback, whose URI is put into to. */
static int
listen_at(char *to, size_t size, int backlog)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&at, length) == -1 || listen(fd, backlog) == -1 ||
	    getsockname(fd, (struct sockaddr *)&at, &length) == -1)
		abort();
	(void)snprintf(to, size, "ldap://127.0.0.1:%d", ntohs(at.sin_port));
	return fd;
}

static int
setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	struct error e = {0};

	memset(f, 0, sizeof(*f));
	uris[0] = uri;
	f->listener = listen_at(uri, sizeof(uri), 8);
	if (pthread_create(&f->thread, NULL, run, f) != 0)
		return -1;
	f->config.where = (char *)(uintptr_t) "test";
	f->config.ldap = (struct ldap_config){.uri = {.items = uris, .count = 1},
	    .base = (char *)(uintptr_t) "dc=example",
	    .filter = (char *)(uintptr_t) "(uid={0})",
	    .group_filter = (char *)(uintptr_t) "(member={1})",
	    .attribute = (char *)(uintptr_t) "group",
	    .timeout = 1};
	if (source_ldap_open(&f->source, &f->config, &e) == -1)
		fail_msg("%s", e.text);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	source_close(f->source);
	(void)shutdown(f->listener, SHUT_RDWR);
	(void)pthread_join(f->thread, NULL);
	return close(f->listener);
}

static void
finds(struct fixture *f)
{
	struct membership m = {0};
	struct error e = {0};

	if (f->source->lookup(f->source, "alice", &m, &e) == -1)
		fail_msg("%s", e.text);
	assert_true(m.known);
	assert_string_equal(m.groups, "staff\n");
}

/* In time, too. */
static void
fails(struct fixture *f, enum manner manner, const char *why)
{
	int64_t began = clock_monotonic(&clock_system);
	struct membership m = {0};
	struct error e = {0};

	f->manner = manner;
	assert_int_equal(f->source->lookup(f->source, "alice", &m, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_true(clock_monotonic(&clock_system) - began < 3 * NANOSECONDS / 2);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s", e.text);
	f->manner = ANSWERS;
}

static void
connection_is_kept(void **state)
{
	struct fixture *f = *state;

	finds(f);
	finds(f);
	finds(f);
	assert_int_equal(f->connections, 1);
	assert_int_equal(f->searches, 3);
}

static void
kept_connection_that_ended_is_opened_again(void **state)
{
	struct fixture *f = *state;

	f->manner = ANSWERS_THEN_ENDS;
	finds(f);
	(void)usleep(50 * 1000);
	finds(f);
	assert_int_equal(f->connections, 2);
}

static void
connection_is_opened_again_once(void **state)
{
	struct fixture *f = *state;

	finds(f);
	fails(f, ENDS, "the connection ended");
	assert_int_equal(f->connections, 2);
	assert_int_equal(f->searches, 3);
	finds(f);
}

static void
look_up_that_is_done_again_begins_anew(void **state)
{
	struct fixture *f = *state;

	finds(f);
	f->manner = ENDS_MIDWAY;
	finds(f);
	assert_int_equal(f->connections, 2);
}

static void
new_connection_that_ends_is_a_failure(void **state)
{
	struct fixture *f = *state;

	fails(f, ENDS, "the connection ended");
	assert_int_equal(f->connections, 1);
}

static void
server_that_hangs_is_left_and_asked_anew(void **state)
{
	struct fixture *f = *state;

	finds(f);
	fails(f, SAYS_NOTHING, "did not answer in time");
	finds(f);
	assert_int_equal(f->connections, 2);
}

static void
server_that_drips_is_left_in_time(void **state)
{
	fails(*state, DRIPS, "did not answer in time");
}

static void
more_entries_than_asked_for_are_not_awaited(void **state)
{
	struct fixture *f = *state;

	fails(f, FLOODS, "more than one entry");
}

static void
part_of_the_values_is_a_failure(void **state)
{
	fails(*state, GIVES_A_PART, "but a part of the values of 'group'");
}

static void
message_that_is_too_large_is_a_failure(void **state)
{
	fails(*state, GIVES_TOO_MUCH, "the connection ended");
}

static void
answer_that_is_no_ldap_is_a_failure(void **state)
{
	fails(*state, TALKS_NONSENSE, "the connection ended");
}

static void
open_anew(struct fixture *f, size_t count)
{
	struct error e = {0};

	source_close(f->source);
	f->config.ldap.uri.count = count;
	if (source_ldap_open(&f->source, &f->config, &e) == -1)
		fail_msg("%s", e.text);
}

/* Connections are taken by the kernel, and nobody speaks. */
static void
server_that_hangs_leaves_time_for_the_next(void **state)
{
	struct fixture *f = *state;
	int listener = listen_at(uri_of_another, sizeof(uri_of_another), 8);

	uris[0] = uri_of_another;
	open_anew(f, 2);
	finds(f);
	finds(f);
	assert_int_equal(f->connections, 1);
	close(listener);
}

/* Not even the kernel takes connections: its queue has room for one. */
static void
server_that_cannot_be_connected_is_left_in_time(void **state)
{
	struct fixture *f = *state;
	struct error e = {0};
	int listener = listen_at(uri_of_another, sizeof(uri_of_another), 0);
	int port = (int)strtol(strrchr(uri_of_another, ':') + 1, NULL, 10);
	int64_t soon = clock_monotonic(&clock_system) + NANOSECONDS;
	int waiting = ldap_socket_connect("127.0.0.1", port, soon, &e);

	assert_int_not_equal(waiting, -1);
	uris[0] = uri_of_another;
	open_anew(f, 1);
	fails(f, ANSWERS, "the server cannot be connected: Connection timed out");
	open_anew(f, 2);
	finds(f);
	close(waiting);
	close(listener);
}

static void
refused_bind_is_not_tried_at_the_next_server(void **state)
{
	struct fixture *f = *state;

	open_anew(f, 2);
	f->bind_result = LDAP_INVALID_CREDENTIALS;
	fails(f, ANSWERS, "Invalid credentials");
	assert_int_equal(f->connections, 1);
	f->bind_result = LDAP_BUSY;
	fails(f, ANSWERS, "Server is busy");
	assert_int_equal(f->connections, 3);
	assert_int_equal(f->searches, 0);
	f->bind_result = LDAP_SUCCESS;
	finds(f);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(connection_is_kept, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		kept_connection_that_ended_is_opened_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(connection_is_opened_again_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		look_up_that_is_done_again_begins_anew, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		new_connection_that_ends_is_a_failure, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		server_that_hangs_is_left_and_asked_anew, setup, teardown),
	    cmocka_unit_test_setup_teardown(server_that_drips_is_left_in_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		more_entries_than_asked_for_are_not_awaited, setup, teardown),
	    cmocka_unit_test_setup_teardown(part_of_the_values_is_a_failure, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		message_that_is_too_large_is_a_failure, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		answer_that_is_no_ldap_is_a_failure, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		server_that_hangs_leaves_time_for_the_next, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		server_that_cannot_be_connected_is_left_in_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		refused_bind_is_not_tried_at_the_next_server, setup, teardown),
	};

	(void)setenv("LDAPNOINIT", "1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
