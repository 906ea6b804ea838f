/* Files that are nobody's but ours. */
#ifndef TOOLS_AUTHSERVER_TOKEN_PRIVATE_H
#define TOOLS_AUTHSERVER_TOKEN_PRIVATE_H

#include "base/error.h"

/*
 * Opens the file called name in the open folder, or at an absolute path, with the flags of
 * open(2), and makes it 0600 with O_CREAT. It has to be a regular file of the user of the
 * process that nobody else may read or write, and no symbolic link. path stands in errors. The
 * descriptor, or -1: ERROR_NO_INPUT when there is none, ERROR_UNAVAILABLE when it cannot be
 * opened or made, ERROR_CONFIG when it is not such a file.
 */
int private_open(int folder, const char *name, int flags, const char *path, struct error *e);

/* Opens the folder at path, in which nobody else may take files away. As above. */
int private_folder(const char *path, struct error *e);

#endif
