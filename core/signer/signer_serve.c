#include "signer/signer_serve.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "signer/message.h"

void
signer_hello(int fd)
{
	courier_hello(fd, MESSAGE_ANSWER_MAGIC);
}

static void
answer(int fd, const struct signing *s, const struct courier_head *head, const struct query *q)
{
	bool mint = head->kind == MESSAGE_MINT;
	struct message_answer m;
	struct signature made;
	struct error e = {0};
	struct buffer text;
	int rc;

	buffer_init(&text, mint ? LIMIT_TOKEN - 1 : LIMIT_JWK_SET - 1);
	rc = mint ? signing_mint(s, q, &text, &made, &e) : signing_publish(s, &text, &made, &e);
	message_answer_init(&m, head->id, rc == 0 ? &made : NULL, &e);
	buffer_free(&text);
	/* A worker that is gone asks no more. */
	(void)courier_answer(fd, &m, message_answer_size(&m), 0);
}

void
signer_serve(int fd, const struct signing *s)
{
	struct message_request request;
	struct query q;

	for (;;) {
		/* MSG_TRUNC: the length as it was sent, so that one too long is seen. */
		ssize_t n = recv(fd, &request, sizeof(request), MSG_TRUNC);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || (n == 0 && courier_ended(fd)))
			return;
		if (message_request_read(&request, (size_t)n, &q) == 0)
			answer(fd, s, &request.head, &q);
	}
}
