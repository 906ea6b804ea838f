#include "base/program.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
program_find(char path[LIMIT_PATH], const char *name, struct error *e)
{
	static const char *const places[] = {"", "../lib/authserver/"};
	char own[LIMIT_PATH];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	struct stat st;

	if (n == -1)
		return error_set(
		    e, ERROR_UNAVAILABLE, "cannot read /proc/self/exe: mount /proc");
	own[n] = '\0';
	*(strrchr(own, '/') + 1) = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int length = snprintf(path, LIMIT_PATH, "%s%s%s", own, places[i], name);

		if (length < LIMIT_PATH && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return 0;
	}
	return error_set(e, ERROR_UNAVAILABLE,
	    "%s is neither in %.256s nor in ../lib/authserver from there: install it", name,
	    own);
}
