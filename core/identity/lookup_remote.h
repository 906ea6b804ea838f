/* Look-ups by a resolver in another process, over a socketpair; what it answered is kept for as
 * long as it says. For one thread with an event loop; never blocks. */
#ifndef IDENTITY_LOOKUP_REMOTE_H
#define IDENTITY_LOOKUP_REMOTE_H

#include "base/clock.h"
#include "identity/lookup.h"
#include "identity/password.h"

struct lookup_remote;

/* fd is this process's end of a SOCK_SEQPACKET socketpair and stays the caller's; deadline is
 * in seconds, longer than the resolver's own. 0, or -1 and ERROR_INTERNAL; *out is NULL on
 * failure, else lookup_remote_free() it. */
int lookup_remote_new(struct lookup_remote **out, int fd, int64_t deadline,
    const struct clock *clock, const struct entropy *entropy, struct error *e);
void lookup_remote_free(struct lookup_remote *r);

struct lookup *lookup_remote_lookup(struct lookup_remote *r);

/* Passwords are checked over the same socket. One that was on its way to a resolver that ended
 * is not asked again, since no copy of it was kept: ERROR_UNAVAILABLE. */
struct password_checker *lookup_remote_passwords(struct lookup_remote *r);

/* As courier_receive(), courier_expire(), courier_busy(). */
int lookup_remote_receive(struct lookup_remote *r);
void lookup_remote_expire(struct lookup_remote *r);
bool lookup_remote_busy(const struct lookup_remote *r);

#endif
