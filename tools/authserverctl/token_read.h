/* The token that a command is about. */
#ifndef AUTHSERVERCTL_TOKEN_READ_H
#define AUTHSERVERCTL_TOKEN_READ_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * Appends the token without the end of its line: from stdin where source is NULL or "-", from
 * the file, or source itself where it names no file and begins as tokens do. text, whose bound
 * holds, is never without data on success. ERROR_NO_INPUT, ERROR_DENIED.
 */
int token_read(const char *source, struct buffer *text, struct error *e);

#endif
