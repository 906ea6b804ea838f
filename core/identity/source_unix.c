/* The host's own accounts, and so what nsswitch.conf(5) adds: sssd, LDAP. Case-sensitive. */
#define _GNU_SOURCE /* getgrouplist */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "identity/source.h"

enum { GROUPS_MAX = 4096, ENTRY_MAX = 64 * 1024 };

/* A number without a name is passed over, as id(1) cannot name it either and no rule can
 * mean it. */
static int
add_group(struct membership *m, gid_t gid, char *space, struct error *e)
{
	struct group entry;
	struct group *found = NULL;
	int failed = getgrgid_r(gid, &entry, space, ENTRY_MAX, &found);

	if (failed != 0)
		return error_set(e, ERROR_UNAVAILABLE, "group %u cannot be looked up: %s",
		    (unsigned int)gid, strerror(failed));
	return found == NULL ? 0 : membership_add(m, entry.gr_name, strlen(entry.gr_name), e);
}

static int
unix_lookup(struct source *self, const char *user, struct membership *m, struct error *e)
{
	char space[ENTRY_MAX];
	gid_t list[GROUPS_MAX];
	struct passwd entry;
	struct passwd *found = NULL;
	int count = GROUPS_MAX;
	int failed;

	(void)self;
	failed = getpwnam_r(user, &entry, space, sizeof(space), &found);
	if (failed != 0 && failed != ENOENT && failed != ESRCH)
		return error_set(e, ERROR_UNAVAILABLE, "the account cannot be looked up: %s",
		    strerror(failed));
	if (found == NULL)
		return 0;
	m->known = true;
	if (getgrouplist(user, entry.pw_gid, list, &count) == -1)
		return error_set(
		    e, ERROR_UNAVAILABLE, "the account is in more than %d groups", GROUPS_MAX);
	for (int i = 0; i < count; i++)
		if (add_group(m, list[i], space, e) == -1)
			return -1;
	return 0;
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
