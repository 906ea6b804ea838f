#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* What an analyser is told of them. */
#undef error_set
#undef error_prefix
#undef error_detail

int
error_set(struct error *e, enum error_code code, const char *format, ...)
{
	int saved = errno;
	va_list args;

	e->code = code;
	*e->detail = '\0';
	va_start(args, format);
	(void)vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	errno = saved;
	return -1;
}

int
error_prefix(struct error *e, const char *format, ...)
{
	char text[sizeof(e->text)];
	va_list args;
	int n;

	memcpy(text, e->text, sizeof(text));
	va_start(args, format);
	n = vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(e->text))
		(void)snprintf(e->text + n, sizeof(e->text) - (size_t)n, ": %s", text);
	return -1;
}

int
error_detail(struct error *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(e->detail, sizeof(e->detail), format, args);
	va_end(args);
	return -1;
}

int
error_exit_status(const struct error *e)
{
	switch (e->code) {
	case ERROR_NONE:
		return EX_OK;
	case ERROR_INTERNAL:
		return EX_SOFTWARE;
	case ERROR_UNAVAILABLE:
		return EX_UNAVAILABLE;
	case ERROR_CONFIG:
		return EX_CONFIG;
	case ERROR_NO_INPUT:
		return EX_NOINPUT;
	case ERROR_NO_PERMISSION:
		return EX_NOPERM;
	default:
		return 1;
	}
}
