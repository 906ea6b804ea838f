#include "resolver/memory.h"

#include <stdlib.h>

#include "base/clock.h"
#include "identity/lookup_cache.h"

enum { USERS = 10000 }; /* whose memberships are kept */

struct memory {
	const struct groups_config *config;
	struct lookup_cache *cache;
};

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* For how long m is good. */
static int64_t
good_for(const struct memory *k, const struct membership *m)
{
	const struct groups_config *c = k->config;

	return (m->partial ? least(c->retry, c->cache) : c->cache) * NANOSECONDS;
}

struct memory *
memory_new(const struct groups_config *c)
{
	struct memory *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->config = c;
	k->cache = lookup_cache_new(USERS);
	if (k->cache != NULL)
		return k;
	free(k);
	return NULL;
}

void
memory_free(struct memory *k)
{
	if (k == NULL)
		return;
	lookup_cache_free(k->cache);
	free(k);
}

const struct membership *
memory_good(const struct memory *k, const char *user, int64_t now, int64_t *keep)
{
	int64_t until;
	const struct membership *m = lookup_cache_get(k->cache, user, &until);

	if (m == NULL || now >= until)
		return NULL;
	*keep = until - now;
	return m;
}

const struct membership *
memory_before(
    const struct memory *k, const char *user, int64_t now, int64_t *keep, int64_t *age)
{
	int64_t until;
	const struct membership *m = lookup_cache_get(k->cache, user, &until);
	int64_t left;

	if (m == NULL || m->partial)
		return NULL;
	left = until + k->config->stale * NANOSECONDS - now;
	if (left <= 0)
		return NULL;
	*keep = least(left, k->config->retry * NANOSECONDS);
	*age = (now - until + good_for(k, m)) / NANOSECONDS;
	return m;
}

bool
memory_newer(const struct memory *k, const char *user, int64_t then)
{
	int64_t until;
	const struct membership *m = lookup_cache_get(k->cache, user, &until);

	return m != NULL && until - good_for(k, m) > then;
}

int64_t
memory_put(struct memory *k, const char *user, const struct membership *m, int64_t now)
{
	int64_t keep = good_for(k, m);

	lookup_cache_put(k->cache, user, m, now + keep);
	return keep;
}
