/* resolver: answers on their way to a process that takes them slowly. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolver/outbox.h"
#include "tests/unit/patience.h"

enum { SIZE = 4096 }; /* of a message */

struct fixture {
	int epoll;
	int ours, theirs;
	struct outbox box;
	uint32_t sent; /* messages, each begins with its number */
};

static struct fixture fixture;

static int
setup(void **state)
{
	const int little = 16 * 1024;
	struct fixture *f = &fixture;
	int ends[2];

	*state = f;
	*f = (struct fixture){.epoll = epoll_create1(0)};
	if (f->epoll == -1 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1 ||
	    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)) == -1)
		return -1;
	f->ours = ends[0];
	f->theirs = ends[1];
	return outbox_open(&f->box, f->epoll, f->theirs);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	outbox_close(&f->box);
	if (f->ours != -1)
		close(f->ours);
	close(f->theirs);
	return close(f->epoll);
}

static void
send_next(struct fixture *f)
{
	char message[SIZE] = "";

	memcpy(message, &f->sent, sizeof(f->sent));
	f->sent++;
	outbox_send(&f->box, message, sizeof(message));
}

static void
send_until_kept(struct fixture *f, size_t count)
{
	while (f->box.count < count)
		send_next(f);
}

/* The number of the next message that arrived; -1: none has. */
static int64_t
take(const struct fixture *f)
{
	char message[SIZE + 1];
	uint32_t number;
	ssize_t n = recv(f->ours, message, sizeof(message), MSG_DONTWAIT);

	if (n == -1)
		return -1;
	assert_int_equal(n, SIZE);
	memcpy(&number, message, sizeof(number));
	return number;
}

/* What the epoll tells of the socket. */
static uint32_t
events(const struct fixture *f)
{
	struct epoll_event event;

	if (epoll_wait(f->epoll, &event, 1, 0) != 1)
		return 0;
	assert_ptr_equal(event.data.ptr, &f->box);
	return event.events;
}

static void
what_the_socket_takes_is_sent_at_once(void **state)
{
	struct fixture *f = *state;

	send_next(f);
	assert_int_equal(f->box.count, 0);
	assert_int_equal(take(f), 0);
	assert_int_equal(take(f), -1);
	assert_int_equal(events(f), 0); /* though it is writable */
}

static void
what_it_does_not_take_follows_in_order(void **state)
{
	struct fixture *f = *state;
	int64_t next = 0;

	send_until_kept(f, 20);
	while (next < f->sent) {
		int64_t got = take(f);

		if (got == -1) {
			assert_int_equal(events(f), EPOLLOUT);
			outbox_flush(&f->box);
			send_until_kept(f, next < 40 ? 20 : 0);
			continue;
		}
		assert_int_equal(got, next++);
	}
	assert_true(next > 40);
	assert_int_equal(f->box.count, 0);
	assert_int_equal(events(f), 0);
}

static void
epoll_tells_of_room_only_while_something_waits(void **state)
{
	struct fixture *f = *state;

	send_until_kept(f, 1);
	assert_int_equal(events(f), 0); /* there is no room */
	while (take(f) != -1)
		continue;
	assert_int_equal(events(f), EPOLLOUT);
	outbox_flush(&f->box);
	assert_int_equal(events(f), 0);
	outbox_flush(&f->box);
	assert_int_equal(events(f), 0);
}

static void
requests_are_told_of_in_any_case(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send(f->ours, "x", 1, 0), 1);
	assert_int_equal(events(f), EPOLLIN);
	send_until_kept(f, 1);
	assert_int_equal(events(f), EPOLLIN);
	while (take(f) != -1)
		continue;
	assert_int_equal(events(f), EPOLLIN | EPOLLOUT);
}

static void
no_more_is_kept_than_anybody_waits_for(void **state)
{
	struct fixture *f = *state;
	uint32_t first;

	send_until_kept(f, 1);
	first = f->sent - 1; /* that is kept */
	for (int i = 0; i < OUTBOX_MOST + 9; i++)
		send_next(f);
	assert_int_equal(f->box.count, OUTBOX_MOST);
	while (take(f) != -1)
		continue;
	outbox_flush(&f->box);
	assert_int_equal(take(f), first + 10); /* the oldest have gone */
}

static void
nothing_is_kept_for_who_is_gone(void **state)
{
	struct fixture *f = *state;

	send_until_kept(f, 3);
	close(f->ours);
	f->ours = -1;
	outbox_flush(&f->box);
	assert_int_equal(f->box.count, 0);
	send_next(f);
	assert_int_equal(f->box.count, 0);
}

static void
one_that_is_closed_takes_nothing(void **state)
{
	struct fixture *f = *state;

	send_until_kept(f, 3);
	outbox_close(&f->box);
	while (take(f) != -1)
		continue;
	send_next(f);
	outbox_flush(&f->box);
	assert_int_equal(take(f), -1);
	assert_int_equal(events(f), 0);
	outbox_close(&f->box);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(what_the_socket_takes_is_sent_at_once),
	    TEST(what_it_does_not_take_follows_in_order),
	    TEST(epoll_tells_of_room_only_while_something_waits),
	    TEST(requests_are_told_of_in_any_case),
	    TEST(no_more_is_kept_than_anybody_waits_for),
	    TEST(nothing_is_kept_for_who_is_gone),
	    TEST(one_that_is_closed_takes_nothing),
	};

	patience_end(120); /* ends a test that waits in vain */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
