/*
 * The signer in another process: queries go out over a socketpair, answers come back
 * in any order. For one thread with an event loop; never blocks.
 */
#ifndef SIGNER_SIGNER_REMOTE_H
#define SIGNER_SIGNER_REMOTE_H

#include <stdbool.h>

#include "base/clock.h"
#include "signer/signer.h"

struct signer_remote;

/* fd is the worker's end of a SOCK_SEQPACKET socketpair and stays the caller's; threads is how
 * many queries the signer answers at once. With more under way than it answers at once, or in a
 * fifth of a second, or 8, one more is refused. 0, or -1 and ERROR_INTERNAL; *out is NULL on
 * failure, else signer_remote_free() it. */
int signer_remote_new(struct signer_remote **out, int fd, size_t threads,
    const struct clock *clock, const struct entropy *entropy, struct error *e);
void signer_remote_free(struct signer_remote *r);

struct signer *signer_remote_signer(struct signer_remote *r);

/* To be called when fd is readable: takes every answer that is there and calls back.
 * 0, or -1 when the socket has ended: every query has failed then, and will. */
int signer_remote_receive(struct signer_remote *r);

/* To be called about once a second: what the signer has not answered for longer than
 * its deadline ends with ERROR_UNAVAILABLE. */
void signer_remote_expire(struct signer_remote *r);

/* Whether queries are waiting for an answer. */
bool signer_remote_busy(const struct signer_remote *r);

#endif
