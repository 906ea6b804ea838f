/* What the configuration says of token files that are kept fresh, by authserver-keep(1). */
#ifndef CONFIG_KEEP_H
#define CONFIG_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/strings.h"

enum keep_format { KEEP_JWT, KEEP_JSON };

/* What stands for the subject in file and owner. */
#define KEEP_SUBJECT "${subject}"

/* One file, or a pattern of files with one for each of several subjects. */
struct keep_section {
	char *name;
	char *where;         /* FILE:LINE, for what is found wrong later */
	char *subject;       /* NULL: the name, unless one of the next two is there */
	char *group_members; /* the subjects are the members of this group */
	char *directories;   /* they are the names of the directories in this one */
	char *file;          /* absolute; with KEEP_SUBJECT where there are several subjects */
	enum keep_format format;
	char *profile;     /* NULL: none */
	char *audience;    /* NULL: the profile's */
	int64_t lifetime;  /* seconds, of each token */
	int64_t at_least;  /* seconds that the token in the file has left, always */
	char *owner;       /* of the file, by name or KEEP_SUBJECT; NULL: the process's user */
	char *group;       /* NULL: that of the process */
	mode_t mode;       /* permission bits */
	bool unix_account; /* whether the subject must have an account that is good */
	bool remove;       /* whether the file of a subject who is refused goes */
	struct strings command; /* what to run when a file has changed; empty: nothing */
	int64_t timeout;        /* seconds that it may take */
	int signal;             /* to be sent when a file has changed; 0: none */
	char *pid_file;         /* to whom */
};

struct keep_sections {
	struct keep_section *items;
	size_t count;
};

/* Whether the section is a pattern. */
bool keep_is_pattern(const struct keep_section *s);

/* Writes text with the subject in place of each KEEP_SUBJECT. 0, or -1 when it does not fit. */
int keep_expand(char *to, size_t size, const char *text, const char *subject);

struct config;

/*
 * Whether the lifetimes of all sections are such as the configuration and its profiles give,
 * once all keys are set. ERROR_CONFIG with FILE:LINE.
 */
int keep_check_lifetimes(const struct config *c, struct error *e);

#endif
