/*
 * Search filters of a directory (RFC 4515) with places for values: "(uid={0})". A value that is
 * filled in is always a value: it can neither end the filter nor match more than itself.
 */
#ifndef IDENTITY_LDAP_FILTER_H
#define IDENTITY_LDAP_FILTER_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* The filter with the values, and the sets of filters in sets, that there may be. */
enum { LDAP_FILTER_MAX = 32 * 1024, LDAP_FILTER_DEPTH = 32 };

/*
 * Whether the template is a filter whose places are {0} to {count - 1}. Any other brace is
 * refused; one that is meant is written \7b or \7d. ERROR_CONFIG, which says where.
 */
int ldap_filter_check(const char *template, size_t count, struct error *e);

/*
 * Empties *to, which buffer_init() made, and puts the template there, each place filled with
 * its value, escaped (RFC 4515, 3). The template has been checked for as many values.
 * ERROR_UNAVAILABLE when it grows too long.
 */
int ldap_filter_fill(
    struct buffer *to, const char *template, const char *const *values, struct error *e);

#endif
