/*
 * A source of groups: something that is asked what it knows of a user. Each kind is a file of
 * its own; which are asked, and in which order, is the chain's (chain.h).
 */
#ifndef IDENTITY_SOURCE_H
#define IDENTITY_SOURCE_H

#include "config/config.h"
#include "identity/membership.h"

struct source {
	/*
	 * Fills *m, which is all zeroes, for the user. 0 is an answer: m->known says whether
	 * the source knows the user at all. -1 and ERROR_UNAVAILABLE: there is none, and *m
	 * counts for nothing; a failure is never "no groups". Returns within the source's
	 * timeout.
	 */
	int (*lookup)(
	    struct source *self, const char *user, struct membership *m, struct error *e);
	void (*close)(struct source *self);
};

/*
 * Makes a source ready, which reads the files that it needs (passwords, certificates) but
 * reaches for no network. It is for one thread, but for those kinds that chain.c says never
 * change; c must outlive it. *out is NULL on failure;
 * else source_close() it. ERROR_CONFIG, ERROR_NO_INPUT.
 */
typedef int source_open(struct source **out, const struct groups_config *c, struct error *e);

source_open source_unix_open, source_static_open, source_script_open, source_rest_open,
    source_ldap_open;

/* NULL is left alone. */
void source_close(struct source *s);

/*
 * Reads the answer of the group protocol, {"groups": ["cat_person", "group1"]}, into *m and
 * marks it known; "email" and "namespace", each a string, are taken too, other members are
 * passed over. ERROR_UNAVAILABLE, which says what is wrong with it: no JSON, no object, a
 * member twice, groups that are no list of strings, more than fits.
 */
int source_reply(struct membership *m, const char *text, size_t length, struct error *e);

#endif
