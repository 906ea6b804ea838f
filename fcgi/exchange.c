#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "fcgi/exchange.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "fcgi/framing.h"

struct exchange {
	struct gateway gateway; /* first, so that the one leads to the other */
	FCGX_Request request;
	exchange_done *done;
	void *context;
};

static int
bridge_open(struct bridge *b)
{
	int pair[2];
	int size = FRAMING_MAX;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1)
		return -1;
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*b = (struct bridge){.in = pair[0], .out = pair[1]};
	return 0;
}

/* A bridge that may hold the rest of a request would put it before the next one. */
static void
bridge_renew(struct bridge *b, bool out_is_open)
{
	close(b->in);
	if (out_is_open)
		close(b->out);
	if (bridge_open(b) == -1)
		*b = (struct bridge){.in = -1, .out = -1};
}

int
exchange_init(struct bridge *b)
{
	return FCGX_Init() == 0 ? bridge_open(b) : -1;
}

void
exchange_end(const struct bridge *b)
{
	if (b->in == -1) /* it could not be renewed */
		return;
	close(b->in);
	close(b->out);
}

/* libfcgi has set ipcFd to -1 if it closed the descriptor, as it does after an error. */
static void
finish(struct exchange *x, bool usable)
{
	exchange_done *done = x->done;
	void *context = x->context;

	if (x->request.ipcFd == -1)
		usable = false;
	else if (!usable)
		close(x->request.ipcFd);
	buffer_free(&x->gateway.body);
	free(x);
	done(context, usable);
}

/* A connection that takes no answer at once has a peer that does not read: it is closed,
 * and nobody waits for it. */
static bool
respond(struct gateway *g, const struct response *r)
{
	struct exchange *x = (struct exchange *)g;
	struct buffer text;
	bool usable;

	buffer_init(&text, LIMIT_RESPONSE + LIMIT_ERROR_TEXT);
	usable = response_render(r, &text) == 0 &&
		 FCGX_PutStr(text.data, (int)text.length, x->request.out) == (int)text.length &&
		 !g->oversize;
	buffer_free(&text);
	FCGX_Finish_r(&x->request);
	usable = usable && x->request.ipcFd != -1;
	finish(x, usable);
	return usable;
}

/* What is left unread would be taken for the start of the next request. 0, or -1 when it is
 * not whole. */
static int
read_body(FCGX_Stream *in, struct buffer *body)
{
	char bytes[4096];
	int n;

	while ((n = FCGX_GetStr(bytes, sizeof(bytes), in)) > 0)
		if (buffer_append(body, bytes, (size_t)n) == -1)
			return -1;
	return FCGX_GetError(in) == 0 ? 0 : -1;
}

/* Whether a body is there to be read: that of a request for an authorizer is the web server's
 * own. */
static bool
has_body(const struct arrival *a)
{
	return !a->oversize && a->scope != SCOPE_AUTHORIZER;
}

/* Lets libfcgi read the request from fd. Afterwards ipcFd is -1 if fd was closed. */
static bool
take(struct exchange *x, int fd, bool body)
{
	FCGX_Request *r = &x->request;

	(void)FCGX_InitRequest(r, -1, 0); /* fails for unknown flags only */
	r->ipcFd = fd;
	r->keepConnection = 1; /* or it would be closed before it is read */
	r->detached = 1;       /* or a close would wait up to two seconds for the peer */
	if (FCGX_Accept_r(r) != 0)
		return false;
	r->keepConnection = 1; /* not for libfcgi to close */
	return !body || read_body(r->in, &x->gateway.body) == 0;
}

/* The same for a request that was gathered. ipcFd is its connection's at the end. */
static bool
take_gathered(struct exchange *x, struct bridge *b, const struct arrival *a)
{
	FCGX_Request *r = &x->request;
	bool taken = false;

	*r = (FCGX_Request){.ipcFd = b->out};
	if (b->in != -1 && send(b->in, a->bytes, a->length, MSG_NOSIGNAL) == (ssize_t)a->length)
		taken = take(x, b->out, has_body(a));
	if (!taken || !has_body(a))
		bridge_renew(b, b->out != -1 && r->ipcFd != -1);
	r->ipcFd = a->fd;
	return taken;
}

void
exchange_start(struct service *s, struct bridge *b, const struct arrival *a,
    exchange_done *done, void *context)
{
	struct exchange *x = calloc(1, sizeof(*x));
	bool taken;

	if (x == NULL) {
		close(a->fd);
		done(context, false);
		return;
	}
	x->done = done;
	x->context = context;
	buffer_init(&x->gateway.body, FRAMING_MAX);
	taken = a->bytes == NULL ? take(x, a->fd, has_body(a)) : take_gathered(x, b, a);
	if (!taken) {
		FCGX_Free(&x->request, 0);
		finish(x, false);
		return;
	}
	x->gateway.params = x->request.envp;
	x->gateway.peer = a->peer;
	x->gateway.scope = a->scope;
	x->gateway.oversize = a->oversize;
	x->gateway.respond = respond;
	service_handle(s, &x->gateway);
}
