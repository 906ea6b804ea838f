#define _DEFAULT_SOURCE /* initgroups, setgroups */
#include "base/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
owner_enter(const char *path, struct error *e)
{
	const struct passwd *account;
	struct stat st;
	int rc;

	if (geteuid() != 0 || stat(path, &st) == -1 || !S_ISDIR(st.st_mode) || st.st_uid == 0)
		return 0;
	account = getpwuid(st.st_uid); /* NULL: a number without a name */
	rc = account != NULL ? initgroups(account->pw_name, account->pw_gid)
			     : setgroups(0, NULL);
	if (rc == 0 && setegid(st.st_gid) == 0 && seteuid(st.st_uid) == 0)
		return 0;
	return error_set(e, ERROR_NO_PERMISSION,
	    "%s: belongs to uid %u, whom root cannot become here: %s: run as that user", path,
	    (unsigned int)st.st_uid, strerror(errno));
}

void
owner_leave(void)
{
	/* Should it fail, we are less than we were. */
	if (geteuid() != getuid() && seteuid(getuid()) == 0 && setegid(getgid()) == 0)
		return;
}
