/*
 * What is known of subjects beside their names: an e-mail address and a namespace, from a
 * file that is one JSON object:
 *
 *     { "janedoe": { "email": "jane@example.com", "namespace": "jane" } }
 */
#ifndef IDENTITY_ATTRIBUTES_H
#define IDENTITY_ATTRIBUTES_H

#include "base/error.h"

struct attributes;

/* Reads the file, which nobody but root or our own user may be able to write. ERROR_NO_INPUT,
 * ERROR_CONFIG with FILE:LINE. *out is NULL on failure; else attributes_free() it. */
int attributes_read(struct attributes **out, const char *path, struct error *e);
void attributes_free(struct attributes *a);

/* The subject's attribute ("email" or "namespace"), "" when there is none. a may be NULL.
 * The text belongs to a. */
const char *attributes_get(const struct attributes *a, const char *subject, const char *name);

#endif
