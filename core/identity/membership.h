/* What is known of a user: groups, an e-mail address and a namespace. */
#ifndef IDENTITY_MEMBERSHIP_H
#define IDENTITY_MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strings.h"

/* Plain bytes of fixed size, since it travels between processes; zeroes are a user that
 * nobody knows. */
struct membership {
	bool known;                  /* a source knows the user */
	bool partial;                /* an optional source failed, and may know more */
	char email[LIMIT_EMAIL];     /* "": none */
	char space[LIMIT_NAMESPACE]; /* "": none */
	char groups[LIMIT_GROUPS];   /* each ended by a newline, each once; last, since it is
					sent only as far as it goes */
};

/*
 * Adds a group, behind the others; one that is there already is not added again.
 * ERROR_UNAVAILABLE for a name that is empty, not UTF-8 or has control characters, and when
 * there is no room: nothing is left out in silence.
 */
int membership_add(struct membership *m, const char *name, size_t length, struct error *e);

/* Adds what from has and to lacks: its groups, and the e-mail address and the namespace where
 * to has none. ERROR_UNAVAILABLE as above. */
int membership_merge(struct membership *to, const struct membership *from, struct error *e);

/* The letters A to Z of all groups become a to z; what is then the same is there once. */
void membership_fold(struct membership *m);

/* Keeps the groups that one of the patterns (fnmatch(3)) matches; all when there are none. */
void membership_allow(struct membership *m, const struct strings *patterns);

/* The bytes that m has up to the end of its groups: as many are enough to hold it. */
size_t membership_size(const struct membership *m);

/* Copies as many. */
void membership_copy(struct membership *to, const struct membership *from);

/* A copy in as many, to be freed with free(); it may be read, not be added to. NULL when memory
 * is short. */
struct membership *membership_keep(const struct membership *m);

size_t membership_count(const struct membership *m);

/* Whether groups, each ended by a newline, have one of length bytes at name. NULL: none. */
bool groups_have(const char *groups, const char *name, size_t length);

#endif
