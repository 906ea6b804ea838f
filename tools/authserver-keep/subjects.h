/* Whose token files a section keeps. */
#ifndef AUTHSERVER_KEEP_SUBJECTS_H
#define AUTHSERVER_KEEP_SUBJECTS_H

#include <stdbool.h>

#include "config/config.h"
#include "identity/subject.h"

struct subjects {
	char **items; /* in the order of strcmp(3), each once */
	size_t count;
};

/*
 * Lists them: the one that the section names, the members of its group as getent(1) shows them,
 * or the names of the directories in its directory. Of the last two, what is no subject by the
 * grammar is passed over. 0, or -1 with *e when they cannot be known now; *to is empty then,
 * and to be freed in any case.
 */
int subjects_list(struct subjects *to, const struct keep_section *s,
    const struct subject_grammar *grammar, struct error *e);

/* Adds a copy of name, out of order. 0, or -1 and ERROR_UNAVAILABLE. */
int subjects_add(struct subjects *to, const char *name, struct error *e);

bool subjects_have(const struct subjects *s, const char *name);

void subjects_free(struct subjects *s);

/*
 * Lists those who have, or had, a file of the section and are none of its subjects any more: by
 * the names in the directory before the first ${subject} of its path.
 */
int subjects_list_gone(struct subjects *to, const struct keep_section *s,
    const struct subject_grammar *grammar, const struct subjects *there, struct error *e);

#endif
