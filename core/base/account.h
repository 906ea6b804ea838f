/* Users and groups by name, from the host's accounts. */
#ifndef BASE_ACCOUNT_H
#define BASE_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

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

/* Who is asked for both: a process that may open no files asks another one. */
struct accounts {
	int (*user)(void *context, const char *name, uid_t *uid, struct error *e);
	int (*name)(void *context, uid_t uid, char *name, size_t size, struct error *e);
	void *context;
};

/* This process itself. */
extern const struct accounts accounts_here;

/* Whether the process is in the group. */
bool account_in_group(gid_t group);

#endif
