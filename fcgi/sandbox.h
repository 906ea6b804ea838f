/*
 * What keeps an intruder in a worker or in the signer from going further: a filter of system
 * calls for both (seccomp), and for both as few files as they need (Landlock): for the signer
 * none. Each is there where the kernel has it and the configuration does not turn it off, and
 * what is in force is said, in the log and by /-/ready.
 */
#ifndef FCGI_SANDBOX_H
#define FCGI_SANDBOX_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "service/service.h"

/* A sanitizer makes calls of its own, and looks for files when it has something to say: in such
 * a build there is no sandbox. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SANDBOX_SANITIZER true
#endif
#endif
#ifndef SANDBOX_SANITIZER
#define SANDBOX_SANITIZER false
#endif

enum { SANDBOX_TEXT = 256 };

struct sandbox {
	bool seccomp;
	bool landlock;
	unsigned int signer;        /* what it does: bits of fcgi/syscalls.h */
	unsigned int worker;        /* the same */
	const char *audit;          /* the audit log's path; NULL: no file */
	bool accounts;              /* workers have accounts looked up for them */
	bool resolver_unprivileged; /* it runs nothing that needs more rights than it has */
	char text[SANDBOX_TEXT]; /* what is in force, and why the rest is not; without quotes */
};

/*
 * What there is to be, by the configuration, to which *s leads afterwards, and by what the
 * kernel has. accounts: workers have accounts looked up for connections, too. 0, or -1 and
 * ERROR_CONFIG when something is required that cannot be had.
 */
int sandbox_plan(struct sandbox *s, const struct config *c, bool accounts, struct error *e);

/*
 * For the signer, in two steps. The first is for its one thread, before it starts others, and
 * takes files away; the second is for all of them. 0, or -1 and ERROR_INTERNAL.
 */
int sandbox_leave_files(const struct sandbox *s, struct error *e);
int sandbox_enter_signer(const struct sandbox *s, struct error *e);

/* The same two steps for the process that looks up accounts for workers: of the files those of
 * this host's accounts stay, to be read. */
int sandbox_leave_for_accounts(const struct sandbox *s, struct error *e);
int sandbox_enter_accounts(const struct sandbox *s, struct error *e);

/* For a worker, which has opened all that it needs but files of its service. As before. */
int sandbox_enter_worker(
    const struct sandbox *s, const struct service *service, struct error *e);

#endif
