/*
 * Which names may be the subject of a token: [A-Za-z0-9_][A-Za-z0-9._@+-]{0,127}, and
 * what an administrator's pattern adds.
 */
#ifndef IDENTITY_SUBJECT_H
#define IDENTITY_SUBJECT_H

#include "base/error.h"

struct subject_grammar;

/*
 * pattern is an extended regular expression that a whole subject may match instead of
 * the grammar above, or NULL. ERROR_CONFIG when it does not compile. *out is NULL on
 * failure; else subject_grammar_free() it.
 */
int subject_grammar_new(struct subject_grammar **out, const char *pattern, struct error *e);
void subject_grammar_free(struct subject_grammar *g);

/*
 * 0 when subject may be one, else -1 and ERROR_MALFORMED. Empty, ".", "..", a slash, a
 * control byte, what is not UTF-8 and what is longer than 128 bytes never are, whatever
 * the pattern says.
 */
int subject_check(const struct subject_grammar *g, const char *subject, struct error *e);

#endif
