#define _GNU_SOURCE /* EPOLL_CLOEXEC */
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
receive(struct desk *d, struct outbox *box)
{
	struct lookup_request q;

	for (;;) {
		ssize_t n = recv(box->fd, &q, sizeof(q), MSG_DONTWAIT | MSG_TRUNC);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		if (n == 0 && courier_ended(box->fd))
			return false;
		if (lookup_request_check(&q, (size_t)n) == 0)
			desk_request(d, box, &q);
	}
}

static void
serve(struct desk *d, int epoll, size_t count)
{
	struct epoll_event events[16];
	int wait = -1;

	while (count > 0) {
		int n = epoll_wait(epoll, events, 16, wait);

		desk_lock(d);
		for (int i = 0; i < n; i++) {
			struct outbox *box = events[i].data.ptr;

			if ((events[i].events & EPOLLOUT) != 0)
				outbox_flush(box);
			if ((events[i].events & ~(uint32_t)EPOLLOUT) == 0 || receive(d, box))
				continue;
			outbox_close(box);
			count--;
		}
		wait = desk_expire(d);
		desk_unlock(d);
	}
}

/* Where answers go is here until the end: threads find it in the jobs. */
static int
serve_all(struct desk *d, int epoll, const int *sockets, size_t count)
{
	struct outbox *boxes = calloc(count, sizeof(*boxes));
	size_t opened = 0;

	if (boxes == NULL)
		return -1;
	while (opened < count && outbox_open(&boxes[opened], epoll, sockets[opened]) == 0)
		opened++;
	if (opened == count)
		serve(d, epoll, count);
	desk_lock(d);
	desk_forget(d);
	desk_unlock(d);
	for (size_t i = 0; i < opened; i++)
		outbox_close(&boxes[i]);
	free(boxes);
	return opened == count ? 0 : -1;
}

int
serve_sockets(struct desk *d, const int *sockets, size_t count, struct error *e)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int rc = 0;

	if (epoll == -1 || serve_all(d, epoll, sockets, count) == -1)
		rc = error_set(e, ERROR_INTERNAL, "epoll: %s", strerror(errno));
	if (epoll != -1)
		close(epoll);
	return rc;
}
