#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/states.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct refresh_limits states_limits = {.lifetime = STATES_LIFETIME, .idle = STATES_IDLE};

const struct refresh_family states_family = {.caller = "foo",
    .scheme = "Basic",
    .subject = "jane \"d\\oe\" \xc3\xa9",
    .profile = "aws",
    .audience = "sts.amazonaws.com",
    .lifetime = 900,
    .client = "frontend"};

int
states_enter(void **state)
{
	struct states_fixture *f = calloc(1, sizeof(*f));
	struct error e;
	void *store;

	/* In memory, where it takes no time to see a file on the disk. */
	if (faccessat(AT_FDCWD, "/dev/shm", W_OK | X_OK, AT_EACCESS) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
	stores_enter(&store);
	f->store = store;
	(void)snprintf(f->path, sizeof(f->path), "%s/state", f->store->folder);
	stores_check(state_open(&f->state, f->path, &e), &e);
	*state = f;
	return 0;
}

int
states_leave(void **state)
{
	struct states_fixture *f = *state;
	void *store = f->store;

	state_close(f->state);
	free(f);
	return stores_leave(&store);
}

void
states_begin(const struct states_fixture *f, char token[REFRESH_TOKEN])
{
	struct error e;

	stores_check(refresh_begin(f->state, &states_family, &states_limits, STATES_NOW,
			 &entropy_system, token, &e),
	    &e);
}

enum states_verdict
states_use(const struct state *s, const char *token, int64_t now, char next[REFRESH_TOKEN],
    struct error *e)
{
	struct refresh_lease *lease;

	if (refresh_take(&lease, s, token, NULL, now, e) == -1)
		return e->code == ERROR_GRANT ? STATES_REFUSED : STATES_FAILED;
	if (refresh_rotate(lease, now, &entropy_system, next, e) == -1) {
		refresh_release(lease);
		return STATES_FAILED;
	}
	refresh_confirm(lease);
	refresh_release(lease);
	return STATES_TAKEN;
}

bool
states_is_good(const struct state *s, const char *token)
{
	struct refresh_lease *lease;
	struct error e;
	bool good = refresh_take(&lease, s, token, NULL, STATES_NOW, &e) == 0;

	if (good)
		refresh_release(lease);
	return good;
}

size_t
states_count(const struct states_fixture *f, const char *name)
{
	char path[1024];
	DIR *entries;
	size_t n = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", f->path, name);
	entries = opendir(path);
	assert_non_null(entries);
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(entries);
	return n;
}

void
states_file(const struct states_fixture *f, const char *token, char path[LIMIT_PATH])
{
	(void)snprintf(
	    path, LIMIT_PATH, "%s/refresh/family.%.*s", f->path, (int)REFRESH_NAME, token);
}
