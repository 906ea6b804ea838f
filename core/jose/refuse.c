#include "jose/refuse.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

int
refuse(struct error *e, const char *format, ...)
{
	va_list args;

	error_set(e, ERROR_UNAUTHENTICATED, "the token is not valid");
	va_start(args, format);
	(void)vsnprintf(e->detail, sizeof(e->detail), format, args);
	va_end(args);
	/* It may quote the token, which is anybody's. */
	text_plain(e->detail);
	return -1;
}
