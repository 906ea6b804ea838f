/* Whole files that appear under their names complete, or not at all. */
#ifndef BASE_FILE_WRITE_H
#define BASE_FILE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct file_form {
	mode_t mode;  /* permission bits, whatever the umask */
	gid_t group;  /* (gid_t)-1: that of the process */
	bool replace; /* a file of that name; else that is an error */
};

/*
 * Writes bytes to a new file under a temporary name that begins with a dot, in the directory
 * of path, and then gives it its name; it is on the disk before it has it. On failure
 * nothing is left behind. ERROR_DENIED when the name is taken, ERROR_NO_PERMISSION,
 * ERROR_UNAVAILABLE.
 */
int file_write(const char *path, const void *bytes, size_t length, const struct file_form *form,
    struct error *e);

#endif
