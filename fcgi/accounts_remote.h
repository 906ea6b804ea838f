/*
 * Accounts of this host, for a worker, which may open none of the files that say them: it asks
 * another process. A look-up waits for its answer, as one of the C library's does.
 */
#ifndef FCGI_ACCOUNTS_REMOTE_H
#define FCGI_ACCOUNTS_REMOTE_H

#include "base/account.h"
#include "base/clock.h"

struct accounts_remote {
	struct accounts accounts;
	int fd;
	uint64_t number; /* of the last question */
	const struct clock *clock;
};

/* fd, one end of a socketpair of packets, and *r, which accounts leads to, are to stay.
 * Look-ups fail as those of base/account.h do, and with ERROR_UNAVAILABLE without an answer
 * within 10 s. */
void accounts_remote_init(struct accounts_remote *r, int fd, const struct clock *clock);

#endif
