/*
 * The private directory of one run: the FastCGI socket, nginx's configuration and
 * temporary files, a link to the htpasswd file. Nobody gets in but us and, when we are
 * root, the account that nginx's workers run as; that one may not write to it.
 */
#ifndef AUTHSERVER_RUNDIR_H
#define AUTHSERVER_RUNDIR_H

#include <sys/types.h>

#include "base/error.h"

#define RUNDIR_SOCKET "fcgi.sock"
#define RUNDIR_CONFIG "nginx.conf"
#define RUNDIR_PID "nginx.pid"
#define RUNDIR_USERS "users"

/* The account of nginx's workers. */
struct account {
	char *name; /* NULL: our own, since only root can have another */
	char *group;
	uid_t uid;
	gid_t gid;
};

/* www-data, or nobody where there is none. ERROR_UNAVAILABLE; account_free() after. */
int account_find(struct account *a, struct error *e);
void account_free(struct account *a);

struct rundir {
	int fd;     /* -1 while there is none */
	char *path; /* of [A-Za-z0-9/._-] only, so it needs no quotes in a configuration */
};

/*
 * Makes the directory in the first of $XDG_RUNTIME_DIR, /run, $TMPDIR and /tmp that can
 * be written; as root in /run or /tmp, which the workers can reach. ERROR_UNAVAILABLE,
 * or ERROR_NO_PERMISSION when the workers cannot be let in; nothing is left then.
 */
int rundir_open(struct rundir *r, const struct account *workers, struct error *e);

/* Removes it with all that is in it, and never follows a link; a closed one is left. */
void rundir_remove(struct rundir *r);

/* Makes the listening FastCGI socket, which the workers may connect to. */
int rundir_listen(
    const struct rundir *r, const struct account *workers, int *fd, struct error *e);

/*
 * Links RUNDIR_USERS to the htpasswd file at path, so that no path of the user's
 * stands in nginx's configuration. ERROR_NO_INPUT when the workers cannot read it.
 */
int rundir_link_users(
    const struct rundir *r, const struct account *workers, const char *path, struct error *e);

/* Writes a file that nobody but us may read. */
int rundir_write(const struct rundir *r, const char *name, const void *bytes, size_t length,
    struct error *e);

#endif
