#define _DEFAULT_SOURCE /* getspnam_r, explicit_bzero */
#include "identity/unix_account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/account.h"

enum {
	DAY = 24 * 60 * 60,
	SPACE = 16 * 1024, /* for a line of shadow(5), which has no list in it */
};

/* Whether somebody has put a "!" before the password. */
static bool
is_locked(const char *password)
{
	return password != NULL && *password == '!' && password[strspn(password, "!*")] != '\0';
}

int
unix_account_judge(const struct spwd *s, int64_t day, struct error *e)
{
	if (s->sp_expire != -1 && day >= s->sp_expire)
		return error_set(
		    e, ERROR_DENIED, "the account '%.64s' has expired", s->sp_namp);
	if (is_locked(s->sp_pwdp))
		return error_set(e, ERROR_DENIED, "the account '%.64s' is locked", s->sp_namp);
	/* 0: a change of the password is asked for at the next login. */
	if (s->sp_max != -1 && s->sp_inact != -1 && s->sp_lstchg > 0 &&
	    day - s->sp_lstchg > (int64_t)s->sp_max + s->sp_inact)
		return error_set(e, ERROR_DENIED,
		    "the account '%.64s' is inactive: its password has expired", s->sp_namp);
	return 0;
}

/* Whether the sources say that there is no line for us (getpwnam(3), "not found"), or the file
 * is not for us to read. Any other errno says that nothing is known: ENOENT, too, which may be
 * of the socket of a service that is down, but where this system has no such file. */
static bool
is_absent(int failed)
{
	struct stat st;

	if (failed == ENOENT)
		return stat("/etc/shadow", &st) == -1 && errno == ENOENT;
	return failed == 0 || failed == ESRCH || failed == EACCES;
}

int
unix_account_check(const char *name, int64_t now, bool *blind, struct error *e)
{
	struct spwd entry;
	struct spwd *found = NULL;
	char *space;
	uid_t uid;
	int failed, rc;

	*blind = false;
	if (account_user(name, &uid, e) == -1)
		return e->code == ERROR_CONFIG
			   ? error_set(e, ERROR_DENIED, "there is no account '%.64s'", name)
			   : -1;
	space = malloc(SPACE);
	if (space == NULL)
		return error_set(e, ERROR_UNAVAILABLE, "out of memory");
	failed = getspnam_r(name, &entry, space, SPACE, &found);
	/* No line is no restriction: directories of users often have none for us. */
	*blind = found == NULL && failed == EACCES;
	if (found != NULL)
		rc = unix_account_judge(found, now / DAY, e);
	else if (!is_absent(failed))
		rc = error_set(e, ERROR_UNAVAILABLE,
		    "'%.64s' cannot be looked up in shadow: %s", name, strerror(failed));
	else
		rc = 0;
	explicit_bzero(space, SPACE);
	free(space);
	return rc;
}
