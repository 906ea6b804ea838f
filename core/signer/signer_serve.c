#include "signer/signer_serve.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "signer/message.h"

static int
send_answer(int fd, const struct message_answer *m, int flags)
{
	size_t size = message_answer_size(m);
	ssize_t n;

	do
		n = send(fd, m, size, MSG_NOSIGNAL | flags);
	while (n == -1 && errno == EINTR);
	return n == (ssize_t)size ? 0 : -1;
}

void
signer_hello(int fd)
{
	struct message_answer m;
	char dropped;

	while (recv(fd, &dropped, sizeof(dropped), MSG_DONTWAIT) > 0)
		continue;
	message_hello(&m);
	(void)send_answer(fd, &m, MSG_DONTWAIT);
}

static void
answer(int fd, const struct signing *s, const struct message_request *request)
{
	struct message_answer m;
	struct signature made = {0};
	struct error e = {0};
	struct buffer token;

	buffer_init(&token, LIMIT_TOKEN - 1);
	if (signing_mint(s, &request->query, &token, &made.expires, &e) == 0) {
		made.token = token.data;
		made.length = token.length;
		message_answer_init(&m, request->id, &made, &e);
	} else {
		message_answer_init(&m, request->id, NULL, &e);
	}
	buffer_free(&token);
	(void)send_answer(fd, &m, 0); /* a worker that is gone asks no more */
}

/* An empty datagram and the end look alike to recv(2). */
static bool
ended(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

void
signer_serve(int fd, const struct signing *s)
{
	struct message_request request;

	for (;;) {
		/* MSG_TRUNC: the length as it was sent, so that one too long is seen. */
		ssize_t n = recv(fd, &request, sizeof(request), MSG_TRUNC);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || (n == 0 && ended(fd)))
			return;
		if (message_request_check(&request, (size_t)n) == 0)
			answer(fd, s, &request);
	}
}
