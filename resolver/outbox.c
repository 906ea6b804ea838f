#include "resolver/outbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/courier.h"

struct parcel {
	struct parcel *next; /* to be sent after it */
	size_t size;
	char bytes[];
};

int
outbox_open(struct outbox *b, int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = b};

	*b = (struct outbox){0};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
		return -1;
	*b = (struct outbox){.epoll = epoll, .fd = fd, .end = &b->first};
	return 0;
}

static void
drop_first(struct outbox *b)
{
	struct parcel *p = b->first;

	b->first =
	    p->next; /* NOLINT(clang-analyzer-core.NullDereference): not called without */
	if (b->first == NULL)
		b->end = &b->first;
	b->count--;
	free(p);
}

void
outbox_close(struct outbox *b)
{
	if (b->end == NULL)
		return;
	while (b->first != NULL)
		drop_first(b);
	(void)epoll_ctl(b->epoll, EPOLL_CTL_DEL, b->fd, NULL);
	*b = (struct outbox){0};
}

/* Whether to be told when the socket is writable. */
static void
await(const struct outbox *b, bool writable)
{
	struct epoll_event event = {
	    .events = EPOLLIN | (writable ? EPOLLOUT : 0U), .data.ptr = (void *)b};

	(void)epoll_ctl(b->epoll, EPOLL_CTL_MOD, b->fd, &event);
}

/* False: not now, but later. What can never be sent, as to a process that is gone, is done
 * with. */
static bool
deliver(const struct outbox *b, const void *message, size_t size)
{
	return courier_answer(b->fd, message, size, MSG_DONTWAIT) == 0 ||
	       (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS && errno != ENOMEM);
}

static void
keep(struct outbox *b, const void *message, size_t size)
{
	struct parcel *p = malloc(sizeof(*p) + size);

	if (p == NULL)
		return; /* the asker's own deadline tells it */
	p->next = NULL;
	p->size = size;
	memcpy(p->bytes, message, size);
	if (b->count == OUTBOX_MOST)
		drop_first(b);
	*b->end = p;
	b->end = &p->next;
	b->count++;
}

void
outbox_send(struct outbox *b, const void *message, size_t size)
{
	if (b->end == NULL || (b->first == NULL && deliver(b, message, size)))
		return;
	keep(b, message, size);
	if (b->count == 1)
		await(b, true);
}

void
outbox_flush(struct outbox *b)
{
	if (b->first == NULL)
		return;
	while (b->first != NULL && deliver(b, b->first->bytes, b->first->size))
		drop_first(b);
	if (b->first == NULL)
		await(b, false);
}
