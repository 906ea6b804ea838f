/* The token files that are kept fresh, and what is known of each. */
#ifndef AUTHSERVER_KEEP_KEPT_H
#define AUTHSERVER_KEEP_KEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/log.h"
#include "store/directory.h"
#include "tools/authserver-keep/issuer.h"
#include "tools/authserver-keep/subjects.h"

struct kept {
	const struct keep_section *section;
	char *subject;
	char *path;
	gid_t group;         /* of the file; (gid_t)-1: that of the process */
	bool no_group;       /* it was not found: nothing can be written */
	uint64_t phase;      /* see store/keep_time.h */
	bool inspected;      /* what follows is known */
	int64_t expires;     /* seconds since 1970 of its token; 0: it has none that is good */
	int64_t due;         /* real-time nanoseconds: when it is to be renewed */
	struct stat mark;    /* of the file as it was seen last; zeroes: there was none */
	int64_t retry;       /* monotonic nanoseconds before which it is not tried again */
	unsigned int failed; /* how often in a row */
	char *said;          /* what was said of it last; NULL: nothing */
};

struct kept_list {
	struct kept *items; /* in the order of their paths */
	size_t count;
	size_t sections; /* how many there are */
	char **said;     /* what was said of each of them last */
};

/*
 * Lists the files of the sections whose names are given, or of all. What is known of files in
 * before, which is emptied, goes over; anew says that it may not be so any more. Where the
 * subjects of a section cannot be known, they are those of before. 0, or -1 when memory is
 * short, or a section that is named is not there. Either is to be freed.
 */
int kept_list_make(struct kept_list *to, struct kept_list *before, const struct issuer *i,
    char *const *names, bool anew, const struct log *log, struct error *e);
void kept_list_free(struct kept_list *l);

/* Logs a line "Not kept: NAME: TEXT" unless it is what was said last; NULL as error says
 * nothing, and that what was said is over. Returns whether it was said. */
bool kept_say(char **said, const struct log *log, const char *name, const struct error *e);

/* Opens the directory of a path, and says the file's name in it. With create, a directory that
 * is missing is made. Errors as directory_open(). */
int kept_open_directory(
    struct directory *d, const char **name, const char *path, bool create, struct error *e);

#endif
