/* The one line on stderr with which a start fails. */
#ifndef AUTHSERVER_COMPLAIN_H
#define AUTHSERVER_COMPLAIN_H

#include "base/error.h"

/* Prints "authserver: TEXT" and returns status, so that a caller ends in one statement. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for an error of core; the status is error_exit_status()'s. */
int complain_error(const struct error *e);

#endif
