#define _GNU_SOURCE /* SOCK_CLOEXEC, MSG_CMSG_CLOEXEC */
#include "fcgi/handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one descriptor, aligned as its head has to be. */
union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr head;
};

int
handover_open(struct handover *h)
{
	const int size =
	    1024 * 1024; /* a reload hands over many at once; the kernel bounds it */
	int pair[2];

	/* Not datagrams: those could be sent to any other socket. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1)
		return -1;
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*h = (struct handover){.in = pair[0], .out = pair[1]};
	return 0;
}

void
handover_end(const struct handover *h)
{
	int fd;

	(void)shutdown(h->in, SHUT_RDWR);
	while ((fd = handover_take(h->out)) != -1)
		close(fd);
}

int
handover_give(const struct handover *h, int fd)
{
	char byte = 0; /* a message has to have one */
	struct iovec bytes = {&byte, sizeof(byte)};
	union control control = {.bytes = {0}};
	const struct msghdr message = {.msg_iov = &bytes,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes)};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	if (sendmsg(h->in, &message, MSG_NOSIGNAL) != (ssize_t)sizeof(byte))
		return -1;
	close(fd);
	return 0;
}

int
handover_take(int out)
{
	char byte;
	struct iovec bytes = {&byte, sizeof(byte)};
	union control control = {.bytes = {0}};
	struct msghdr message = {.msg_iov = &bytes,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = CMSG_LEN(sizeof(int))}; /* in more room, two would come */
	const struct cmsghdr *head;
	int fd = -1;

	ssize_t n = recvmsg(out, &message, MSG_CMSG_CLOEXEC);

	if (n <= 0) {
		errno = n == 0 ? EAGAIN : errno;
		return -1;
	}
	head = CMSG_FIRSTHDR(&message);
	errno = EAGAIN;
	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd;
}
