#include "fcgi/exchange.h"

#include <stdlib.h>
#include <unistd.h>

#include <fcgiapp.h>

struct exchange {
	struct gateway gateway; /* first, so that the one leads to the other */
	FCGX_Request request;
	exchange_done *done;
	void *context;
};

int
exchange_init(void)
{
	return FCGX_Init() == 0 ? 0 : -1;
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
	free(x);
	done(context, usable);
}

/* What is left unread would be taken for the start of the next request. */
static bool
drain(FCGX_Stream *in)
{
	char bytes[4096];

	while (FCGX_GetStr(bytes, sizeof(bytes), in) > 0)
		continue;
	return FCGX_GetError(in) == 0;
}

static void
respond(struct gateway *g, const struct response *r)
{
	struct exchange *x = (struct exchange *)g;
	struct buffer text;
	bool usable;

	buffer_init(&text, LIMIT_RESPONSE + LIMIT_ERROR_TEXT);
	usable = response_render(r, &text) == 0 &&
		 FCGX_PutStr(text.data, (int)text.length, x->request.out) == (int)text.length &&
		 !g->oversize && drain(x->request.in);
	buffer_free(&text);
	FCGX_Finish_r(&x->request);
	finish(x, usable);
}

void
exchange_start(struct service *s, int fd, bool oversize, exchange_done *done, void *context)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (x == NULL) {
		close(fd);
		done(context, false);
		return;
	}
	(void)FCGX_InitRequest(&x->request, -1, 0); /* fails for unknown flags only */
	x->request.ipcFd = fd;
	x->request.keepConnection = 1; /* or it would be closed before it is read */
	x->request.detached = 1; /* or a close would wait up to two seconds for the peer */
	x->done = done;
	x->context = context;
	if (FCGX_Accept_r(&x->request) != 0) {
		finish(x, false);
		return;
	}
	x->request.keepConnection = 1; /* not for libfcgi to close */
	x->gateway = (struct gateway){
	    .params = x->request.envp, .oversize = oversize, .respond = respond};
	service_handle(s, &x->gateway);
}
