/* For LD_PRELOAD: accounts whose names are found however they are spelt, as of a domain where
 * case does not count. Those that there are have small letters. */
#define _GNU_SOURCE /* RTLD_NEXT, getspnam_r */
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <pwd.h>
#include <shadow.h>
#include <stddef.h>

enum { NAME = 64 };

static int
fold(char small[NAME], const char *name)
{
	size_t n = 0;

	for (; name[n] != '\0' && n < NAME - 1; n++)
		small[n] = (char)tolower((unsigned char)name[n]);
	small[n] = '\0';
	return name[n] == '\0' ? 0 : -1;
}

int
getpwnam_r(
    const char *name, struct passwd *entry, char *space, size_t size, struct passwd **found)
{
	__typeof__(&getpwnam_r) real;
	char small[NAME];

	*(void **)&real = dlsym(RTLD_NEXT, "getpwnam_r");
	*found = NULL;
	return fold(small, name) == -1 ? ENOENT : real(small, entry, space, size, found);
}

int
getspnam_r(const char *name, struct spwd *entry, char *space, size_t size, struct spwd **found)
{
	__typeof__(&getspnam_r) real;
	char small[NAME];

	*(void **)&real = dlsym(RTLD_NEXT, "getspnam_r");
	*found = NULL;
	return fold(small, name) == -1 ? ENOENT : real(small, entry, space, size, found);
}
