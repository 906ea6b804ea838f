/*
 * The token directory: opened once, held as a descriptor, so that what was checked is
 * what is used and no later rename or link can lead elsewhere. Every component of its
 * path must be safe from other users, as sshd asks of an authorized_keys file.
 */
#ifndef STORE_DIRECTORY_H
#define STORE_DIRECTORY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct directory {
	int fd;     /* -1 while not open */
	char *path; /* as given, without a trailing slash; for answers and log lines */
};

/*
 * Opens the directory at path, an absolute one. Refused with ERROR_CONFIG and the
 * component's name and reason: a symbolic link or a file in the path; a component
 * that belongs to neither root nor us; a parent that group or others may write
 * without the sticky bit; the directory itself writable by others, or by a group
 * that is not ours. A directory that is missing is created with create_mode when that
 * is not 0; its parent must exist. On failure *d is closed.
 */
int directory_open(struct directory *d, const char *path, mode_t create_mode,
    struct error *e);

/* Closes it; a closed one is left alone. */
void directory_close(struct directory *d);

#endif
