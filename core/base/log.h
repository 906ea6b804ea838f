/*
 * Log lines: "2022/11/11 15:46:33 Generated token: PATH", local time, one write(2) a
 * line so that processes that share a descriptor do not mix theirs. Bytes that are
 * not printable ASCII become \xNN: a name cannot forge a line.
 * What may never be logged: keys, tokens, passwords, the Authorization header.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clock.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO };

struct log {
	int fd; /* where lines go; -1 is syslog(3), which the program opened */
	const struct clock *clock;
};

void log_line(const struct log *l, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
