/*
 * Look-ups by a resolver process of one's own, for programs that ask little and then end. It
 * is started when it is first asked.
 */
#ifndef IDENTITY_LOOKUP_PROCESS_H
#define IDENTITY_LOOKUP_PROCESS_H

#include "base/clock.h"
#include "config/flags.h"
#include "identity/lookup.h"
#include "identity/password.h"

struct lookup_process {
	struct lookup lookup; /* first, so that the one leads to the other */
	struct password_checker passwords;
	const struct flags *flags;
	int64_t deadline;
	int fd; /* -1: not started */
	struct lookup_remote *remote;
};

/* flags are those that the resolver gets, and c is what they lead to. Asking waits for the
 * answer. */
void lookup_process_init(
    struct lookup_process *p, const struct flags *flags, const struct config *c);

/* Ends the resolver, which sees that nobody is there any more. */
void lookup_process_end(struct lookup_process *p);

/* Whether a resolver with these flags would start. 0, or -1 and what it complains of. */
int lookup_process_check(const struct flags *flags, struct error *e);

/* The program that resolves. */
#define LOOKUP_PROGRAM "authserver-resolver"

/* The environment of a resolver: fixed, so that nothing of a request is in it. */
extern char *const lookup_process_environment[];

#endif
