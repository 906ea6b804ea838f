/*
 * The system calls that a process may still make, once it has said what it is for: a table, and
 * the filter that libseccomp and the kernel make of it. There is no way back.
 */
#ifndef FCGI_SYSCALLS_H
#define FCGI_SYSCALLS_H

#include <stdbool.h>

#include "base/error.h"

/* What a process does, as bits. */
enum {
	FOR_SIGNER = 1 << 0, /* signs with keys that it has: opens nothing, reaches nobody */
	FOR_WORKER = 1 << 1, /* serves connections, makes files */
	FOR_SYSLOG = 1 << 2, /* beside it: logs by syslog(3) */
	FOR_ACCOUNTS =
	    1 << 3,          /* looks up the host's accounts, which are anywhere; for workers */
	FOR_ACLS = 1 << 4,   /* beside FOR_WORKER: gives files to their subject */
	FOR_MODULE = 1 << 5, /* signs by somebody else's code: a module of PKCS #11 */
};

/* Whether the kernel has such filters, and lets us have one. */
bool syscalls_available(void);

/*
 * From here on this thread and all others of the process may make no call but those for what it
 * is for, nor gain privileges by a program. Calls that only an intruder makes (those that start
 * a program or look into another process, and those of another architecture) end the process by
 * SIGSYS; every other one fails with ENOSYS. 0, or -1 and ERROR_INTERNAL, and nothing changed.
 */
int syscalls_confine(unsigned int uses, struct error *e);

#endif
