/* Whole files that configure us: keys, passphrases, configuration, policy. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

/*
 * Appends the regular file at path, of at most to's bound, and never waits for one that
 * is not. Refused: a file that group or others may write. *mode, if wanted, gets its
 * permission bits. What is checked is the descriptor that is read.
 * ERROR_NO_INPUT, ERROR_CONFIG; *to may then hold a part.
 */
int file_read(const char *path, struct buffer *to, mode_t *mode, struct error *e);

/* The same for a file that must belong to root or to the user of the process. */
int file_read_trusted(const char *path, struct buffer *to, mode_t *mode, struct error *e);

/* Appends what is left to read of the file that is open, of at most to's bound; path stands in
 * errors. The caller has checked what it is. As above. */
int file_read_open(int fd, const char *path, struct buffer *to, struct error *e);

#endif
