/*
 * The fields of a body: a form (RFC 6749, appendix B) or a JSON object of strings. For the
 * files of this folder.
 */
#ifndef SERVICE_FIELDS_H
#define SERVICE_FIELDS_H

#include <stdbool.h>

#include "service/request.h"

enum { FIELDS_MOST = 20 };

/* Those that are wanted, by name, and what the body has of them. */
struct fields {
	const char *const *names;  /* NULL at the end; at most FIELDS_MOST */
	char *values[FIELDS_MOST]; /* NULL: not there, or empty, which is the same (RFC 6749,
				      3.2); at most LIMIT_TOKEN bytes */
};

/*
 * Reads the body of r. Fields that are not wanted do not matter (RFC 6749, 3.2). json says
 * whether an object will do as well as a form. ERROR_MEDIA_TYPE; ERROR_MALFORMED for a field
 * that comes twice, is too long, badly encoded or, in an object, no string.
 */
int fields_read(struct fields *f, const char *const *names, const struct request *r, bool json,
    struct error *e);

/* Whether a Content-Type (RFC 9110, 8.3), which may be NULL, is that of forms. */
bool fields_is_form(const char *type);

/* Cleanses them, since some are secrets. */
void fields_free(struct fields *f);

#endif
