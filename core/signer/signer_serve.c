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
	bool mint = request->kind == MESSAGE_MINT;
	struct message_answer m;
	struct signature made;
	struct error e = {0};
	struct buffer text;
	int rc;

	buffer_init(&text, mint ? LIMIT_TOKEN - 1 : LIMIT_JWK_SET - 1);
	rc = mint ? signing_mint(s, &request->query, &text, &made, &e)
		  : signing_publish(s, &text, &made, &e);
	message_answer_init(&m, request->id, rc == 0 ? &made : NULL, &e);
	buffer_free(&text);
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
