/*
 * Root acting as the owner of a directory of keys: what is made there belongs to the service's
 * user, who has to read it, and what lies there cannot lead root astray.
 */
#ifndef BASE_OWNER_H
#define BASE_OWNER_H

#include "base/error.h"

/* Root becomes the owner of the directory at path, if there is one; any other user stays what
 * it is. ERROR_NO_PERMISSION. */
int owner_enter(const char *path, struct error *e);

/* Root again. */
void owner_leave(void);

#endif
