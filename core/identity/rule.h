/* One rule of a policy, and how it is read. For the files of this folder. */
#ifndef IDENTITY_RULE_H
#define IDENTITY_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "identity/policy.h"

enum who { WHO_ANY, WHO_AUTHENTICATED, WHO_ANONYMOUS, WHO_NAME, WHO_GROUP };

/* A list of words, NULL at its end; NULL itself when the rule has none. */
typedef char **words;

struct rule {
	bool permit;
	enum verb verb;
	enum who who;
	char *name;        /* of WHO_NAME and WHO_GROUP */
	char *scheme;      /* AUTH_TYPE that the caller must have come by; NULL: any */
	bool self;         /* the subject may be the caller */
	words subjects;    /* fnmatch(3) patterns */
	words audiences;   /* NULL: any */
	words profiles;    /* NULL: any */
	int64_t ttl;       /* seconds; 0: no limit of its own */
	unsigned int live; /* 0: no limit */
	char *where;       /* "FILE:LINE"; set by who knows the file */
};

/*
 * Reads one line of length bytes, without its newline. 1: *r is a rule, to be freed with
 * rule_free(). 0: the line is blank or a comment. -1: *e says what is wrong, without file
 * and line, and there is nothing to free.
 */
int rule_parse(struct rule *r, const char *line, size_t length, struct error *e);

void rule_free(struct rule *r);

/* Whether each profile that the rule names exists; profiles may be NULL. 0, or -1 and
 * ERROR_CONFIG. */
int rule_check_profiles(const struct rule *r, const struct profiles *profiles, struct error *e);

/* Whether the rule's group can exist by what the sources do to names: a rule that never matches
 * is worse than none. 0, or -1 and ERROR_CONFIG. */
int rule_check_group(const struct rule *r, const struct groups_config *groups, struct error *e);

/* Takes the first line off the text, without its newline. False: there is none any more. */
bool rule_next_line(const char **text, size_t *length, const char **line, size_t *size);

/* What a request has that names no profile, as rules call it; it may be the name of a profile
 * too. */
#define RULE_NO_PROFILE "default"

#endif
