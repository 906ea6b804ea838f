#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"

static size_t
put_time(char *to, size_t size, const struct clock *clock)
{
	time_t now = (time_t)(clock_realtime(clock) / NANOSECONDS);
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL)
		return 0;
	return strftime(to, size, "%Y/%m/%d %H:%M:%S ", &tm);
}

/* Escapes text into to and returns the length; ends in "..." when it does not fit. */
static size_t
put_escaped(char *to, size_t size, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (n + 4 + 3 > size) {
			memcpy(to + n, "...", 3);
			return n + 3;
		}
		if (c >= ' ' && c <= '~') {
			to[n++] = (char)c;
			continue;
		}
		to[n++] = '\\';
		to[n++] = 'x';
		to[n++] = hex[c >> 4];
		to[n++] = hex[c & 15];
	}
	return n;
}

void
log_line(const struct log *l, enum log_level level, const char *format, ...)
{
	static const int priority[] = {LOG_ERR, LOG_WARNING, LOG_INFO};
	char text[LIMIT_LOG_LINE];
	char line[LIMIT_LOG_LINE];
	size_t n = 0;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (l->fd != -1)
		n = put_time(line, sizeof(line), l->clock);
	n += put_escaped(line + n, sizeof(line) - n - 1, text);
	if (l->fd == -1) {
		syslog(priority[level], "%.*s", (int)n, line);
		return;
	}
	line[n++] = '\n';
	if (write(l->fd, line, n) == -1)
		return; /* nowhere left to say it */
}
