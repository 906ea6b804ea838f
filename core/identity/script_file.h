/*
 * The file of a script: found by descriptors, from the root down and without a link, so that
 * what was checked is what is run. Nobody but root and our own user may be able to change it
 * or to put another in its place.
 */
#ifndef IDENTITY_SCRIPT_FILE_H
#define IDENTITY_SCRIPT_FILE_H

#include "base/error.h"

/*
 * Puts the absolute path of file, which may be relative to directory, into path. ERROR_CONFIG
 * when that is not in the directory, or longer than paths are.
 */
int script_file_path(
    char path[LIMIT_PATH], const char *directory, const char *file, struct error *e);

/*
 * Opens the script with O_PATH. The directory and what is below it must be writable by their
 * owner alone, who is root or our user; those above it may also be sticky. The descriptor is
 * closed when a program is executed. Returns it, or -1 with ERROR_CONFIG, which says how to
 * mend it, or ERROR_NO_INPUT when it is missing.
 */
int script_file_open(const char *directory, const char *file, struct error *e);

#endif
