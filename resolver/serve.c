#define _GNU_SOURCE /* EPOLL_CLOEXEC, explicit_bzero */
#include "resolver/serve.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Everything that is there. False: the socket has ended. */
static bool
receive(const struct counters *c, struct outbox *box)
{
	struct lookup_request q;
	bool open = true;
	ssize_t n;

	for (;;) {
		n = recv(box->fd, &q, sizeof(q), MSG_DONTWAIT | MSG_TRUNC);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			open = errno == EAGAIN || errno == EWOULDBLOCK;
		else if (n == 0)
			open = !courier_ended(box->fd);
		if (n == -1 || !open)
			break;
		if (lookup_request_check(&q, (size_t)n) == -1)
			continue;
		if (q.head.kind == LOOKUP_PASSWORD)
			gate_request(c->gate, box, &q, (size_t)n);
		else
			desk_request(c->desk, box, &q);
	}
	/* It may have held a password. */
	explicit_bzero(&q, sizeof(q));
	return open;
}

/* The sooner of two times to wait, -1 being never. */
static int
sooner(int a, int b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

/* False: the socket has ended. An event without a box is the gate's. */
static bool
take(const struct counters *c, const struct epoll_event *event)
{
	struct outbox *box = event->data.ptr;

	if (box == NULL) {
		gate_collect(c->gate);
		return true;
	}
	if ((event->events & EPOLLOUT) != 0)
		outbox_flush(box);
	if ((event->events & ~(uint32_t)EPOLLOUT) == 0 || receive(c, box))
		return true;
	outbox_close(box);
	return false;
}

static void
serve(const struct counters *c, int epoll, size_t count)
{
	struct epoll_event events[16];
	int wait = -1;

	while (count > 0) {
		int n = epoll_wait(epoll, events, 16, wait);

		desk_lock(c->desk);
		for (int i = 0; i < n; i++)
			if (!take(c, &events[i]))
				count--;
		wait = sooner(desk_expire(c->desk), gate_expire(c->gate));
		desk_unlock(c->desk);
	}
}

/* Where answers go is here until the end: threads find it in the jobs. */
static int
serve_all(const struct counters *c, int epoll, const int *sockets, size_t count)
{
	struct epoll_event checked = {.events = EPOLLIN};
	struct outbox *boxes = calloc(count, sizeof(*boxes));
	size_t opened = 0;
	bool ready;

	if (boxes == NULL)
		return -1;
	while (opened < count && outbox_open(&boxes[opened], epoll, sockets[opened]) == 0)
		opened++;
	ready = opened == count &&
		epoll_ctl(epoll, EPOLL_CTL_ADD, gate_descriptor(c->gate), &checked) == 0;
	if (ready)
		serve(c, epoll, count);
	desk_lock(c->desk);
	desk_forget(c->desk);
	gate_forget(c->gate);
	desk_unlock(c->desk);
	for (size_t i = 0; i < opened; i++)
		outbox_close(&boxes[i]);
	free(boxes);
	return ready ? 0 : -1;
}

int
serve_sockets(const struct counters *c, const int *sockets, size_t count, struct error *e)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int rc = 0;

	if (epoll == -1 || serve_all(c, epoll, sockets, count) == -1)
		rc = error_set(e, ERROR_INTERNAL, "epoll: %s", strerror(errno));
	if (epoll != -1)
		close(epoll);
	return rc;
}
