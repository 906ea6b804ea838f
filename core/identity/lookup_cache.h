/*
 * Memberships that were looked up, for a while. Holds a bounded number of users, and forgets
 * others sooner than it grows. For one thread at a time.
 */
#ifndef IDENTITY_LOOKUP_CACHE_H
#define IDENTITY_LOOKUP_CACHE_H

#include <stdint.h>

#include "identity/membership.h"

struct lookup_cache;

/* For about so many users. NULL when memory is short; else lookup_cache_free() it. */
struct lookup_cache *lookup_cache_new(size_t users);
void lookup_cache_free(struct lookup_cache *c);

/* What is kept of the user, NULL when there is nothing; *until gets the monotonic nanoseconds
 * until which it is good, which may be over. It stays until the next put. */
const struct membership *lookup_cache_get(
    const struct lookup_cache *c, const char *user, int64_t *until);

/* Keeps a copy; when memory is short, nothing. */
void lookup_cache_put(
    struct lookup_cache *c, const char *user, const struct membership *m, int64_t until);

#endif
