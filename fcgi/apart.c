#define _GNU_SOURCE /* strdup */
#include "fcgi/apart.h"

#include <stdlib.h>
#include <string.h>

#include "identity/script_file.h"

/* Below which a worker may write: its key in the configuration, and the real path, to be freed.
 */
struct writable {
	const char *name;
	char *path;
};

enum { WRITABLE = 3 };

/* NULL where there is none, or none yet. */
static char *
real_path(const char *path)
{
	return path != NULL ? realpath(path, NULL) : NULL;
}

static char *
real_folder(const char *file)
{
	char *folder = file != NULL && *file == '/' ? strdup(file) : NULL;
	char *real;

	if (folder == NULL)
		return NULL;
	strrchr(folder, '/')[folder == strrchr(folder, '/') ? 1 : 0] = '\0';
	real = realpath(folder, NULL);
	free(folder);
	return real;
}

static bool
lies_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	if (length == 1) /* the root */
		return true;
	return strncmp(path, folder, length) == 0 &&
	       (path[length] == '/' || path[length] == '\0');
}

/* The one below which real lies, or NULL. */
static const struct writable *
found_in(const struct writable *w, const char *real)
{
	for (int i = 0; i < WRITABLE && real != NULL; i++)
		if (w[i].path != NULL && lies_below(real, w[i].path))
			return &w[i];
	return NULL;
}

/* Where path leads to, and each folder that is gone through: a link there could be replaced. */
static int
check(const struct writable *w, const char *path, struct error *e)
{
	const struct writable *in = NULL;
	char *part, *real;
	size_t length;

	if (path == NULL)
		return 0;
	if (strncmp(path, "file:", 5) == 0) /* a key may be given as a URI */
		path += strncmp(path, "file://localhost/", 17) == 0 ? 16 : 5;
	part = strdup(path);
	if (part == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	length = strlen(part);
	while (length > 0 && in == NULL) {
		part[length] = '\0';
		real = realpath(part, NULL);
		in = found_in(w, real);
		free(real);
		while (length > 0 && part[--length] != '/')
			continue;
	}
	free(part);
	if (in == NULL)
		return 0;
	return error_set(e, ERROR_CONFIG,
	    "%s: workers may write all below %s, and %s lies there: put one of them into a "
	    "directory of its own",
	    in->name, in->path, path);
}

static int
check_all(const struct writable *w, const struct config *c, const char *file, struct error *e)
{
	const struct groups_config *g = &c->groups;
	const struct ldap_config *people = &c->password.ldap;
	const char *const paths[] = {file, c->private_key, c->passphrase_file, c->policy,
	    c->attributes, g->static_file, g->ldap.password_file, g->ldap.ca_file,
	    people->password_file, people->ca_file, g->rest.token_file, g->rest.certificate,
	    g->rest.key, g->rest.ca_file, g->script.directory};
	char script[LIMIT_PATH];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (check(w, paths[i], e) == -1)
			return -1;
	for (size_t i = 0; i < g->script.files.count; i++)
		if (script_file_path(
			script, g->script.directory, g->script.files.items[i], e) == -1 ||
		    check(w, script, e) == -1)
			return -1;
	for (size_t i = 0; i < c->keeps.count; i++)
		if (c->keeps.items[i].command.count > 0 &&
		    check(w, c->keeps.items[i].command.items[0], e) == -1)
			return -1;
	for (size_t i = 0; i < c->jwt_public_key.count; i++)
		if (check(w, c->jwt_public_key.items[i], e) == -1)
			return -1;
	for (size_t i = 0; i < c->verify.count; i++)
		if (check(w, c->verify.items[i].public_key, e) == -1 ||
		    check(w, c->verify.items[i].keys, e) == -1 ||
		    check(w, c->verify.items[i].ca_file, e) == -1)
			return -1;
	return 0;
}

int
apart_check(const struct config *c, const char *file, struct error *e)
{
	const struct writable w[WRITABLE] = {
	    {"audit", real_folder(c->audit)},
	    {"state", real_path(c->state)},
	    {"directory", real_path(c->directory)},
	};
	int rc = check_all(w, c, file, e);

	for (int i = 0; i < WRITABLE; i++)
		free(w[i].path);
	return rc;
}
