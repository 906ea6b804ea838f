/*
 * The text of a configuration file, made fit for libconfuse, which puts environment
 * variables where "${NAME}" stands, miscounts the lines of comments and takes none in a
 * list, drops a * or + outside quotes and ends quietly in a comment that is not closed. A
 * file must mean the same whoever reads it, and no byte of it may be lost unnoticed.
 */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/*
 * Appends text with its comments, "#" to the end of the line, made blank and each dollar
 * of "${" hidden; lines stay where they are. name stands in errors as the file's name.
 * ERROR_CONFIG with NAME:LINE: a control byte, a quote that is not closed, outside
 * quotes a * or + and what begins with a slash twice.
 */
int source_clean(
    struct buffer *to, const char *text, size_t length, const char *name, struct error *e);

/* Puts the dollars back into a value or message made of such text. */
void source_show(char *text);

#endif
