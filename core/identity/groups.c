#define _GNU_SOURCE /* getgrouplist */
#include "identity/groups.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

enum { GROUPS_MAX = 1024, ENTRY_MAX = 64 * 1024 };

/* Appends a group's name. A number without a name is passed over, as id(1) cannot name
 * it either and no rule can mean it. */
static int
append_group(char groups[LIMIT_GROUPS], size_t *length, gid_t gid, char *space, struct error *e)
{
	struct group entry;
	struct group *found = NULL;
	size_t size;
	int failed = getgrgid_r(gid, &entry, space, ENTRY_MAX, &found);

	if (failed != 0)
		return error_set(e, ERROR_UNAVAILABLE, "group %u cannot be looked up: %s",
		    (unsigned int)gid, strerror(failed));
	if (found == NULL)
		return 0;
	size = strlen(entry.gr_name);
	if (*length + size + 2 > LIMIT_GROUPS)
		return error_set(
		    e, ERROR_UNAVAILABLE, "more groups than %d bytes hold", LIMIT_GROUPS);
	memcpy(groups + *length, entry.gr_name, size);
	*length += size;
	groups[(*length)++] = '\n';
	groups[*length] = '\0';
	return 0;
}

int
groups_lookup(const char *user, char groups[LIMIT_GROUPS], struct error *e)
{
	char space[ENTRY_MAX];
	gid_t list[GROUPS_MAX];
	struct passwd entry;
	struct passwd *found = NULL;
	int count = GROUPS_MAX;
	size_t length = 0;
	int failed;

	*groups = '\0';
	failed = getpwnam_r(user, &entry, space, sizeof(space), &found);
	if (failed != 0 && failed != ENOENT && failed != ESRCH)
		return error_set(e, ERROR_UNAVAILABLE, "the account %s cannot be looked up: %s",
		    user, strerror(failed));
	if (found == NULL)
		return 0;
	if (getgrouplist(user, entry.pw_gid, list, &count) == -1)
		return error_set(
		    e, ERROR_UNAVAILABLE, "%s is in more than %d groups", user, GROUPS_MAX);
	for (int i = 0; i < count; i++)
		if (append_group(groups, &length, list[i], space, e) == -1)
			return -1;
	return 0;
}
