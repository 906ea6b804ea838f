#include "tools/authserver/complain.h"

#include <stdarg.h>
#include <stdio.h>

int
complain(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("authserver: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	return status;
}

int
complain_error(const struct error *e)
{
	return complain(error_exit_status(e), "%s", e->text);
}
