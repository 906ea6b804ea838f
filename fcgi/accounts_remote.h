/*
 * Accounts of this host, for a worker, which may open none of the files that say them: it asks
 * another process, and goes on meanwhile.
 */
#ifndef FCGI_ACCOUNTS_REMOTE_H
#define FCGI_ACCOUNTS_REMOTE_H

#include "base/account.h"
#include "base/clock.h"

struct accounts_remote;

/*
 * fd, one end of a socketpair of packets, stays the caller's. What is not answered within 10 s
 * fails with ERROR_UNAVAILABLE. *out is NULL on failure, else accounts_remote_free() it.
 */
int accounts_remote_new(struct accounts_remote **out, int fd, const struct clock *clock,
    const struct entropy *entropy, struct error *e);
void accounts_remote_free(struct accounts_remote *r);

const struct accounts *accounts_remote_accounts(const struct accounts_remote *r);

/* As courier_receive() and courier_expire(). */
int accounts_remote_receive(struct accounts_remote *r);
void accounts_remote_expire(struct accounts_remote *r);

#endif
