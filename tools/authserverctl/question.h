/*
 * What the policy makes of a request that nobody sends: "foo via basic as janedoe ttl 2h".
 */
#ifndef AUTHSERVERCTL_QUESTION_H
#define AUTHSERVERCTL_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "config/config.h"
#include "identity/lookup.h"
#include "identity/policy.h"
#include "identity/subject.h"

enum { QUESTION_WORDS = 256 };

/* The words belong to argv. */
struct question {
	const char *caller;
	const char *scheme;  /* NULL: not given, as for the rest */
	const char *subject; /* of a token; NULL: it is about groups */
	const char *user;    /* whose groups are to be read; NULL: it is about a token */
	const char *audience;
	const char *profile;
	const char *ttl;
	struct buffer groups; /* each ended by a newline */
	bool has_groups;
	char *words[QUESTION_WORDS];
};

/*
 * One argument is parted at blanks; of several each is a word as it is. 0, or -1 and
 * ERROR_MALFORMED; question_free() either way.
 */
int question_read(struct question *q, char **words, size_t count, struct error *e);
void question_free(struct question *q);

/* Who decides, and by what. */
struct question_parts {
	const struct config *config;
	const struct policy *policy;
	const struct subject_grammar *grammar;
	struct lookup *lookup;
};

/* Prints the verdict, in one line. 0: permitted. 1: denied. -1 and *e: there is none. */
int question_decide(
    const struct question *asked, const struct question_parts *parts, struct error *e);

#endif
