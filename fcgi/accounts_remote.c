#include "fcgi/accounts_remote.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "fcgi/accounts_message.h"

enum { DEADLINE = 10 }; /* seconds */

/* Milliseconds until end, rounded up. */
static int
left(const struct clock *clock, int64_t end)
{
	int64_t wait = end - clock_monotonic(clock);

	return wait > 0 ? (int)(wait / (NANOSECONDS / 1000)) + 1 : 0;
}

static bool
is_answer(const struct accounts_answer *a, uint64_t number)
{
	return a->number == number && memchr(a->name, '\0', sizeof(a->name)) != NULL &&
	       memchr(a->e.text, '\0', sizeof(a->e.text)) != NULL;
}

/* Answers to earlier questions, maybe another worker's that was in our place, are passed over.
 */
static int
receive(const struct accounts_remote *r, struct accounts_answer *a, struct error *e)
{
	const int64_t end = clock_monotonic(r->clock) + DEADLINE * NANOSECONDS;
	struct pollfd p = {.fd = r->fd, .events = POLLIN};

	for (int wait = left(r->clock, end); wait > 0; wait = left(r->clock, end)) {
		ssize_t n;

		if (poll(&p, 1, wait) == -1 && errno != EINTR)
			break;
		n = recv(r->fd, a, sizeof(*a), MSG_DONTWAIT);
		if (n == (ssize_t)sizeof(*a) && is_answer(a, r->number))
			return 0;
		if (n == 0) /* the monitor has ended */
			break;
	}
	return error_set(e, ERROR_UNAVAILABLE, "accounts cannot be looked up now");
}

/* Sends *q, and *a is the answer to it. */
static int
ask(struct accounts_remote *r, struct accounts_question *q, struct accounts_answer *a,
    struct error *e)
{
	q->number = ++r->number;
	if (send(r->fd, q, sizeof(*q), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(*q))
		return error_set(
		    e, ERROR_UNAVAILABLE, "accounts cannot be looked up: %s", strerror(errno));
	if (receive(r, a, e) == -1)
		return -1;
	if (a->rc == 0)
		return 0;
	*e = a->e;
	return -1;
}

static int
user(void *context, const char *name, uid_t *uid, struct error *e)
{
	struct accounts_question q = {.kind = ACCOUNTS_USER};
	struct accounts_answer a;
	size_t length = strlen(name);

	if (length >= sizeof(q.name))
		return error_set(e, ERROR_CONFIG, "user '%.64s...' does not exist", name);
	memcpy(q.name, name, length);
	if (ask(context, &q, &a, e) == -1)
		return -1;
	*uid = a.uid;
	return 0;
}

static int
name_of(void *context, uid_t uid, char *name, size_t size, struct error *e)
{
	struct accounts_question q = {.kind = ACCOUNTS_NAME, .uid = uid};
	struct accounts_answer a;
	size_t length;

	if (ask(context, &q, &a, e) == -1)
		return -1;
	length = strlen(a.name);
	if (length >= size)
		return error_set(
		    e, ERROR_DENIED, "uid %u has no account here", (unsigned int)uid);
	memcpy(name, a.name, length + 1);
	return 0;
}

void
accounts_remote_init(struct accounts_remote *r, int fd, const struct clock *clock)
{
	*r = (struct accounts_remote){.accounts = {.user = user, .name = name_of, .context = r},
	    .fd = fd,
	    .number = (uint64_t)clock_monotonic(clock),
	    .clock = clock};
}
