/* The host's own accounts, and so what nsswitch.conf(5) adds: sssd, LDAP. Case-sensitive. */
#define _GNU_SOURCE /* getgrouplist */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "identity/source.h"

enum { GROUPS_MAX = 4096, ENTRY_FIRST = 16 * 1024 };

/* Room for an account's or a group's entry, which has all its members. */
struct space {
	char *bytes;
	size_t size;
};

/* Twice as much; false when that is too much, or memory is short. */
static bool
grow(struct space *s)
{
	size_t size = s->size == 0 ? ENTRY_FIRST : 2 * s->size;
	char *bytes = size > LIMIT_ACCOUNT ? NULL : realloc(s->bytes, size);

	if (bytes == NULL)
		return false;
	*s = (struct space){.bytes = bytes, .size = size};
	return true;
}

/* A number without a name is passed over, as id(1) cannot name it either and no rule can
 * mean it. */
static int
add_group(struct membership *m, gid_t gid, struct space *s, struct error *e)
{
	struct group entry;
	struct group *found = NULL;
	int failed;

	do
		failed = getgrgid_r(gid, &entry, s->bytes, s->size, &found);
	while (failed == ERANGE && grow(s));
	if (failed != 0)
		return error_set(e, ERROR_UNAVAILABLE, "group %u cannot be looked up: %s",
		    (unsigned int)gid, strerror(failed));
	return found == NULL ? 0 : membership_add(m, entry.gr_name, strlen(entry.gr_name), e);
}

static int
look_up(const char *user, struct membership *m, struct space *s, struct error *e)
{
	gid_t list[GROUPS_MAX];
	struct passwd entry;
	struct passwd *found = NULL;
	int count = GROUPS_MAX;
	int failed;

	do
		failed = getpwnam_r(user, &entry, s->bytes, s->size, &found);
	while (failed == ERANGE && grow(s));
	if (failed != 0 && failed != ENOENT && failed != ESRCH)
		return error_set(e, ERROR_UNAVAILABLE, "the account cannot be looked up: %s",
		    strerror(failed));
	/* Some sources of nsswitch.conf(5) find alice for ALICE: that is somebody else. */
	if (found == NULL || strcmp(entry.pw_name, user) != 0)
		return 0;
	m->known = true;
	if (getgrouplist(user, entry.pw_gid, list, &count) == -1)
		return error_set(
		    e, ERROR_UNAVAILABLE, "the account is in more than %d groups", GROUPS_MAX);
	for (int i = 0; i < count; i++)
		if (add_group(m, list[i], s, e) == -1)
			return -1;
	return 0;
}

static int
unix_lookup(struct source *self, const char *user, struct membership *m, struct error *e)
{
	struct space space = {0};
	int rc = -1;

	(void)self;
	if (grow(&space))
		rc = look_up(user, m, &space, e);
	else
		error_set(e, ERROR_UNAVAILABLE, "out of memory");
	free(space.bytes);
	return rc;
}

static void
unix_close(struct source *self)
{
	(void)self;
}

int
source_unix_open(struct source **out, const struct groups_config *c, struct error *e)
{
	static struct source accounts = {.lookup = unix_lookup, .close = unix_close};

	(void)c;
	(void)e;
	*out = &accounts;
	return 0;
}
