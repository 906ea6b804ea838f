/* What lies at the path of a file that is kept: whether a reader would be served by it. */
#ifndef AUTHSERVER_KEEP_INSPECT_H
#define AUTHSERVER_KEEP_INSPECT_H

#include "store/keep_file.h"
#include "tools/authserver-keep/kept.h"

/* Whose the file is to be. ERROR_CONFIG, ERROR_UNAVAILABLE when there is no such owner. */
int inspect_form(struct keep_form *form, const struct kept *k, struct error *e);

/*
 * Looks at the file and fills expires and mark of *k. With clear, what a killed keeper left of
 * it goes. *why is why it is to be replaced whatever its time is, NULL when it is good: it has
 * the owner, group, mode and format that it should have, and its token is for the subject and
 * by one of our keys. 0, or -1 and *e when it cannot be looked at.
 */
int inspect_file(
    struct kept *k, const struct issuer *i, bool clear, const char **why, struct error *e);

/* Whether the file is a token for the subject, by whichever key, so that it is ours to remove.
 */
bool inspect_is_token(
    const struct directory *d, const char *name, enum keep_format format, const char *subject);

/* Appends what the file is to hold. 0, or -1 when memory is short. */
int inspect_render(struct buffer *file, enum keep_format format, const struct signature *token);

#endif
