/*
 * Publishing: a token file appears under its name complete, with its final mode,
 * group and access, or not at all; a name that exists is never replaced. The umask has
 * no say.
 */
#ifndef STORE_PUBLISH_H
#define STORE_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "store/directory.h"

struct publish_options {
	mode_t mode;     /* permission bits; with to_subject they do not matter */
	gid_t group;     /* group of the file; (gid_t)-1 leaves the process's */
	bool to_subject; /* only the subject's Unix account may read it */
	uid_t account;   /* which that is */
};

/*
 * Writes bytes to a new token file of subject and makes it visible under the name of
 * time, or of the first free nanosecond after. *path_out, of LIMIT_PATH bytes, gets
 * the file's path; it is empty on failure, and nothing is left behind:
 * ERROR_UNAVAILABLE when the file system refuses (full, read-only, no descriptors),
 * ERROR_NO_PERMISSION when we may not write the directory,
 * ERROR_CONFIG when we may not give files to the group or to other accounts,
 * ERROR_MALFORMED when the subject is too long for a file name, or time is before 2001.
 *
 * With to_subject the account is let in by a POSIX ACL; on a file system without ACLs the
 * file is given to the account, with mode 0400, which takes CAP_CHOWN and CAP_FOWNER.
 */
int publish_token(const struct directory *d, const struct publish_options *o,
    const char *subject, int64_t time, const void *bytes, size_t length, char *path_out,
    struct error *e);

/* Whether files can be created with these options, tried with one that never gets a
 * token's name: so that a wrong group is said at the start. Same errors. */
int publish_probe(const struct directory *d, const struct publish_options *o, struct error *e);

#endif
