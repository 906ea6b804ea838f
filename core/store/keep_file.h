/*
 * A file at a fixed path that always holds a whole token: it is replaced by rename(2) in its
 * directory, and what takes its place has its final mode, owner and group before. Nobody who
 * opens it finds it missing or in part.
 *
 * What is written lies under the name ".tmp-NAME" until then, locked with flock(2): one that is
 * not locked was left by a process that is gone, and whoever comes next takes it away.
 */
#ifndef STORE_KEEP_FILE_H
#define STORE_KEEP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/directory.h"

/* Whose the file is. */
struct keep_form {
	mode_t mode; /* permission bits, whatever the umask */
	uid_t owner; /* (uid_t)-1: the process's */
	gid_t group; /* (gid_t)-1: that of the process */
};

/* Whether what stat(2) says is a regular file of this form. */
bool keep_file_has_form(const struct stat *st, const struct keep_form *form);

/*
 * Puts bytes under name, in place of whatever file is there; *st gets what stat(2) says of it.
 * On failure what is there stays, and nothing is left behind: ERROR_UNAVAILABLE when the file
 * system refuses, or when another keeper writes this very file; ERROR_NO_PERMISSION;
 * ERROR_CONFIG when we may not give the file away, when the name is too long, or when something
 * that is not ours stands where we write.
 */
int keep_file_replace(const struct directory *d, const char *name, const struct keep_form *form,
    const void *bytes, size_t length, struct stat *st, struct error *e);

/*
 * Appends the file to text. 1; 0 when there is none, or something that is no regular file or
 * longer than text may be: it is to be replaced then. -1 and *e as above when it cannot be
 * read.
 */
int keep_file_read(const struct directory *d, const char *name, struct buffer *text,
    struct stat *st, struct error *e);

/* Removes what a killed process left behind of the file, if it did. 0, or -1 and *e as for
 * keep_file_replace(). */
int keep_file_clear(const struct directory *d, const char *name, struct error *e);

/* Removes the file. 1; 0 when there is none. -1 and *e when the system refuses. */
int keep_file_remove(const struct directory *d, const char *name, struct error *e);

#endif
