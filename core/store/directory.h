/*
 * The token directory, and those of the state: opened once, held as a descriptor, so that what
 * was checked is what is used and no later rename or link can lead elsewhere. Every component
 * of its path must be safe from other users, as sshd asks of an authorized_keys file.
 */
#ifndef STORE_DIRECTORY_H
#define STORE_DIRECTORY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct directory {
	int fd;      /* -1 while not open */
	uid_t owner; /* root or us */
	char *path;  /* as given, less surplus slashes; for answers and log lines */
};

/*
 * Opens the directory at path, an absolute one without "..". Refused with ERROR_CONFIG
 * and the component's name and reason: a symbolic link or a file in the path; a
 * component that belongs to neither root nor us; a parent that group or others may write
 * without the sticky bit; the directory itself writable by others, or by a group
 * that is not ours. A directory that is missing is created with create_mode, whatever
 * the umask, when that is not 0; its parent must exist. It is given to create_group
 * unless that is (gid_t)-1: those who may read its files must be able to enter it.
 * ERROR_UNAVAILABLE and ERROR_NO_PERMISSION when the system refuses. On failure *d is
 * closed and nothing was created.
 */
int directory_open(struct directory *d, const char *path, mode_t create_mode,
    gid_t create_group, struct error *e);

/* What directory_try() found. */
struct directory_trial {
	bool missing; /* it would be created */
	bool acls;    /* the file system has POSIX ACLs */
};

/*
 * Whether directory_open(), told to create the directory, would succeed, and files could then
 * be made in it; nothing is created or changed. Errors as there.
 */
int directory_try(const char *path, struct directory_trial *t, struct error *e);

/* Closes it; a closed one is left alone. */
void directory_close(struct directory *d);

/* Whether path still leads to what is open. 0, or -1 and ERROR_UNAVAILABLE when the
 * directory was removed, renamed, replaced or mounted over. */
int directory_check(const struct directory *d, struct error *e);

/* Called with the name of each entry, "." and ".." and directories aside. 0 goes on, -1
 * ends the listing. */
typedef int directory_visit(void *context, const char *name);

/*
 * One pass over the entries in no order. Removing entries on the way is fine; whether one
 * that is added on the way is visited is open. 0, or -1: then either visit ended it, which
 * has set *e, or *e is ERROR_UNAVAILABLE.
 */
int directory_list(
    const struct directory *d, directory_visit *visit, void *context, struct error *e);

#endif
