/*
 * The files that a process may still open, once it has said which: Landlock's rules, as far as
 * the kernel knows them. There is no way back. Descriptors that are open stay what they are.
 */
#ifndef FCGI_LANDLOCK_H
#define FCGI_LANDLOCK_H

#include <stddef.h>

#include "base/error.h"

/* What may be done with files in and below a directory, as bits. */
enum {
	MAY_READ = 1 << 0,
	MAY_WRITE = 1 << 1, /* what is there */
	MAY_LIST = 1 << 2,
	MAY_CREATE = 1 << 3, /* regular files, also by link and by rename within a directory */
	MAY_REMOVE = 1 << 4,
};

/* A directory. One that is not there is passed over: it will not be in reach. */
struct place {
	int fd;           /* -1: by its path */
	const char *path; /* NULL, too: no place */
	unsigned int may;
};

/* The version of Landlock's interface, 0 where the kernel has none or somebody forbids it. */
int landlock_version(void);

/*
 * From here on this thread, which must be the only one, and what it starts may do with files
 * what places allow and nothing else, and can gain no privileges by a program. Where the kernel
 * knows how: it also connects and binds no TCP socket, reaches no abstract Unix socket, and
 * signals nobody. 0, or -1 and ERROR_INTERNAL.
 */
int landlock_confine(const struct place *places, size_t count, struct error *e);

#endif
