#include "fcgi/accounts_process.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/account.h"
#include "fcgi/accounts_message.h"
#include "fcgi/child.h"

static void
look_up(const struct accounts_question *q, struct accounts_answer *a)
{
	uid_t uid = (uid_t)-1;

	*a = (struct accounts_answer){.number = q->number, .rc = -1};
	if (q->kind == ACCOUNTS_USER && memchr(q->name, '\0', sizeof(q->name)) != NULL)
		a->rc = account_user(q->name, &uid, &a->e);
	else if (q->kind == ACCOUNTS_NAME)
		a->rc = account_name(q->uid, a->name, sizeof(a->name), &a->e);
	else
		error_set(&a->e, ERROR_INTERNAL, "that is no question about an account");
	a->uid = uid;
}

/* One question. Whether there may be more. A worker that does not take its answers has none. */
static bool
answer(int fd)
{
	struct accounts_question q;
	struct accounts_answer a;
	ssize_t n = recv(fd, &q, sizeof(q), MSG_DONTWAIT);

	if (n == (ssize_t)sizeof(q)) {
		look_up(&q, &a);
		(void)send(fd, &a, sizeof(a), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	return n != 0;
}

/* Until nobody can ask any more. */
static void
serve(const struct accounts_process *p)
{
	struct pollfd fds[LIMIT_WORKERS];
	unsigned int open = p->count;

	for (unsigned int i = 0; i < p->count; i++)
		fds[i] = (struct pollfd){.fd = p->sockets[i], .events = POLLIN};
	while (open > 0) {
		if (poll(fds, p->count, -1) == -1 && errno != EINTR)
			return;
		for (unsigned int i = 0; i < p->count; i++) {
			if (fds[i].fd == -1 || fds[i].revents == 0 || answer(fds[i].fd))
				continue;
			fds[i].fd = -1;
			open--;
		}
	}
}

static void
accounts_main(const void *context, int ready)
{
	const struct accounts_process *p = context;
	struct error e = {0};

	(void)prctl(PR_SET_NAME, "authserver-acco");
	if (child_report(ready, sandbox_enter_accounts(p->sandbox, &e), &e) == -1)
		_exit(1);
	serve(p);
	_exit(0);
}

pid_t
accounts_process_start(const struct accounts_process *p, struct error *e)
{
	const struct server server = {.name = "process for accounts",
	    .sockets = p->sockets,
	    .count = p->count,
	    .run = accounts_main,
	    .context = p};

	return child_serve(&server, e);
}
