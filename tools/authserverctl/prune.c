/* authserverctl prune: deletes the keys that have expired. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/authserverctl/command.h"
#include "tools/authserverctl/keyset.h"
#include "base/owner.h"

struct arguments {
	struct flags flags;
	bool dry_run;
};

static const struct argp_option options[] = {
    {"dry-run", 'n', NULL, 0, "Delete nothing, say what would be deleted", 0},
    {0},
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	(void)value;
	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case 'n':
		a->dry_run = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Deletes what has expired, or only says so; the active key never has. */
static int
delete_expired(const struct keyset *k, int directory, bool dry_run, struct error *e)
{
	const char *path = k->config.private_key;

	for (size_t i = 0; i < keyring_count(k->ring); i++) {
		struct keyring_entry entry = keyring_get(k->ring, i, k->now);

		if (entry.state != KEY_STATE_EXPIRED)
			continue;
		if (!dry_run && unlinkat(directory, entry.file, 0) == -1)
			return error_set(e,
			    errno == EACCES || errno == EPERM ? ERROR_NO_PERMISSION
							      : ERROR_UNAVAILABLE,
			    "%s/%s: cannot be deleted: %s", path, entry.file, strerror(errno));
		printf("%s: %s/%s\n", dry_run ? "Would delete" : "Deleted", path, entry.file);
	}
	return 0;
}

static int
prune(struct keyset *k, const void *arguments, struct error *e)
{
	const struct arguments *a = arguments;
	const char *path = k->config.private_key;
	int directory, rc = -1;

	if (keyset_wants_directory(k, "prune", e) == -1 || owner_enter(path, e) == -1)
		return -1;
	directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory == -1) {
		error_set(e, ERROR_NO_INPUT, "%s: %s", path, strerror(errno));
	} else {
		rc = delete_expired(k, directory, a->dry_run, e);
		close(directory);
	}
	owner_leave();
	return rc;
}

int
command_prune(int argc, char **argv)
{
	static const struct keyset_command command = {.options = options,
	    .parse = parse_flag,
	    .doc = "Delete the keys whose tokens have all ended.",
	    .run = prune};
	struct arguments a = {0};

	return keyset_command(argc, argv, &command, &a);
}
