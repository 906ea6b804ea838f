/* Fields of a form (WHATWG URL, 5.1): of a query or of a body. */
#ifndef SERVICE_FORM_H
#define SERVICE_FORM_H

#include <stddef.h>

/*
 * Decodes length bytes of a value into to. The size of the text, or -1: it has size bytes or
 * more, a bad escape, or a control byte.
 */
int form_decode(char *to, size_t size, const char *from, size_t length);

/* The bytes of a field's value, not decoded; NULL when the form has no such field. *twice says
 * whether it has it more than once. */
const char *form_find(
    const char *form, size_t size, const char *name, size_t *length, _Bool *twice);

#endif
