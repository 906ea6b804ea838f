#define _GNU_SOURCE /* asprintf, strndup, AT_EACCESS */
#include "tools/authserver/parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

/* DIRECTORY/NAME in *path when it is a program that we may run, NULL when it is not. */
static int
try_directory(const char *directory, size_t length, const char *name, char **path)
{
	struct stat st;

	if (asprintf(path, "%.*s/%s", (int)length, directory, name) == -1) {
		*path = NULL;
		return -1;
	}
	if (stat(*path, &st) == 0 && S_ISREG(st.st_mode) &&
	    faccessat(AT_FDCWD, *path, X_OK, AT_EACCESS) == 0)
		return 0;
	free(*path);
	*path = NULL;
	return 0;
}

/* The first of a colon-separated list of directories that has the program. */
static int
look_up(const char *list, const char *name, char **path)
{
	*path = NULL;
	while (list != NULL && *list != '\0' && *path == NULL) {
		size_t length = strcspn(list, ":");

		/* An empty item means the working directory to a shell; it is nothing here. */
		if (*list == '/' && try_directory(list, length, name, path) == -1)
			return -1;
		list += length;
		list += *list == ':';
	}
	return 0;
}

/* The directory of our executable and the one of the parts that nobody calls by name. */
static int
own_directories(char **list)
{
	char path[LIMIT_PATH];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	*list = NULL;
	if (n <= 0)
		return -1;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return -1;
	*slash = '\0';
	if (asprintf(list, "%s:%s/../lib/authserver", path, path) == -1) {
		*list = NULL;
		return -1;
	}
	return 0;
}

static int
find_ours(const char *list, const char *name, char **path, struct error *e)
{
	if (look_up(list, name, path) == -1)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	if (*path == NULL)
		return error_set(e, ERROR_UNAVAILABLE,
		    "%s is missing in %.*s: build it there with make, or make install all "
		    "parts",
		    name, (int)strcspn(list, ":"), list);
	return 0;
}

int
parts_find(struct parts *p, struct error *e)
{
	char *list = NULL;
	int rc = -1;

	*p = (struct parts){0};
	if (own_directories(&list) == -1) {
		error_set(e, ERROR_UNAVAILABLE, "cannot read /proc/self/exe: mount /proc");
		goto out;
	}
	if (find_ours(list, "authserver.fcgi", &p->fcgi, e) == -1 ||
	    find_ours(list, "authserver-reap", &p->reap, e) == -1)
		goto out;
	if (look_up(getenv("PATH"), "nginx", &p->nginx) == -1 ||
	    (p->nginx == NULL &&
		look_up("/usr/sbin:/usr/local/sbin", "nginx", &p->nginx) == -1)) {
		error_set(e, ERROR_UNAVAILABLE, "out of memory");
		goto out;
	}
	if (p->nginx == NULL) {
		error_set(e, ERROR_UNAVAILABLE,
		    "nginx is neither in PATH nor in /usr/sbin: apt install nginx-light");
		goto out;
	}
	rc = 0;
out:
	free(list);
	return rc;
}

void
parts_free(struct parts *p)
{
	free(p->nginx);
	free(p->fcgi);
	free(p->reap);
	*p = (struct parts){0};
}
