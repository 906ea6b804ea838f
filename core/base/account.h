/* Users and groups by name, from the host's accounts. */
#ifndef BASE_ACCOUNT_H
#define BASE_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/limits.h"

/*
 * The number of the group or user called name. 0, or -1: ERROR_CONFIG when there is
 * none, ERROR_UNAVAILABLE when the look-up failed. A group may also be given by its
 * number; a user never is, since a name that is a number must not become an account.
 */
int account_group(const char *name, gid_t *gid, struct error *e);
int account_user(const char *name, uid_t *uid, struct error *e);

/* Whether the account that is found by a name is called that: there are sources that find
 * accounts however their names are spelt. 0, also when there is none; -1: ERROR_DENIED when it
 * is called otherwise, ERROR_UNAVAILABLE when the look-up failed. */
int account_check_name(const char *name, struct error *e);

/* The name of the account with this number; size bytes hold it. 0, or -1: ERROR_DENIED when
 * there is none or its name is longer, ERROR_UNAVAILABLE when the look-up failed. */
int account_name(uid_t uid, char *name, size_t size, struct error *e);

struct account_entry {
	uid_t uid;
	char name[LIMIT_PRINCIPAL];
};

/* Of a user by name, of whom name is as it was asked for; or where name is NULL, by uid. */
struct account_question {
	const char *name;
	uid_t uid;
};

/* a is valid during the call, and NULL where there is none to tell: then e says why, with the
 * codes of account_user() and account_name(). */
typedef void account_done(void *context, const struct account_entry *a, const struct error *e);

/* Who is asked: whoever has better to do than to wait, or may open no files, asks another
 * process. */
struct accounts {
	/* 0: done is called exactly once, maybe before this returns. -1: it is not, and *e says
	 * why (ERROR_UNAVAILABLE). */
	int (*submit)(const struct accounts *self, const struct account_question *q,
	    account_done *done, void *context, struct error *e);
};

/* This process itself, which waits. */
extern const struct accounts accounts_here;

/* The answer to a question by this process itself. 0, or -1 and *e. */
int account_look_up(
    const struct account_question *q, struct account_entry *found, struct error *e);

/* Whether the process is in the group. */
bool account_in_group(gid_t group);

#endif
