/*
 * What a file system's errno means for whoever runs the service: a code, the system's
 * words, and what to do about it. One table for the whole of store.
 */
#ifndef STORE_SYSTEM_ERROR_H
#define STORE_SYSTEM_ERROR_H

#include "base/error.h"

/*
 * Sets *e to "WHAT: the text of number: what to do" and returns -1. ERROR_NO_PERMISSION
 * for EACCES and EPERM, else ERROR_UNAVAILABLE: the next try may succeed.
 */
int system_error(struct error *e, int number, const char *what, ...)
    __attribute__((format(printf, 3, 4)));

#endif
