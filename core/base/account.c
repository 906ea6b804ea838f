#include "base/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

/* A group of many members needs much room; more than this is not a sane answer. */
enum { SPACE_FIRST = 4096, SPACE_MOST = 4 * 1024 * 1024, SPACE_NAME = 16 * 1024 };

/* One look-up with so much room: 0 and *id; or an errno, ENOENT when there is none. */
typedef int lookup(const char *name, char *space, size_t size, id_t *id);

static int
find_group(const char *name, char *space, size_t size, id_t *id)
{
	struct group entry;
	struct group *found = NULL;
	int failed = getgrnam_r(name, &entry, space, size, &found);

	if (found != NULL)
		*id = found->gr_gid;
	return failed == 0 && found == NULL ? ENOENT : failed;
}

/* 0 and *entry, whose strings are in that room. */
static int
find_entry(const char *name, char *space, size_t size, struct passwd *entry)
{
	struct passwd *found = NULL;
	int failed = getpwnam_r(name, entry, space, size, &found);

	return failed == 0 && found == NULL ? ENOENT : failed;
}

static int
find_user(const char *name, char *space, size_t size, id_t *id)
{
	struct passwd entry;
	int failed = find_entry(name, space, size, &entry);

	if (failed == 0)
		*id = entry.pw_uid;
	return failed;
}

/* *id becomes whether its name is the one that was asked for. */
static int
find_name(const char *name, char *space, size_t size, id_t *id)
{
	struct passwd entry;
	int failed = find_entry(name, space, size, &entry);

	if (failed == 0)
		*id = strcmp(entry.pw_name, name) == 0;
	return failed;
}

static int
find(lookup *look, const char *kind, const char *name, id_t *id, struct error *e)
{
	int failed = ERANGE;

	for (size_t size = SPACE_FIRST; failed == ERANGE && size <= SPACE_MOST; size *= 4) {
		char *space = malloc(size);

		do
			failed = space == NULL ? ENOMEM : look(name, space, size, id);
		while (failed == EINTR);
		free(space);
	}
	if (failed == 0)
		return 0;
	/* What these two mean is that there is no such name, whatever the source. */
	if (failed != ENOENT && failed != ESRCH)
		return error_set(e, ERROR_UNAVAILABLE, "%s '%.64s' cannot be looked up: %s",
		    kind, name, strerror(failed));
	return error_set(e, ERROR_CONFIG, "%s '%.64s' does not exist", kind, name);
}

int
account_group(const char *name, gid_t *gid, struct error *e)
{
	uint64_t number;

	if (find(find_group, "group", name, gid, e) == 0)
		return 0;
	if (e->code != ERROR_CONFIG ||
	    parse_number(name, strlen(name), UINT32_MAX - 1, &number) == -1)
		return -1;
	*gid = (gid_t)number;
	return 0;
}

int
account_user(const char *name, uid_t *uid, struct error *e)
{
	return find(find_user, "user", name, uid, e);
}

int
account_check_name(const char *name, struct error *e)
{
	id_t same;

	if (find(find_name, "user", name, &same, e) == -1)
		return e->code == ERROR_CONFIG ? 0 : -1;
	return same
		   ? 0
		   : error_set(e, ERROR_DENIED, "the account '%.64s' is spelt otherwise", name);
}

int
account_name(uid_t uid, char *name, size_t size, struct error *e)
{
	char space[SPACE_NAME];
	struct passwd entry;
	struct passwd *found = NULL;
	int failed = getpwuid_r(uid, &entry, space, sizeof(space), &found);

	if (failed != 0)
		return error_set(e, ERROR_UNAVAILABLE, "uid %u cannot be looked up: %s",
		    (unsigned int)uid, strerror(failed));
	if (found == NULL || strlen(found->pw_name) >= size)
		return error_set(
		    e, ERROR_DENIED, "uid %u has no account here", (unsigned int)uid);
	memcpy(name, found->pw_name, strlen(found->pw_name) + 1);
	return 0;
}

int
account_look_up(const struct account_question *q, struct account_entry *found, struct error *e)
{
	*found = (struct account_entry){.uid = q->uid};
	if (q->name == NULL)
		return account_name(q->uid, found->name, sizeof(found->name), e);
	if (strlen(q->name) >= sizeof(found->name))
		return error_set(e, ERROR_CONFIG, "user '%.64s...' does not exist", q->name);
	memcpy(found->name, q->name, strlen(q->name) + 1);
	return account_user(q->name, &found->uid, e);
}

static int
submit_here(const struct accounts *self, const struct account_question *q, account_done *done,
    void *context, struct error *e)
{
	struct account_entry found;
	struct error failure = {0};
	int rc = account_look_up(q, &found, &failure);

	(void)self;
	(void)e;
	done(context, rc == 0 ? &found : NULL, &failure);
	return 0;
}

const struct accounts accounts_here = {.submit = submit_here};

bool
account_in_group(gid_t group)
{
	bool ours = group == getegid();
	int n = getgroups(0, NULL);
	gid_t *groups = NULL;

	if (!ours && n > 0)
		groups = calloc((size_t)n, sizeof(*groups));
	if (groups != NULL) {
		n = getgroups(n, groups);
		for (int i = 0; i < n && !ours; i++)
			ours = groups[i] == group;
	}
	free(groups);
	return ours;
}
