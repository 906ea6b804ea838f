#include "store/system_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int number;
	enum error_code code;
	const char *advice;
} meanings[] = {
    {ENOSPC, ERROR_UNAVAILABLE, "free space or inodes, or see that the reaper runs"},
    {EDQUOT, ERROR_UNAVAILABLE, "raise the quota, or see that the reaper runs"},
    {EROFS, ERROR_UNAVAILABLE, "mount it read-write"},
    {EMFILE, ERROR_UNAVAILABLE, "raise the limit of open files of the process"},
    {ENFILE, ERROR_UNAVAILABLE, "raise fs.file-max"},
    {EIO, ERROR_UNAVAILABLE, "look for a failing disk in the kernel's log"},
    {ENOENT, ERROR_UNAVAILABLE, "it was removed: create it and start again"},
    {EACCES, ERROR_NO_PERMISSION, "give the process's user access, or run as another one"},
    {EPERM, ERROR_NO_PERMISSION, "give the process's user the right, or run as another one"},
};

int
system_error(struct error *e, int number, const char *what, ...)
{
	enum error_code code = ERROR_UNAVAILABLE;
	const char *advice = "try again";
	char text[LIMIT_ERROR_TEXT];
	va_list args;

	va_start(args, what);
	(void)vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].number == number) {
			code = meanings[i].code;
			advice = meanings[i].advice;
		}
	}
	return error_set(e, code, "%s: %s: %s", text, strerror(number), advice);
}
