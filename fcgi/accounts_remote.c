#include "fcgi/accounts_remote.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/accounts_message.h"

enum { DEADLINE = 10 }; /* seconds */

struct accounts_remote {
	struct accounts accounts; /* first, so that the one leads to the other */
	struct courier *courier;
	const struct clock *clock;
};

static int
check(void *answer, size_t size)
{
	const struct accounts_answer *a = answer;
	bool found = a->head.kind == ACCOUNTS_FOUND;

	if (size != sizeof(*a) || (!found && a->head.kind != ACCOUNTS_FAILED) ||
	    memchr(a->found.name, '\0', sizeof(a->found.name)) == NULL ||
	    memchr(a->e.text, '\0', sizeof(a->e.text)) == NULL ||
	    memchr(a->e.detail, '\0', sizeof(a->e.detail)) == NULL)
		return -1;
	/* As look-ups fail, and no otherwise. */
	return found || a->e.code == ERROR_CONFIG || a->e.code == ERROR_DENIED ||
		       a->e.code == ERROR_UNAVAILABLE
		   ? 0
		   : -1;
}

static void
deliver(courier_call *call, void *context, const void *answer, const struct error *e)
{
	account_done *done = (account_done *)call;
	const struct accounts_answer *a = answer;

	if (a == NULL)
		done(context, NULL, e);
	else if (a->head.kind == ACCOUNTS_FOUND)
		done(context, &a->found, e);
	else
		done(context, NULL, &a->e);
}

static int
submit(const struct accounts *self, const struct account_question *asked, account_done *done,
    void *context, struct error *e)
{
	const struct accounts_remote *r = (const struct accounts_remote *)self;
	struct accounts_question q = {
	    .head = {.magic = ACCOUNTS_QUESTION_MAGIC, .kind = ACCOUNTS_NAME},
	    .until = clock_monotonic(r->clock) + DEADLINE * NANOSECONDS,
	    .uid = asked->uid};

	if (asked->name != NULL) {
		size_t length = strlen(asked->name);

		if (length >= sizeof(q.name))
			return error_set(e, ERROR_UNAVAILABLE, "the user's name is too long");
		q.head.kind = ACCOUNTS_USER;
		memcpy(q.name, asked->name, length + 1);
	}
	return courier_submit(r->courier, &q, sizeof(q), (courier_call *)done, context, e);
}

const struct accounts *
accounts_remote_accounts(const struct accounts_remote *r)
{
	return &r->accounts;
}

int
accounts_remote_receive(struct accounts_remote *r)
{
	return courier_receive(r->courier);
}

void
accounts_remote_expire(struct accounts_remote *r)
{
	courier_expire(r->courier);
}

int
accounts_remote_new(struct accounts_remote **out, int fd, const struct clock *clock,
    const struct entropy *entropy, struct error *e)
{
	const struct courier_parts parts = {.fd = fd,
	    .clock = clock,
	    .entropy = entropy,
	    .peer = "the process for accounts",
	    .magic = ACCOUNTS_ANSWER_MAGIC,
	    .most = COURIER_MOST,
	    .answer_size = sizeof(struct accounts_answer),
	    .deadline = DEADLINE * NANOSECONDS,
	    .check = check,
	    .deliver = deliver};
	struct accounts_remote *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (r == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	r->accounts = (struct accounts){.submit = submit};
	r->clock = clock;
	if (courier_new(&r->courier, &parts, e) == -1) {
		free(r);
		return -1;
	}
	*out = r;
	return 0;
}

void
accounts_remote_free(struct accounts_remote *r)
{
	if (r == NULL)
		return;
	courier_free(r->courier);
	free(r);
}
