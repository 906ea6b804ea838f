/* Which processes may connect, and who they are: by what the kernel says of the other end. */
#ifndef FCGI_PEERS_H
#define FCGI_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"

/* For one thread. */
struct peers {
	size_t count;
	uid_t uids[LIMIT_LIST + 2]; /* who may speak for a web server */
	uid_t overflow;             /* of processes that have no uid in our user namespace */
	const struct log *log;
	const struct clock *clock;
	int64_t complained;  /* when somebody was turned away last and it was said; 0: never */
	unsigned int unsaid; /* how many were since */
};

/* Root, our own user, and the accounts (or numbers) in names. One that does not exist
 * is passed over: the default names the web server's account of another system. Accounts are
 * looked up by this process. */
void peers_init(struct peers *p, const struct strings *names, const struct log *log,
    const struct clock *clock);

/* The uid of the process at the other end, (uid_t)-1 when there is none to know. */
uid_t peers_uid(int fd);

/* Whether the process at the other end may speak for a web server; every one may through a
 * TCP socket, which knows no users. Logs who may not. */
bool peers_admit_web(struct peers *p, int fd);

/*
 * Whether a process of the account with this uid may have one more connection to the local
 * socket beside its own ones and all there are; if not, it is logged. Nobody is to keep the web
 * server, or another account, from being served.
 */
bool peers_admit_local(struct peers *p, uid_t uid, size_t own, size_t all);

/* Logs why another one may not. */
void peers_refuse_local(struct peers *p, uid_t uid, const char *why);

#endif
