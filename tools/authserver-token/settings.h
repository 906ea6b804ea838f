/*
 * What authserver-token is told, as text: on its command line, by variables of the
 * environment, in a file; what stands first here outranks what stands behind it.
 */
#ifndef TOOLS_AUTHSERVER_TOKEN_SETTINGS_H
#define TOOLS_AUTHSERVER_TOKEN_SETTINGS_H

#include "base/error.h"

enum setting {
	SET_URL,
	SET_SOCKET,
	SET_USER,
	SET_PASSWORD_FILE,
	SET_NETRC_FILE,
	SET_NEGOTIATE,
	SET_AUDIENCE,
	SET_PROFILE,
	SET_TTL,
	SET_CACHE,
	SET_NO_CACHE,
	/* What stands above says where from, for whom, or which. */
	SET_MIN_LIFE,
	SET_TIMEOUT,
	SET_CA_FILE,
	SET_DIRECT,
	SET_INSECURE,
	SETTINGS
};

enum rank { RANK_NONE, RANK_FILE, RANK_ENVIRONMENT, RANK_COMMAND };

struct settings {
	char *value[SETTINGS]; /* NULL: not told, or a switch that is off */
	enum rank rank[SETTINGS];
};

/* The name of a setting, as its option and its key in a file have it: "password-file". */
const char *settings_name(enum setting which);

/*
 * Takes a copy of value, unless something of a higher rank was told of the same matter (URL
 * and socket are one, and so are the kinds of credentials). ERROR_CONFIG, where said first:
 * a value that is none, and two of a rank that do not go together.
 */
int settings_put(struct settings *s, enum setting which, const char *value, enum rank rank,
    const char *where, struct error *e);

/* AUTHSERVER_URL, AUTHSERVER_PASSWORD_FILE and so on; an empty one is as none. */
int settings_take_environment(
    struct settings *s, char *(*get)(const char *name), struct error *e);

/* The keys of the file at path, as those of authserver.conf(5) are written. */
int settings_take_file(struct settings *s, const char *path, struct error *e);

/* The highest rank at which something says where from, for whom, or which. */
enum rank settings_rank(const struct settings *s);

void settings_free(struct settings *s);

#endif
