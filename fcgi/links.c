#include "fcgi/links.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
links_init(struct links *l)
{
	for (unsigned int i = 0; i < LIMIT_WORKERS; i++)
		l->worker[i] = l->other[i] = -1;
}

int
links_open(struct links *l, unsigned int count, struct error *e)
{
	const int queue = 1024 * 1024;
	int pair[2];

	for (unsigned int i = 0; i < count; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
			return error_set(e, ERROR_INTERNAL, "socketpair: %s", strerror(errno));
		/* As much as the kernel gives: every request in flight is to fit, and so are
		 * most of the answers. */
		for (int end = 0; end < 2; end++)
			(void)setsockopt(
			    pair[end], SOL_SOCKET, SO_SNDBUF, &queue, sizeof(queue));
		l->worker[i] = pair[0];
		l->other[i] = pair[1];
	}
	return 0;
}

void
links_shutdown(const struct links *l)
{
	for (unsigned int i = 0; i < LIMIT_WORKERS; i++)
		if (l->other[i] != -1)
			(void)shutdown(l->other[i], SHUT_RDWR);
}

void
links_close(struct links *l)
{
	for (unsigned int i = 0; i < LIMIT_WORKERS; i++) {
		if (l->worker[i] == -1)
			continue;
		close(l->worker[i]);
		close(l->other[i]);
	}
	links_init(l);
}
